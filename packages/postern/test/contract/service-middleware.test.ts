import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { ClientCall } from '../../src/app/connection.ts'
import { isPosternError } from '../../src/core/errors.ts'
import { contract } from '../../src/service/contract.ts'
import { isDeclaredError } from '../../src/service/declared-error.ts'
import { event, method, stream } from '../../src/service/members.ts'
import type { Middleware } from '../../src/service/middleware.ts'
import type { ServedCall } from '../../src/service/routes.ts'
import { until } from '../../src/testing/until.ts'
import { codeOf, drain, codecIn, everyHarness, type Opened, opened, type ServiceHarness } from './service.ts'

const node = contract('node', {
  echo: method({ params: z.unknown(), errors: { locked: null } }),
  double: method({ params: z.int(), returns: z.int() }),
  count: stream({ params: z.int(), yields: z.int() }),
  joined: event(),
})

interface Seen {
  running: number
  ended: number
}

const handlersOf = (seen: Seen) => ({
  echo: (params: unknown) => params ?? null,
  double: (n: number) => 2 * n,
  async *count(to: number) {
    seen.running++
    try {
      for (let n = 0; n < to; n++) yield n
    } finally {
      seen.running--
      seen.ended++
    }
  },
})

type Layer = Middleware<ServedCall>
type Served = Opened<typeof node.members> & { readonly seen: Seen }

async function served(harness: ServiceHarness, ...use: readonly Layer[]): Promise<Served> {
  const seen: Seen = { running: 0, ended: 0 }
  return { seen, ...(await opened(harness, node, handlersOf(seen), { use })) }
}

for (const harness of everyHarness) {
  describe(`middleware of a server over ${harness.name}`, () => {
    it('runs from the first to the last and back, around methods, streams and events', async () => {
      const log: string[] = []
      const layer =
        (name: string): Layer =>
        async (call, next) => {
          log.push(`${name} ${call.kind} ${call.method} ${JSON.stringify(call.params)}`)
          const outcome = await next(call)
          log.push(`${name} ${JSON.stringify(outcome)}`)
          return outcome
        }
      const { client } = await served(harness, layer('a'), layer('b'))
      const { api, on } = await client()
      expect(await api.double(2)).toBe(4)
      expect(await drain(api.count(2))).toEqual({ items: [0, 1] })
      await on.joined(() => undefined).ready
      expect(log).toEqual([
        ...['a method node.double 2', 'b method node.double 2', 'b 4', 'a 4'],
        ...['a stream node.count 2', 'b stream node.count 2', 'b "0x1"', 'a "0x1"'],
        ...['a event node.joined undefined', 'b event node.joined undefined', 'b "joined:1"', 'a "joined:1"'],
      ])
    })

    it('changes params before they are checked, and results', async () => {
      const { client } = await served(harness, async (call, next) => {
        if (call.kind !== 'method') return next({ ...call, params: Number(call.params) + 1 })
        return ((await next({ ...call, params: Number(call.params) + 1 })) as number) * 100
      })
      const { api } = await client()
      expect(await api.double(2)).toBe(600)
      expect(await codeOf(api.double('x' as never))).toBe('invalid_params')
      expect(await drain(api.count(2))).toEqual({ items: [0, 1, 2] })
      expect(await codeOf(api.count('x' as never).next())).toBe('invalid_params')
    })

    it('may answer at once, without the handler', async () => {
      const { client } = await served(harness, (call, next) => (call.params === 5 ? 55 : next(call)))
      const { api } = await client()
      expect([await api.double(5), await api.double(6)]).toEqual([55, 12])
    })

    it('refuses by throwing, with an error for the caller or without', async () => {
      let how: 'declared' | 'secret' = 'declared'
      const { client, told, seen } = await served(harness, (call) => {
        if (how === 'declared') throw call.ctx.fail('locked')
        throw new Error('SECRET')
      })
      const { api, on } = await client()
      const error: unknown = await api.echo(1).catch((reason: unknown) => reason)
      expect(isDeclaredError(error, node.members.echo, 'locked')).toBe(true)
      expect(await codeOf(api.count(1).next())).toBe('remote')
      expect(await codeOf(on.joined(() => undefined).ready)).toBe('remote')
      how = 'secret'
      for (const promise of [api.echo(1), api.count(1).next(), on.joined(() => undefined).ready])
        expect(await codeOf(promise as Promise<unknown>)).toBe('internal')
      const contexts = told.filter(([, reason]) => String(reason) === 'Error: SECRET').map(([context]) => context)
      expect(contexts).toEqual(['node.echo', 'node.count', 'node.joined'])
      expect(seen).toEqual({ running: 0, ended: 0 })
    })

    it('sees what the handler throws, and may answer instead', async () => {
      const { client, told } = await served(harness, async (call, next) => {
        try {
          return await next(call)
        } catch (error) {
          return `caught ${(error as Error).message}`
        }
      })
      const { api } = await client()
      expect(await api.echo(1)).toBe(1)
      const connection = await client()
      expect(await connection.call('node.double', 'x')).toContain('caught invalid params')
      expect(told).toEqual([])
    })

    it('knows the caller, and is not asked about what is not there or what every server answers', async () => {
      const seen: string[] = []
      const { client } = await served(harness, (call, next) => {
        seen.push(call.method)
        expect(call.ctx.signal.aborted).toBe(false)
        return next(call)
      })
      const connection = await client()
      expect(await codeOf(connection.call('node.nothing'))).toBe('unknown_method')
      await connection.call('rpc.ping')
      await connection.call('rpc.discover')
      await connection.api.echo(1)
      expect(seen).toEqual(['node.echo'])
    })

    const careless: Readonly<Record<string, Layer>> = {
      'throws behind next': async (call, next) => {
        await next(call)
        throw call.ctx.fail('too_late')
      },
      'forgets to return what next gave': async (call, next) => void (await next(call)),
      'answers with another id': async (call, next) => {
        await next(call)
        return 'mine'
      },
      'does not call next': () => '0x1',
      'calls next twice': async (call, next) => {
        await next(call)
        return await next(call)
      },
    }
    for (const [what, layer] of Object.entries(careless)) {
      it(`leaves no stream running and no listener where it ${what}`, async () => {
        const { client, server, seen } = await served(harness, (call, next) =>
          call.kind === 'method' ? next(call) : layer(call, next),
        )
        const { api, on } = await client()
        const heard: unknown[] = []
        const code = what === 'throws behind next' ? 'remote' : 'internal'
        expect(await codeOf(api.count(Number.MAX_SAFE_INTEGER).ready)).toBe(code)
        expect(await codeOf(on.joined((payload) => heard.push(payload)).ready)).toBe(code)
        server.emit.joined(1)
        await api.echo(1)
        expect(heard).toEqual([])
        expect(seen.running).toBe(0)
      })
    }
  })

  describe(`middleware of a client over ${harness.name}`, () => {
    it('runs from the first to the last and back, and changes what is called and what comes of it', async () => {
      const log: string[] = []
      const layer =
        (name: string): Middleware<ClientCall> =>
        async (call, next) => {
          log.push(`${name} ${call.method} ${JSON.stringify(call.params)}`)
          const outcome = await next(call)
          log.push(`${name} ${JSON.stringify(outcome)}`)
          return outcome
        }
      const change: Middleware<ClientCall> = async (call, next) =>
        ((await next({ ...call, params: Number(call.params) + 1 })) as number) * 100
      const { client } = await served(harness)
      const connection = await client({ use: [layer('a'), change, layer('b')] })
      expect(await connection.api.double(2)).toBe(600)
      expect(await connection.call('node.double', 3)).toBe(800)
      expect(log).toEqual([
        ...['a node.double 2', 'b node.double 3', 'b 6', 'a 600'],
        ...['a node.double 3', 'b node.double 4', 'b 8', 'a 800'],
      ])
    })

    it('throws at the caller, gives options, and may try again', async () => {
      let tries = 0
      const { client } = await served(harness, (call, next) => {
        if (++tries === 1) throw call.ctx.fail('locked')
        return next(call)
      })
      const refuses = await client({
        use: [
          () => {
            throw new RangeError('not today')
          },
        ],
      })
      await expect(refuses.api.echo(1)).rejects.toThrow(RangeError)
      const again: Middleware<ClientCall> = async (call, next) => {
        try {
          return await next(call)
        } catch {
          return await next({ ...call, options: { ...call.options, timeoutMs: 10_000 } })
        }
      }
      expect(await (await client({ use: [again] })).api.echo('second')).toBe('second')
      expect(tries).toBe(2)
      const raw = await client({ use: [(call, next) => next({ ...call, options: { ...call.options, raw: true } })] })
      const bytes = Buffer.from((await raw.call('node.echo', 'x')) as Uint8Array)
      expect(bytes.toString('latin1')).toBe({ msgpack: '\xa1x', cbor: 'ax' }[codecIn(harness)] ?? '"x"')
    })

    it('has no part in streams, events, notes and batches', async () => {
      const seen: string[] = []
      const { client, server } = await served(harness)
      const connection = await client({
        use: [
          (call, next) => {
            seen.push(call.method)
            return next(call)
          },
        ],
      })
      expect(await drain(connection.api.count(1))).toEqual({ items: [0] })
      let heard = 0
      await connection.on.joined(() => heard++).ready
      server.emit.joined()
      await connection.notify('node.echo', [1])
      await connection.batch([['node.echo']])
      await until(() => heard === 1)
      expect(seen).toEqual([])
    })

    it('is refused where it is no list of functions', async () => {
      const { address } = await served(harness)
      const { connect } = await import('../../src/app/connect.ts')
      for (const use of [5, [5], {}, () => 1])
        await expect(connect(address, { use: use as never })).rejects.toThrow(/use is an array of functions/)
      expect(isPosternError(undefined)).toBe(false)
    })
  })
}
