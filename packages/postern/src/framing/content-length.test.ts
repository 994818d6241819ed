import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { StreamMessageReader } from 'vscode-jsonrpc/node'
import { isPosternError } from '../core/errors.ts'
import type { Frame } from '../core/frame.ts'
import { awkwardFrames, jsonFrameOf } from '../../test/json-frames.ts'
import { countedBuffer } from '../testing/counted-buffer.ts'
import { framesOf, framingContract } from '../testing/framing-contract.ts'
import { contentLength } from './content-length.ts'
import type { FrameLimits } from './framing.ts'

describe('framing contract', () => {
  const frames = [...awkwardFrames, Buffer.from('Content-Length: 5\r\n\r\n'), Buffer.from([0, 255, 13, 10, 13, 10])]
  const harness = { name: 'content-length', framing: contentLength, frames, frameOf: jsonFrameOf }
  for (const { title, run } of framingContract(harness)) test(title, run)
})

const limits: FrameLimits = {
  limitName: 'maxCallBytes',
  maxFrameBytes: 1_000,
  maxDepth: 64,
  maxContainers: 1_000,
  maxNames: 1_000,
  maxHeaderBytes: 8_192,
  maxHeaders: 32,
}

function reader(given: Partial<FrameLimits> = {}) {
  const decoder = contentLength.decoder({ ...limits, ...given })
  const frames: string[] = []
  const sink = (frame: Frame): void => void frames.push(frame.bytes.toString())
  return {
    decoder,
    frames,
    push: (...chunks: (string | Buffer)[]) => {
      for (const chunk of chunks) decoder.push(Buffer.from(chunk as string), sink)
    },
    end: () => decoder.end(sink),
  }
}

/** The frames of a wire that is good, which must be the same however it is cut in two, and byte by byte. */
function read(wire: string, given: Partial<FrameLimits> = {}): string[] {
  const whole = reader(given)
  whole.push(wire)
  for (let cut = 0; cut <= wire.length; cut++) {
    const { push, end, frames } = reader(given)
    push(wire.slice(0, cut), wire.slice(cut))
    end()
    expect(frames).toEqual(whole.frames)
  }
  const dribbled = reader(given)
  dribbled.push(...wire)
  expect(dribbled.frames).toEqual(whole.frames)
  return whole.frames
}

/** What a wire that is not good is refused with, which must be the same code however it is cut. */
function refusal(wire: string, given: Partial<FrameLimits> = {}): string {
  const errorOf = (...chunks: string[]) => {
    try {
      reader(given).push(...chunks)
    } catch (error) {
      if (isPosternError(error)) return error
      throw error
    }
    return expect.unreachable(`${JSON.stringify(chunks)} was not refused`)
  }
  const { code, message } = errorOf(wire)
  for (let cut = 0; cut <= wire.length; cut++) expect(errorOf(wire.slice(0, cut), wire.slice(cut)).code).toBe(code)
  expect(errorOf(...wire).code).toBe(code)
  return message
}

describe('headers', () => {
  test.each([
    ['as everybody writes it', 'Content-Length: 2\r\n\r\n{}'],
    ['two frames', 'Content-Length: 2\r\n\r\n{}Content-Length: 3\r\n\r\n[1]', ['{}', '[1]']],
    ['in any case', 'content-LENGTH: 2\r\n\r\n{}'],
    ['without white space', 'Content-Length:2\r\n\r\n{}'],
    ['with white space around the value', 'Content-Length: \t 2 \t\r\n\r\n{}'],
    ['with leading zeros', 'Content-Length: 000000000000002\r\n\r\n{}'],
    ['with a type', 'Content-Length: 2\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n{}'],
    ['with a type before it', 'Content-Type: application/vscode-jsonrpc;charset=utf8\r\nContent-Length: 2\r\n\r\n{}'],
    ['with a quoted charset', 'Content-Type: application/json; x=1; Charset="UTF-8"\r\nContent-Length: 2\r\n\r\n{}'],
    ['with a type that names no charset', 'Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'],
    ['with other headers', 'X-A.b: c: d\r\nContent-Length: 2\r\nEmpty:\r\nToString: "\u007e"\r\n\r\n{}'],
    [
      'with other headers in a second frame',
      'Content-Length: 1\r\n\r\n1A: b\r\nContent-Length: 2\r\n\r\n{}',
      ['1', '{}'],
    ],
    [
      'with a body that looks like headers',
      'Content-Length: 21\r\n\r\nContent-Length: 1\r\n\r\n',
      ['Content-Length: 1\r\n\r\n'],
    ],
  ])('content-length reads a length %s', (_, wire, frames = ['{}']) => {
    expect(read(wire)).toEqual(frames)
  })

  const such = 'expected a header such as "Content-Length: 52", got'
  const digits = 'expected a Content-Length of 1 to 15 decimal digits, got'
  const cut = 'expected \\r\\n at the end of a header, not \\n alone, got'
  test.each([
    [
      'given twice',
      'Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}',
      'expected one Content-Length, got "Content-Length: 2',
    ],
    ['given twice, differently', 'content-length: 2\r\nContent-Length: 5\r\n\r\n{}', 'expected one Content-Length'],
    [
      'missing',
      'Content-Type: application/json\r\n\r\n{}',
      'expected a Content-Length among the headers, got 1 others',
    ],
    ['missing with all headers', '\r\n{}', 'expected a Content-Length among the headers, got 0 others'],
    ['negative', 'Content-Length: -5\r\n\r\n{}', `${digits} "Content-Length: -5`],
    ['signed', 'Content-Length: +5\r\n\r\n{}', digits],
    ['hexadecimal', 'Content-Length: 0x1e\r\n\r\n{}', digits],
    ['with letters behind', 'Content-Length: 30abc\r\n\r\n{}', `${digits} "Content-Length: 30abc`],
    ['with a point', 'Content-Length: 2.0\r\n\r\n{}', digits],
    ['with an exponent', 'Content-Length: 2e0\r\n\r\n{}', digits],
    ['of two numbers', 'Content-Length: 2, 2\r\n\r\n{}', digits],
    ['with a space inside', 'Content-Length: 1 2\r\n\r\n{}', digits],
    ['of 16 digits', 'Content-Length: 0000000000000002\r\n\r\n{}', digits],
    ['of 20 digits', 'Content-Length: 18446744073709551618\r\n\r\n{}', digits],
    ['empty', 'Content-Length:\r\n\r\n{}', digits],
    ['empty but for white space', 'Content-Length: \r\n\r\n{}', digits],
    ['of 0', 'Content-Length: 0\r\n\r\n{}', 'a frame of 0 bytes was announced, which is no message'],
    ['with white space before the colon', 'Content-Length : 2\r\n\r\n{}', `${such} "Content-Length : 2`],
    ['folded', 'Content-Length: 1\r\n 2\r\n\r\n{}', 'expected a header in one line, not folded, got " 2'],
    ['folded by a tab', 'X: a\r\n\tb\r\nContent-Length: 2\r\n\r\n{}', 'expected a header in one line, not folded'],
    ['behind white space', ' Content-Length: 2\r\n\r\n{}', 'expected a header in one line, not folded'],
    ['ended by \\n', 'Content-Length: 2\n\n{}', `${cut} "Content-Length: 2`],
    ['with \\n inside its name', 'Content\n-Length: 2\r\n\r\n{}', cut],
    ['behind \\n', '\nContent-Length: 2\r\n\r\n{}', cut],
    ['with a blank line ended by \\n', 'Content-Length: 2\r\n\n{}', cut],
    [
      'with \\r inside',
      'Content-Length: 2\r3\r\n\r\n{}',
      'expected \\n behind the \\r of a header, got "Content-Length: 2\\u000d3',
    ],
    ['with \\r\\r\\n', 'Content-Length: 2\r\r\n\r\n{}', 'expected \\n behind the \\r of a header'],
    ['with a blank line ended by \\r', 'Content-Length: 2\r\n\r{}', 'expected \\n behind the \\r of a header'],
    [
      'with NUL',
      'Content-Length: 2\u0000\r\n\r\n{}',
      'expected visible ASCII in a header, got "Content-Length: 2\\u0000',
    ],
    ['beside a control character', 'X: \u001b[2J\r\n\r\n', 'expected visible ASCII in a header, got "X: \\u001b[2J'],
    ['beside what is not ASCII', 'X: \u00e9\r\n\r\n', 'expected visible ASCII'],
    ['with DEL', 'Content-Length: 2\u007f\r\n\r\n{}', 'expected visible ASCII in a header'],
    ['with NUL in a name', 'Content\u0000: 2\r\n\r\n', such],
    ['behind a line without a colon', 'nonsense\r\nContent-Length: 2\r\n\r\n{}', such],
    ['behind an empty name', ': x\r\nContent-Length: 2\r\n\r\n{}', `${such} ": x`],
    ['not at all, but JSON', '{"jsonrpc":"2.0","id":1}\n', `${such} "{"jsonrpc":"2.0","id":1}`],
    ['not at all, but HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', `${such} "GET / HTTP/1.1`],
    [
      'beside another charset',
      'Content-Type: a/b; charset=utf-16\r\nContent-Length: 2\r\n\r\n{}',
      'expected the charset utf-8',
    ],
    [
      'beside two charsets',
      'Content-Type: a/b; charset=utf-8; charset=x\r\n\r\n',
      'expected the charset utf-8, got "Content-Type:',
    ],
    ['beside no charset', 'Content-Type: a/b; charset\r\n\r\n', 'expected the charset utf-8'],
  ])('content-length refuses a length %s', (_, wire, sentence) => {
    expect(refusal(wire)).toContain(`[bad_frame] ${sentence}`)
    expect(refusal(`Content-Length: 2\r\n\r\n{}${wire}`)).toContain(`[bad_frame] ${sentence}`)
  })

  test.each([
    ['one over the limit', '1001', 'at least 1001 bytes'],
    ['4 GiB', '4294967295', 'at least 4294967295 bytes'],
    ['15 digits', '999999999999999', 'at least 999999999999999 bytes'],
  ])('content-length refuses a length of %s at the header', (_, length, sentence) => {
    const wire = `Content-Length: ${length}\r\n\r\n`
    expect(refusal(wire)).toContain('[frame_too_large] call of at least ')
    expect(refusal(`X: y\r\n${wire}`)).toContain(`${sentence} exceeds limits.maxCallBytes (1000)`)
  })

  test('content-length shows no more of a wrong header than fits in a message', () => {
    expect(refusal(`X: ${'y'.repeat(100)}\u0000`)).toContain(`got "X: ${'y'.repeat(57)}"…`)
    expect(refusal(`{${'y'.repeat(100)}`)).toContain(`got "{${'y'.repeat(59)}"…`)
  })
})

describe('limits on headers', () => {
  const detailsOf = (wire: string, given: Partial<FrameLimits>): unknown => {
    try {
      reader(given).push(wire)
    } catch (error) {
      return (error as { details: unknown }).details
    }
  }

  test.each([
    ['the plain header', 'Content-Length: 2\r\n\r\n'],
    ['several', 'X: y\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n'],
  ])('content-length takes %s at limits.maxHeaderBytes and below, and refuses it above', (_, headers) => {
    for (const room of [0, 1]) {
      const given = { maxHeaderBytes: headers.length + room }
      expect(read(`${headers}{}${headers}[]`, given)).toEqual(['{}', '[]'])
    }
    const maxHeaderBytes = headers.length - 1
    expect(refusal(`${headers}{}`, { maxHeaderBytes })).toBe(
      `[limit_exceeded] a header block of more than ${maxHeaderBytes} bytes exceeds limits.maxHeaderBytes (${maxHeaderBytes})`,
    )
    expect(detailsOf(headers, { maxHeaderBytes })).toEqual({ limit: 'maxHeaderBytes', value: maxHeaderBytes })
  })

  test('content-length takes as many headers as limits.maxHeaders, and refuses one more', () => {
    const headers = (count: number): string => `${'X: y\r\n'.repeat(count - 1)}Content-Length: 2\r\n\r\n{}`
    expect(read(headers(1), { maxHeaders: 1 })).toEqual(['{}'])
    for (const count of [3, 4]) expect(read(headers(count) + headers(count), { maxHeaders: 4 })).toEqual(['{}', '{}'])
    expect(refusal(headers(5), { maxHeaders: 4 })).toBe(
      '[limit_exceeded] a frame with more than 4 headers exceeds limits.maxHeaders (4)',
    )
    expect(detailsOf(headers(5), { maxHeaders: 4 })).toEqual({ limit: 'maxHeaders', value: 4 })
  })

  test.each([
    ['one line', 'X: ', 'y'],
    ['a name', '', 'y'],
    ['many lines', '', 'X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n'],
    ['digits', 'Content-Length: ', '1'],
  ])(
    'content-length refuses headers of %s that never end at the limit, having looked at each byte a few times',
    (_, start, more) => {
      const wire = Buffer.from((start + more.repeat(40_000)).slice(0, 40_000))
      for (const pieceBytes of [1, 10, 1_000, 40_000]) {
        const looks = { looked: 0, copied: 0 }
        const decoder = contentLength.decoder({ ...limits, maxHeaders: 1_000 })
        let taken = 0
        const dribble = () => {
          for (; taken < wire.length; taken += pieceBytes) {
            decoder.push(countedBuffer(Buffer.from(wire.subarray(taken, taken + pieceBytes)), looks), () =>
              expect.unreachable(),
            )
            decoder.head()
          }
        }
        expect(dribble).toThrow('exceeds limits.maxHeaderBytes (8192)')
        expect(taken).toBeLessThanOrEqual(8_192)
        expect(decoder.pendingBytes).toBeLessThanOrEqual(8_192)
        // In one chunk each line counts the whole chunk again when it is turned into text; no chunk is looked at for another.
        if (pieceBytes <= 10) expect(looks.looked).toBeLessThan(4 * 8_192)
        expect(looks.copied).toBeLessThanOrEqual(128 + pieceBytes)
      }
    },
  )
})

describe('frames on their way', () => {
  test('content-length shows the headers until the first byte of the frame, and of long headers the first 128 bytes', () => {
    const { push, decoder } = reader()
    const shown = () => [decoder.pendingBytes, Buffer.from(decoder.head()).toString()]
    push('Content-Le')
    expect(shown()).toEqual([10, 'Content-Le'])
    push('ngth: 5\r\n\r\n')
    expect(shown()).toEqual([21, 'Content-Length: 5\r\n\r\n'])
    push('{"a')
    expect(shown()).toEqual([3, '{"a'])
    push('":X: ', 'y'.repeat(200), 'z')
    expect(shown()).toEqual([204, `X: ${'y'.repeat(125)}`])
  })

  test('content-length says that the stream ended inside the headers, behind them, and inside the frame', () => {
    for (const [wire, held] of [
      ['C', 1],
      ['Content-Length: 5\r\n', 19],
      ['Content-Length: 5\r\n\r\n', 21],
      ['Content-Length: 5\r\n\r\n{"', 2],
    ] as const) {
      const { push, end, frames } = reader()
      push('Content-Length: 2\r\n\r\n{}', wire)
      expect(end).toThrow(`[closed] the other side ended inside a frame, after ${held} bytes of it`)
      expect(frames).toEqual(['{}'])
    }
  })

  test('content-length decodes the frames of one chunk, and characters cut between chunks, to the same text', () => {
    const texts = ['{"a":"é日本🔑"}', '{"b":1}', '[2]', '{"c":"\\n"}']
    const wire = Buffer.concat(contentLength.encode(texts).map((piece) => Buffer.from(piece as string)))
    for (const frames of [texts, texts.slice(1)]) {
      const bytes = wire.subarray(frames === texts ? 0 : wire.indexOf('Content', 1))
      for (let cut = 0; cut <= bytes.length; cut++) {
        const got: (string | undefined)[] = []
        const decoder = contentLength.decoder(limits)
        for (const chunk of [bytes.subarray(0, cut), bytes.subarray(cut)])
          decoder.push(chunk, (frame) => got.push(frame.text()))
        expect(got).toEqual(frames)
      }
    }
  })
})

describe('writing', () => {
  test('content-length writes the bytes of the text, not its characters, and texts as one piece', () => {
    expect(contentLength.encode(['{"a":"é"}', '[2]'])).toEqual([
      'Content-Length: 10\r\n\r\n{"a":"é"}Content-Length: 3\r\n\r\n[2]',
    ])
    expect(contentLength.encode([])).toEqual([])
  })

  test('content-length copies no bytes', () => {
    const bytes = Buffer.from([1, 2])
    const pieces = contentLength.encode(['a', bytes, 'b'])
    expect(pieces).toEqual(['Content-Length: 1\r\n\r\naContent-Length: 2\r\n\r\n', bytes, 'Content-Length: 1\r\n\r\nb'])
    expect(pieces[1]).toBe(bytes)
  })
})

describe('beside vscode-jsonrpc', () => {
  /** What the other reader makes of the chunks. */
  async function readByVscode(chunks: readonly Buffer[]): Promise<unknown[]> {
    const stream = new PassThrough()
    const theirs = new StreamMessageReader(stream)
    const messages: unknown[] = []
    theirs.onError((error) => messages.push(error))
    theirs.listen((message) => messages.push(message))
    for (const chunk of chunks) stream.write(chunk)
    stream.end()
    await once(stream, 'close')
    // Each message is decoded in a turn of its own.
    await new Promise(setImmediate)
    theirs.dispose()
    return messages
  }

  const name = fc.mixedCase(fc.constant('content-length'))
  const space = fc.constantFrom('', ' ', '\t', '  ')
  const others = fc.constantFrom(
    '',
    'Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n',
    'Content-Type: application/vscode-jsonrpc; charset=utf8\r\n',
    'X-Other: a:b\r\n',
    'Empty:\r\n',
  )
  const message = fc.record({ jsonrpc: fc.constant('2.0'), id: fc.nat(), result: fc.jsonValue() })
  const block = fc.record({ name, before: space, behind: space, first: others, last: others, message })

  test('content-length reads what vscode-jsonrpc reads, and each what the other writes (fast-check)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(block, { maxLength: 5 }),
        fc.array(fc.nat(1_000), { maxLength: 6 }),
        async (blocks, cuts) => {
          const wire = Buffer.from(
            blocks
              .map((each) => {
                const body = JSON.stringify(each.message)
                const length = `${each.name}:${each.before}${Buffer.byteLength(body)}${each.behind}\r\n`
                return `${each.first}${length}${each.last}\r\n${body}`
              })
              .join(''),
          )
          const within = cuts.map((cut) => Math.min(cut, wire.length)).sort((a, b) => a - b)
          const chunks = [0, ...within].map((from, index) => wire.subarray(from, within[index] ?? wire.length))
          const ours = framesOf(contentLength, wire, within).map(
            (frame) => JSON.parse(Buffer.from(frame).toString()) as unknown,
          )
          expect(ours).toEqual(await readByVscode(chunks))
          const written = contentLength.encode(blocks.map((each) => JSON.stringify(each.message)))
          expect(await readByVscode(written.map((piece) => Buffer.from(piece as string)))).toEqual(ours)
        },
      ),
      { numRuns: 300 },
    )
  })
})
