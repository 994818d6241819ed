import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { connect } from '../../src/app/connect.ts'
import { type ServeOptions, type Server, serve, type WorkerOptions } from '../../src/app/serve.ts'
import { contract } from '../../src/service/contract.ts'
import { method } from '../../src/service/members.ts'
import { until } from '../../src/testing/until.ts'
import type { Counter } from '../programs/worker-bare.ts'
import { harnesses } from './service.ts'

vi.mock('node:worker_threads', async () => await import('../typescript-worker.ts'))

interface Bare {
  asks(waitMs: number): number[]
  where(): number
  double(n: number): number
}

const bare = contract<Bare>('bare')
const strict = contract('strict', { where: method(), double: method(), asks: method(), more: method() })
const at = 'memory:workers-start'

const module = (name: string): URL => new URL(`../programs/${name}.ts`, import.meta.url)

const start = (name: string, options: Partial<ServeOptions> & WorkerOptions = {}): Promise<Server> =>
  serve(strict, module(name), { at, workers: 1, ...options })

describe('serve with a module of handlers', () => {
  it.each(harnesses)('takes a bare contract over $name', async ({ address }) => {
    const where = await address()
    const server = await serve(bare, module('worker-bare'), { at: where, workers: 1 })
    onTestFinished(() => server.close())
    const connection = await connect(where, bare, { reconnect: false })
    onTestFinished(() => connection.close())
    expect(await connection.api.double(21)).toBe(42)
    expect(await connection.api.where()).toBeGreaterThan(0)
    await expect(connection.call('bare.other')).rejects.toMatchObject({ code: 'unknown_method' })
  })

  it('calls back a client whose contract is bare, with positional parameters, no longer than it is told', async () => {
    const counter = contract<Counter>('counter', { positional: true })
    const address = 'memory:workers-counter'
    const told: string[] = []
    const server = await serve(bare, module('worker-bare'), {
      at: address,
      workers: 1,
      client: counter,
      onError: (error, context) => void told.push(`${context}: ${String(error)}`),
    })
    onTestFinished(() => server.close())
    let aborted = false
    const last = (): number => 7
    const serving = await connect(address, bare, {
      reconnect: false,
      serve: [counter, { add: ([a, b]: readonly [number, number]) => a + b, last }],
    })
    onTestFinished(() => serving.abort())
    expect(await serving.api.asks(20_000)).toEqual([42, 7])
    const silent = await connect(address, bare, {
      reconnect: false,
      handlers: {
        'counter.add': (_params: unknown, { signal }) => {
          signal.addEventListener('abort', () => {
            aborted = true
          })
          return new Promise(() => undefined)
        },
      },
    })
    onTestFinished(() => silent.abort())
    await expect(silent.api.asks(50)).rejects.toMatchObject({ code: 'internal' })
    await until(() => aborted && told.length === 1)
    expect(told[0]).toContain('bare.asks: PosternError: [deadline_exceeded] counter.add')
  })

  it('names the module, and what of it is missing', async () => {
    await expect(start('worker-bare')).rejects.toThrow(
      /^\S+worker-bare\.ts cannot be served: the contract strict has a method more, but no handler was given for it$/,
    )
    await expect(start('worker-bare')).rejects.toThrow(TypeError)
    await expect(start('worker-without-handlers')).rejects.toThrow(
      /worker-without-handlers\.ts cannot be served: it must export handlers, .*; it exports where$/,
    )
  })

  it('says why the module cannot be loaded', async () => {
    await expect(start('worker-throws', { workers: 2 })).rejects.toThrow(
      /^\[internal\] \S+worker-throws\.ts could not be loaded in a worker: .*JSON/,
    )
    await expect(start('worker-throws-late')).rejects.toThrow(
      /^\[internal\] \S+worker-throws-late\.ts could not be loaded in a worker: late$/,
    )
    await expect(start('worker-that-is-not-there')).rejects.toThrow(/could not be loaded in a worker: Cannot find/)
  })

  it.each([0, 65, 1.5, '2'])('takes from 1 to 64 workers, not %s', async (workers) => {
    await expect(start('worker-bare', { workers: workers as number })).rejects.toThrow(
      `workers is a whole number from 1 to 64, not ${workers}`,
    )
  })

  it('leaves no worker behind when an address is not to be had', async () => {
    const holder = await serve({ a: () => 1 }, { at })
    onTestFinished(() => holder.close())
    await expect(serve(bare, module('worker-bare'), { at, workers: 1 })).rejects.toThrow('address_in_use')
  })

  it('wants a contract, and workers want a module', async () => {
    const options = { at, workers: 2 }
    expect(() => serve(module('worker-bare') as never, options)).toThrow(/^serve takes a contract/)
    await expect(serve({ a: () => 1 }, options)).rejects.toThrow(/^workers need a module/)
    await expect(serve(bare, { where: () => 1, double: (n) => n, asks: () => [] }, options)).rejects.toThrow(
      /^workers need a module/,
    )
  })
})
