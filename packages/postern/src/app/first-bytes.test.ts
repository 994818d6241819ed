import { describe, expect, test } from 'vitest'
import { recognise, type Spoken } from './first-bytes.ts'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const prefixed = (...body: number[]): Buffer => Buffer.from([0, 0, 1, 0, ...body])

const json: Spoken = { name: 'json', codec: 'json' }
const headers: Spoken = { name: 'content-length', codec: 'json' }
const msgpack: Spoken = { name: 'msgpack', codec: 'msgpack' }

/** What a connection may begin with, and how many of these bytes decide it. */
const beginnings: readonly (readonly [what: string, first: Buffer, spoken: Spoken, enough: number])[] = [
  ['an object', bytes('{"jsonrpc"'), json, 1],
  ['an array', bytes('[{"jsonrpc"'), json, 1],
  ...[' ', '\n', '\r', '\t'].map((space): [string, Buffer, Spoken, number] => [
    `white space ${JSON.stringify(space)}`,
    bytes(`${space}{`),
    json,
    1,
  ]),
  ['the headers of LSP', bytes('Content-Length: 20\r\n'), headers, 8],
  ['the headers of LSP, type first', bytes('Content-Type: x\r\n'), headers, 8],
  ['the headers of LSP in small letters', bytes('content-length: 20\r\n'), headers, 8],
  ['an array of three in MessagePack', Buffer.from([0x93, 2, 0xa1]), msgpack, 1],
  ['an array of four in MessagePack', Buffer.from([0x94, 0, 1]), msgpack, 1],
  ['length-prefixed JSON', prefixed(0x7b), { name: 'length-prefix', codec: 'json' }, 5],
  ['a length-prefixed batch', prefixed(0x5b), { name: 'length-prefix', codec: 'json' }, 5],
  ['length-prefixed JSON behind a space', prefixed(0x20), { name: 'length-prefix', codec: 'json' }, 5],
  ['length-prefixed MessagePack', prefixed(0x94), { name: 'length-prefix', codec: 'msgpack' }, 5],
  ['a length-prefixed note in MessagePack', prefixed(0x93), { name: 'length-prefix', codec: 'msgpack' }, 5],
  ['length-prefixed CBOR', prefixed(0x84), { name: 'length-prefix', codec: 'cbor' }, 5],
  ['a length-prefixed note in CBOR', prefixed(0x83), { name: 'length-prefix', codec: 'cbor' }, 5],
  ['a length-prefixed string', prefixed(0x22), { name: 'unknown' }, 5],
  ["Python's challenge", Buffer.concat([Buffer.from([0, 0, 0, 31]), bytes('#CHALLENGE#')]), { name: 'unknown' }, 5],
  ["Cap'n Proto", Buffer.from([0, 0, 0, 0, 9, 0, 0, 0]), { name: 'capnp' }, 4],
  ['a TLS hello', Buffer.from([0x16, 3, 1, 2, 0, 1]), { name: 'tls' }, 2],
  ['HTTP', bytes('GET / HTTP/1.1\r\n'), { name: 'http' }, 4],
  ['HTTP with a body', bytes('POST /rpc HTTP/1.1\r\n'), { name: 'http' }, 5],
  ['a preflight of HTTP', bytes('OPTIONS * HTTP/1.1\r\n'), { name: 'http' }, 8],
  ['a tunnel of HTTP', bytes('CONNECT host:1 HTTP/1.1\r\n'), { name: 'http' }, 8],
  ['gRPC', bytes('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), { name: 'grpc' }, 12],
  ['a greeting', bytes('HELO there'), { name: 'unknown' }, 3],
  ['a word', bytes('xyz'), { name: 'unknown' }, 1],
  ['a header that is none of LSP', bytes('Contents: 1\r\n'), { name: 'unknown' }, 8],
  ['bytes of no text', Buffer.from([0xff, 0xff, 0xff, 0xff]), { name: 'unknown' }, 1],
  ['a reserved byte of MessagePack', Buffer.from([0xc1]), { name: 'unknown' }, 1],
]

describe('recognise', () => {
  test.each(beginnings)('recognise tells %s', (_what, first, spoken, enough) => {
    for (let length = 0; length < enough; length++) expect(recognise(first.subarray(0, length))).toBeUndefined()
    for (let length = enough; length <= first.length; length++)
      expect(recognise(first.subarray(0, length))).toEqual(spoken)
  })

  test('recognise has decided after twelve bytes, whatever they are', () => {
    for (let byte = 0; byte < 256; byte++) {
      expect(recognise(Buffer.alloc(12, byte))).toBeDefined()
      expect(recognise(Buffer.concat([Buffer.from([byte]), bytes('RI * HTTP/2')]))).toBeDefined()
      expect(recognise(Buffer.from([0, 0, 1, byte, byte]))).toBeDefined()
    }
  })
})
