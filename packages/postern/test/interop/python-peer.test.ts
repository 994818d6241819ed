/** Python's standard library as client and as server, by the programs of examples/python that users copy. */

import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { connect, type ConnectOptions } from '../../src/app/connect.ts'
import type { Connection } from '../../src/app/connection.ts'
import { serve } from '../../src/app/serve.ts'
import { contract } from '../../src/service/contract.ts'
import { method } from '../../src/service/members.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { pythonProgram, startPython, type StartedPython, whyNoPython } from './python.ts'

const text = z.object({ text: z.string() })
const served = contract('peer', {
  add: method({ params: z.object({ a: z.int(), b: z.int() }), returns: z.int() }),
  echo: method({ params: text, returns: z.string() }),
  fail: method({ params: z.object({ missing: z.int() }), errors: { too_few: z.object({ missing: z.int() }) } }),
  later: method({ params: z.object({ n: z.int() }), returns: z.int() }),
})

/** Serves what the Python clients here call. */
async function startServer(): Promise<string> {
  const path = join(await temporaryDirectory(), 'peer')
  /** Answered in turn: each odd call waits for the even one behind it. */
  let release: (() => void) | undefined
  const server = await serve(
    served,
    {
      add: ({ a, b }) => a + b,
      echo: (params) => params.text,
      fail: (details, ctx) => {
        throw ctx.fail('too_few', details)
      },
      later: async ({ n }) => {
        if (n % 2 === 0) {
          await new Promise<void>((resolve) => {
            release = resolve
          })
        } else release?.()
        return 2 * n
      },
    },
    // One of the calls is not JSON.
    { at: `unix:${path}`, onError: () => undefined },
  )
  onTestFinished(() => server.close())
  return path
}

/** A server in Python, and the path of its socket. */
async function startPythonServer(path?: string): Promise<{ readonly path: string; readonly python: StartedPython }> {
  const at = path ?? join(await temporaryDirectory(), 'peer')
  const python = startPython('serve_peer.py', at)
  await python.ready
  return { path: at, python }
}

async function connectTo(address: string, options: ConnectOptions = {}): Promise<Connection> {
  const connection = await connect(address, options)
  onTestFinished(() => connection.abort())
  return connection
}

const framings = [
  { framing: 'length-prefix', client: 'Postern', query: '?framing=length-prefix' },
  { framing: 'newline', client: 'PosternByLine', query: '' },
]

beforeEach(({ skip }) => {
  const why = whyNoPython()
  if (why !== undefined) skip(why)
})

describe.each(framings)('Python by $framing', ({ client, query }) => {
  test('calls a server, and gets answers, errors, large texts and many answers at once', async () => {
    const lines = await startPython('call_peer.py', await startServer(), client).lines
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      5,
      'Grüße \u{1f40d}\n\u2028',
      true,
      [-32_000, expect.stringContaining('too_few'), { code: 'too_few', details: { missing: 5 } }],
      [-32_602, expect.stringContaining('b'), expect.anything()],
      [-32_601, expect.stringContaining('peer.unknown'), null],
      true,
      true,
      true,
      -32_700,
      'ConnectionError',
    ])
  })

  test('serves a client: answers, errors, large texts and many calls at once', async () => {
    const { path } = await startPythonServer()
    const connection = await connectTo(`unix:${path}${query}`)
    expect(await connection.call('peer.add', { a: 2, b: 3 })).toBe(5)
    expect(await connection.call('peer.echo', { text: 'Grüße \u{1f40d}\n\u2028' })).toBe('Grüße \u{1f40d}\n\u2028')
    const large = 'snake '.repeat(500_000)
    expect((await connection.call('peer.echo', { text: large })) === large).toBe(true)
    await expect(connection.call('peer.add', { a: 2 })).rejects.toMatchObject({ code: 'invalid_params' })
    await expect(connection.call('peer.unknown')).rejects.toMatchObject({ code: 'unknown_method' })
    await connection.notify('peer.add', { a: 1, b: 1 })
    const sums = Array.from({ length: 200 }, (_, a) => connection.call('peer.add', { a, b: a }))
    expect(await Promise.all(sums)).toEqual(Array.from({ length: 200 }, (_, a) => 2 * a))
  })

  test('that is killed is noticed at once, and its successor is found', async () => {
    const { path, python } = await startPythonServer()
    const connection = await connectTo(`unix:${path}${query}`)
    const pid = await connection.call('peer.pid')
    expect(pid).toBe(python.process.pid)
    const hanging = connection.call('peer.hang')
    // Sent by now: the socket keeps the order.
    await connectTo(`unix:${path}${query}`).then((other) => other.call('peer.pid'))
    python.process.kill('SIGKILL')
    await expect(hanging).rejects.toMatchObject({ code: 'unknown_outcome' })
    const { python: successor } = await startPythonServer(path)
    expect(await connection.call('peer.pid')).toBe(successor.process.pid)
  })
})

describe('Python over stdin and stdout', () => {
  test('serves the client that has started it', async () => {
    const connection = await connect({ spawn: ['python3', pythonProgram('stdio_peer.py')], over: 'stdio' })
    onTestFinished(() => connection.abort())
    const sums = Array.from({ length: 100 }, (_, a) => connection.call('peer.add', { a, b: a }))
    expect(await Promise.all(sums)).toEqual(Array.from({ length: 100 }, (_, a) => 2 * a))
    await expect(connection.call('peer.sub', { a: 1, b: 2 })).rejects.toMatchObject({ code: 'internal' })
    await connection.close()
  })
})

describe('multiprocessing.connection', () => {
  test('calls a server by send_bytes', async () => {
    expect(await startPython('connection_peer.py', 'call', await startServer()).lines).toEqual(['True', 'True'])
  })

  test('serves a client by send_bytes', async () => {
    const path = join(await temporaryDirectory(), 'peer')
    const python = startPython('connection_peer.py', 'serve', path)
    await python.ready
    const connection = await connectTo(`unix:${path}?framing=length-prefix`, { reconnect: false })
    for (const sent of ['short', 'long '.repeat(200_000)]) {
      expect((await connection.call('peer.echo', { text: sent })) === sent).toBe(true)
    }
  })
})
