import { existsSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../src/app/connect.ts'
import type { Connection } from '../../src/app/connection.ts'
import { serve } from '../../src/app/serve.ts'
import { isPosternError } from '../../src/core/errors.ts'
import { until } from '../../src/testing/until.ts'
import { startProgram } from '../child.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

/** From the moment the system reports a death until every call has been told. */
const toldWithinMs = 200

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'none'
  } catch (error) {
    if (!isPosternError(error)) throw error
    return error.code
  }
}

async function connectedTo(address: string): Promise<Connection> {
  const connection = await connect(address, { reconnect: false })
  onTestFinished(() => connection.abort())
  return connection
}

describe('when the server is killed', () => {
  const cases: readonly { title: string; calls: (connection: Connection) => Promise<unknown>[] }[] = [
    { title: 'idle', calls: () => [] },
    { title: 'with calls that wait', calls: (c) => Array.from({ length: 64 }, () => c.call('never')) },
    { title: 'in the middle of a large answer', calls: (c) => [c.call('large', 60_000_000)] },
    { title: 'while it takes a large call', calls: (c) => [c.call('echo', ['x'.repeat(10_000_000)]), c.call('never')] },
    {
      title: 'under a batch',
      calls: (c) => [
        c
          .batch([['never'], ['never']])
          .then(([first]) => Promise.reject((first as PromiseRejectedResult).reason as Error)),
      ],
    },
    { title: 'under a subscription', calls: (c) => [c.subscribe('echo_subscribe').next(), c.call('never')] },
    { title: 'while it calls back', calls: (c) => [c.call('callBack')] },
  ]
  for (const { title, calls } of cases) {
    it(`${title}: every call settles, and the close is told once`, async () => {
      const address = `unix:${await temporaryDirectory()}/s`
      const server = await startProgram('server', address)
      const connection = await connectedTo(address)
      await connection.call('echo', [1])
      const waiting = calls(connection).map(codeOf)
      await connection.notify('echo')
      server.process.kill('SIGKILL')
      await server.ended
      const start = performance.now()
      const codes = await Promise.all(waiting)
      await connection.closed
      expect(performance.now() - start).toBeLessThan(toldWithinMs)
      for (const code of codes) expect(['unknown_outcome', 'closed', 'unknown_method']).toContain(code)
      expect(await codeOf(connection.call('echo'))).toBe('closed')
    })
  }

  it('leaves a stale socket, which the next client is told of and the next server takes over', async () => {
    const address = `unix:${await temporaryDirectory()}/s`
    const server = await startProgram('server', address)
    server.process.kill('SIGKILL')
    await server.ended
    const error: unknown = await connect(address, { limits: { retries: 0 } }).catch((reason: unknown) => reason)
    expect(isPosternError(error, 'no_listener') && error.message).toContain('stale')
    const next = await serve({ echo: (params: unknown) => params }, { at: address })
    onTestFinished(() => next.close())
    expect(await (await connectedTo(address)).call('echo', [5])).toBe(5)
  })
})

describe('when the client is killed', () => {
  it('aborts the signal of the calls it waits for, and forgets the connection', async () => {
    const aborted: unknown[] = []
    let running = 0
    const address = `unix:${await temporaryDirectory()}/s`
    const server = await serve(
      {
        never: (_params: unknown, { signal }) =>
          new Promise((_resolve, reject) => {
            running++
            signal.addEventListener('abort', () => {
              aborted.push(signal.reason)
              reject(new Error('given up'))
            })
          }),
      },
      { at: address },
    )
    onTestFinished(() => server.close())
    const client = await startProgram('client', address, 'never')
    await until(() => running === 1)
    client.process.kill('SIGKILL')
    await until(() => aborted.length === 1 && server.connections === 0)
  })
})

describe('signals', () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    it(`${signal} ends the server as it would without us, and its name is gone`, async () => {
      const path = `${await temporaryDirectory()}/s`
      const server = await startProgram('server', `unix:${path}`)
      expect(existsSync(path)).toBe(true)
      server.process.kill(signal)
      expect(await server.ended).toBe(signal)
      expect(existsSync(path)).toBe(false)
      expect(server.stderr()).toBe('')
    })
  }
})

describe('the end of a server process', () => {
  const ends: readonly [way: string, status: number][] = [
    ['exit', 7],
    ['throw', 1],
    ['close', 0],
    ['ownHandler', 9],
  ]
  for (const [way, status] of ends) {
    it(`by ${way} keeps its exit status, and gives the name back`, async () => {
      const path = `${await temporaryDirectory()}/s`
      const server = await startProgram('ends', `unix:${path}`, way)
      expect(await server.ended).toBe(status)
      expect(existsSync(path)).toBe(false)
    })
  }
})
