import { AsyncLocalStorage } from 'node:async_hooks'
import { tracingChannel } from 'node:diagnostics_channel'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../app/connect.ts'
import { serve } from '../app/serve.ts'
import type { CallContext } from './incoming-call.ts'
import type { CallTrace } from './tracing.ts'

const channel = tracingChannel<string, CallTrace>('postern:call')

interface Told {
  readonly event: string
  readonly trace: CallTrace
}

/** All that is told from now on. */
function listen(): Told[] {
  const told: Told[] = []
  const tell = (event: string) => (trace: unknown) => told.push({ event, trace: trace as CallTrace })
  const subscribers = {
    start: tell('start'),
    end: tell('end'),
    asyncStart: tell('asyncStart'),
    asyncEnd: tell('asyncEnd'),
    error: tell('error'),
  }
  channel.subscribe(subscribers)
  onTestFinished(() => channel.unsubscribe(subscribers))
  return told
}

async function connected(handlers: Parameters<typeof serve>[0], name: string) {
  const server = await serve(handlers, { at: `memory:${name}`, onError: () => undefined })
  const connection = await connect(`memory:${name}`, { postern: true })
  onTestFinished(async () => {
    await connection.close()
    await server.close()
  })
  return connection
}

const events = (told: readonly Told[], side: string): string[] =>
  told.filter(({ trace }) => trace.side === side).map(({ event }) => event)

describe('postern:call', () => {
  it('tells of a call on both sides, with one object from its start to its end', async () => {
    const connection = await connected({ echo: (params: unknown) => params }, 'traced')
    const told = listen()
    await connection.call('echo', { text: 'é' })
    for (const side of ['client', 'server']) {
      expect(events(told, side)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'])
      const traces = told.filter(({ trace }) => trace.side === side).map(({ trace }) => trace)
      expect(new Set(traces).size).toBe(1)
      expect(traces[0]).toMatchObject({ method: 'echo', address: 'memory:traced', code: 'ok' })
      expect(traces[0]?.durationMs).toBeGreaterThanOrEqual(0)
    }
    const [client, server] = ['client', 'server'].map((side) => told.find(({ trace }) => trace.side === side)?.trace)
    const call = '{"jsonrpc":"2.0","id":1,"method":"echo","params":{"text":"é"}}'
    const answer = '{"jsonrpc":"2.0","id":1,"result":{"text":"é"}}'
    expect(client).toMatchObject({ callBytes: Buffer.byteLength(call), answerBytes: Buffer.byteLength(answer) })
    expect(server).toMatchObject({ callBytes: client?.callBytes, answerBytes: client?.answerBytes })
  })

  it('tells how a call failed, by the same code on both sides', async () => {
    const connection = await connected(
      {
        bug: () => {
          throw new Error('secret')
        },
        declared: (_: unknown, ctx: CallContext) => {
          throw ctx.fail('insufficient_funds')
        },
        uncarried: () => 1n,
      },
      'failing',
    )
    const told = listen()
    for (const method of ['bug', 'declared', 'uncarried', 'missing'])
      await connection.call(method).catch(() => undefined)
    const codes = (side: string): string[] =>
      told.filter(({ event, trace }) => event === 'error' && trace.side === side).map(({ trace }) => trace.code)
    expect(codes('server')).toEqual(['internal', 'insufficient_funds', 'internal', 'unknown_method'])
    expect(codes('client')).toEqual(['internal', 'remote', 'internal', 'unknown_method'])
  })

  it('tells of each call of a batch, of a note at the server, and of calls that were never sent', async () => {
    const connection = await connected({ echo: (params: unknown) => params }, 'batched')
    const told = listen()
    await connection.batch([
      ['echo', [1]],
      ['echo', [2]],
    ])
    await connection.notify('echo')
    await connection.call('echo')
    await connection.call('echo', undefined, { signal: AbortSignal.abort() }).catch(() => undefined)
    const ended = told.filter(({ event }) => event === 'asyncEnd').map(({ trace }) => `${trace.side} ${trace.code}`)
    expect(ended.filter((text) => text === 'client ok')).toHaveLength(3)
    expect(ended.filter((text) => text === 'server ok')).toHaveLength(4)
    expect(ended.filter((text) => text === 'client cancelled')).toHaveLength(1)
  })

  it('runs handlers inside the stores that are bound to the start', async () => {
    const store = new AsyncLocalStorage<string>()
    channel.start.bindStore(store, (trace) => (trace as CallTrace).method)
    onTestFinished(() => void channel.start.unbindStore(store))
    const seen = async (): Promise<string | undefined> => {
      await Promise.resolve()
      return store.getStore()
    }
    const connection = await connected({ seen }, 'stored')
    expect(await connection.call('seen')).toBe('seen')
  })
})
