import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { connect } from '../../src/app/connect.ts'
import { type ServeOptions, type Server, serve, type WorkerOptions } from '../../src/app/serve.ts'
import { contract } from '../../src/service/contract.ts'
import { method } from '../../src/service/members.ts'
import { harnesses } from './service.ts'

vi.mock('node:worker_threads', async () => await import('../typescript-worker.ts'))

interface Bare {
  where(): number
  double(n: number): number
}

const bare = contract<Bare>('bare')
const strict = contract('strict', { where: method(), double: method(), more: method() })
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
    await expect(serve(bare, { where: () => 1, double: (n) => n }, options)).rejects.toThrow(/^workers need a module/)
  })
})
