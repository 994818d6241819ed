import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseAddress, type Scheme, schemeNames } from './address.ts'
import { isPosternError, PosternError } from './errors.ts'

/** One good address of every scheme: the text and what stands behind the scheme. */
const examples: Record<Scheme, readonly [text: string, target: string]> = {
  local: ['local:node-1.test_x', 'node-1.test_x'],
  unix: ['unix:/run/node.sock', '/run/node.sock'],
  pipe: ['pipe:geth.ipc', 'geth.ipc'],
  systemd: ['systemd:app@1.socket', 'app@1.socket'],
  stdio: ['stdio:', ''],
  spawn: ['spawn:node server.js', 'node server.js'],
  fifo: ['fifo:/run/in', '/run/in'],
  shm: ['shm:/run/control.sock', '/run/control.sock'],
  mmap: ['mmap:/run/control.sock', '/run/control.sock'],
  mq: ['mq:/queue', '/queue'],
  drop: ['drop:/var/spool/drop', '/var/spool/drop'],
  tcp: ['tcp://127.0.0.1:7000', '//127.0.0.1:7000'],
  memory: ['memory:test', 'test'],
  python: ['python:/run/listener', '/run/listener'],
  zmq: ['zmq:/run/zmq', '/run/zmq'],
  'http+unix': ['http+unix:/run/api.sock', '/run/api.sock'],
  http: ['http://127.0.0.1:8545', 'http://127.0.0.1:8545'],
  https: ['https://node.example/rpc', 'https://node.example/rpc'],
  'ws+unix': ['ws+unix:/run/api.sock', '/run/api.sock'],
  ws: ['ws://[::1]:8546', 'ws://[::1]:8546'],
  wss: ['wss://node.example', 'wss://node.example'],
  grpc: ['grpc:/run/grpc.sock', '/run/grpc.sock'],
  capnp: ['capnp:/run/capnp.sock', '/run/capnp.sock'],
  nats: ['nats://127.0.0.1:4222/node', 'nats://127.0.0.1:4222/node'],
}

test.each(schemeNames)('parseAddress reads the scheme %s', (scheme) => {
  const [text, target] = examples[scheme]
  expect(parseAddress(text)).toEqual({ scheme, target, parameters: {}, text })
})

/** Which parameters each scheme takes. */
const conversation = ['codec', 'framing']
const parametersOf: Record<Scheme, readonly string[]> = {
  local: conversation,
  unix: conversation,
  pipe: conversation,
  systemd: conversation,
  stdio: conversation,
  spawn: conversation,
  fifo: conversation,
  shm: [...conversation, 'spinUs'],
  mmap: [...conversation, 'spinUs'],
  mq: ['codec'],
  drop: ['codec'],
  tcp: conversation,
  memory: ['codec'],
  python: ['codec'],
  zmq: ['codec'],
  'http+unix': [],
  http: [],
  https: [],
  'ws+unix': [],
  ws: [],
  wss: [],
  grpc: [],
  capnp: [],
  nats: ['codec'],
}

const goodValues: Record<string, readonly (readonly [written: string, read: string | number])[]> = {
  codec: [
    ['json', 'json'],
    ['msgpack', 'msgpack'],
    ['cbor', 'cbor'],
  ],
  framing: [
    ['newline', 'newline'],
    ['content-length', 'content-length'],
    ['length-prefix', 'length-prefix'],
  ],
  spinUs: [
    ['0', 0],
    ['50', 50],
    ['999999999', 999_999_999],
  ],
}

const isUrl = (scheme: Scheme): boolean => /^(http|ws)s?$/.test(scheme)

test.each(schemeNames)('parseAddress takes the parameters of %s and no other', (scheme) => {
  const [text, target] = examples[scheme]
  for (const [name, values] of Object.entries(goodValues)) {
    for (const [written, read] of values) {
      const address = `${text}?${name}=${written}`
      if (parametersOf[scheme].includes(name)) {
        expect(parseAddress(address)).toEqual({ scheme, target, parameters: { [name]: read }, text: address })
      } else if (isUrl(scheme)) {
        expect(parseAddress(address)).toMatchObject({ target: address, parameters: {} })
      } else {
        const allowed = parametersOf[scheme].length === 0 ? 'takes none' : parametersOf[scheme].join(', ')
        expect(failureOf(address)).toContain(`unknown parameter "${name}"`)
        expect(failureOf(address)).toContain(allowed)
      }
    }
  }
})

test('parseAddress reads several parameters', () => {
  expect(parseAddress('shm:/a?codec=msgpack&spinUs=20&framing=length-prefix').parameters).toEqual({
    codec: 'msgpack',
    spinUs: 20,
    framing: 'length-prefix',
  })
  expect(parseAddress('unix:/a?').parameters).toEqual({})
})

test.each([
  ['unix:/a?codec=jsonb', ['codec=jsonb', 'json, msgpack, cbor']],
  ['unix:/a?codec', ['codec=', 'json, msgpack, cbor']],
  ['unix:/a?codec=JSON', ['json, msgpack, cbor']],
  ['unix:/a?framing=lines', ['framing=lines', 'newline, content-length, length-prefix']],
  ['unix:/a?Codec=json', ['unknown parameter "Codec"', 'codec, framing']],
  ['unix:/a?__proto__=json', ['unknown parameter "__proto__"']],
  ['unix:/a?constructor=json', ['unknown parameter "constructor"']],
  ['unix:/a?codec=json&codec=json', ['"codec" stands twice']],
  ['shm:/a?spinUs=-1', ['spinUs=-1', 'whole number']],
  ['shm:/a?spinUs=1.5', ['whole number']],
  ['shm:/a?spinUs=1e3', ['whole number']],
  ['shm:/a?spinUs=', ['whole number']],
  ['shm:/a?spinUs=1000000000', ['whole number']],
  ['nats://host/subject?codec=xml', ['codec=xml', 'json, msgpack, cbor']],
])('parseAddress refuses the parameters of %s', (text, words) => {
  for (const word of words) expect(failureOf(text)).toContain(word)
})

test.each([
  ['', ['begins with a scheme', '"local:name"', schemeNames.join(', ')]],
  ['node', ['"local:node"']],
  [':node', ['begins with a scheme']],
  ['/run/a.sock', ['"unix:/run/a.sock"']],
  ['./a.sock', ['"unix:./a.sock"']],
  ['~/geth.ipc', ['"unix:~/geth.ipc"']],
  ['/run/a:b.sock', ['"unix:/run/a:b.sock"']],
  ['ftp://host/file', ['"ftp:" is not a scheme', schemeNames.join(', ')]],
  ['UNIX:/a', ['"UNIX:" is not a scheme']],
  ['toString:a', ['"toString:" is not a scheme']],
  ['__proto__:a', ['"__proto__:" is not a scheme']],
  ['local:', ['1 to 64 of the characters']],
  ['local:..', ['not only dots']],
  ['local:a/b', ['1 to 64 of the characters']],
  ['local:A', ['a-z']],
  ['local:a\n', ['1 to 64 of the characters']],
  [`local:${'a'.repeat(65)}`, ['1 to 64 of the characters']],
  ['memory:', ['1 to 64 of the characters']],
  ['systemd:a:b', ['nothing or a name of up to 255']],
  ['systemd:/run/a.sock', ['nothing or a name']],
  [`systemd:${'a'.repeat(256)}`, ['nothing or a name']],
  ['unix:', ['give a path']],
  ['unix:?codec=json', ['give a path']],
  ['spawn:', ['give a program']],
  ['stdio:3', ['nothing may stand behind']],
  ['tcp:127.0.0.1:70', ['give host and port']],
  ['tcp://127.0.0.1', ['give host and port']],
  ['tcp://127.0.0.1:65536', ['0 to 65535']],
  ['tcp://127.0.0.1:-1', ['0 to 65535']],
  ['tcp://user@127.0.0.1:70', ['give host and port']],
  ['tcp://127.0.0.1:70/path', ['give host and port']],
  ['tcp://:70', ['give host and port']],
  ['http:127.0.0.1', ['give a whole URL']],
  ['http:///path', ['give a whole URL']],
  ['http://?a=b', ['give a whole URL']],
  ['http://[::1', ['give a whole URL']],
  ['nats://?codec=json', ['give a whole URL']],
])('parseAddress refuses %j and says what would do', (text, words) => {
  for (const word of words) expect(failureOf(text)).toContain(word)
})

test.each([
  `local:${'a'.repeat(64)}`,
  'local:.a',
  'systemd:',
  'systemd:?codec=json',
  `systemd:${'A'.repeat(255)}`,
  'tcp://[::1]:0',
  'tcp://localhost:65535',
  'unix:a',
  'unix:/with space#and hash',
  'http://127.0.0.1:8545/?codec=anything&codec=twice',
])('parseAddress takes %s', (text) => {
  expect(parseAddress(text).text).toBe(text)
})

test('parseAddress throws nothing but bad_address, and what it reads it reads again', () => {
  const scheme = fc.oneof(fc.constantFrom(...schemeNames), fc.string({ maxLength: 6 }))
  const query = fc.array(fc.tuple(fc.constantFrom('codec', 'framing', 'spinUs', '__proto__', ''), fc.string()), {
    maxLength: 3,
  })
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.tuple(scheme, fc.string({ unit: 'binary' })).map(([first, rest]) => `${first}:${rest}`),
    fc
      .tuple(fc.constantFrom(...Object.values(examples)), query)
      .map(([[good], pairs]) => `${good}?${pairs.map((pair) => pair.join('=')).join('&')}`),
  )
  fc.assert(
    fc.property(text, (address) => {
      try {
        const { scheme: read, target, parameters } = parseAddress(address)
        expect(schemeNames).toContain(read)
        expect(address.startsWith(target) || address.startsWith(`${read}:${target}`)).toBe(true)
        for (const name of Object.keys(parameters)) expect(parametersOf[read]).toContain(name)
      } catch (error) {
        if (!isPosternError(error, 'bad_address')) throw error
        expect(error.details).toEqual({ address })
      }
    }),
    { numRuns: 10_000 },
  )
})

/** The sentence of the error that the address causes. */
function failureOf(text: string): string {
  let caught: unknown
  try {
    parseAddress(text)
  } catch (error) {
    caught = error
  }
  expect(caught).toBeInstanceOf(PosternError)
  expect(caught).toMatchObject({ code: 'bad_address', details: { address: text } })
  return (caught as PosternError).sentence
}
