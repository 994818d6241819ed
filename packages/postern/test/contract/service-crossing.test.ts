/** Calls in both directions at once, whose ids are the same: neither side may take the other's for its own. */

import { pack } from 'msgpackr'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../src/app/connect.ts'
import { serve } from '../../src/app/serve.ts'
import { contract } from '../../src/service/contract.ts'
import { method } from '../../src/service/members.ts'
import { until } from '../../src/testing/until.ts'
import { type RawPeer, rawClient, rawServer } from '../raw-peer.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { codeOf, conversations, harnesses, opened, type ServiceHarness } from './service.ts'

const store = contract('store', {
  ask: method(),
  list: method({ positional: true }),
  big: method(),
})
const screen = contract('screen', { answer: method() })

const served = (harness: ServiceHarness) =>
  opened<typeof store.members, typeof screen.members>(
    harness,
    store,
    {
      ask: async (question, { client }) => ({ asked: await client.api.answer(question) }),
      list: (params) => params,
      big: () => ({ a: 1, list: [1, 'two'] }),
    },
    { client: screen },
  )

for (const harness of [...harnesses, ...conversations]) {
  describe(`two sides that call each other over ${harness.name}`, () => {
    it('answer while a result is wanted unparsed', async () => {
      const { client } = await served(harness)
      const connection = await client({ serve: [screen, { answer: (question) => question }] })
      const raw = connection.call('store.ask', { text: 'why' }, { raw: true })
      const plain = connection.api.ask({ text: 'how' })
      expect(((await raw) as Uint8Array).length).toBeGreaterThan(5)
      expect(await plain).toEqual({ asked: { text: 'how' } })
    })

    it('give a positional method the same params, and take nothing else for it', async () => {
      const { client } = await served(harness)
      const { api } = await client()
      for (const params of [[], [1], [[1]], [{ a: 1 }, 2]]) expect(await api.list(params)).toEqual(params)
      expect(await api.list()).toEqual([])
      await expect(api.list({ a: 1 } as never)).rejects.toThrow('store.list takes an array of positional parameters')
    })

    it('name the place of what cannot be carried in the value that was given', async () => {
      const { client } = await served(harness)
      const { api, call } = await client().then((connection) => ({
        api: connection.api,
        call: connection.call.bind(connection),
      }))
      await expect(api.big(new Map())).rejects.toThrow(/^the value is a Map/)
      await expect(api.big({ a: [{ b: new Map() }] })).rejects.toThrow(/^a\[0\]\.b is a Map/)
      await expect(call('store.list', [1, Number.NaN])).rejects.toThrow(/^\[1\] is NaN/)
    })
  })
}

interface Hostile {
  readonly peer: RawPeer
  readonly errors: unknown[]
  readonly outcomes: unknown[]
}

/** A server whose handler calls its client back, spoken to by hand. */
async function hostile(first: Uint8Array | string): Promise<Hostile> {
  const path = `${await temporaryDirectory()}/s`
  const errors: unknown[] = []
  const outcomes: unknown[] = []
  const server = await serve(
    {
      ask: async (_params, { client }) => {
        outcomes.push(await codeOf(client.call('answer', 1)))
        return 'asked'
      },
      add: () => 3,
    },
    { at: `unix:${path}`, onError: (error) => errors.push(error) },
  )
  onTestFinished(() => server.close())
  const peer = await rawClient(path)
  peer.send(first)
  return { peer, errors, outcomes }
}

describe('a frame that cannot be read', () => {
  it('is no answer to the call of the same id in the other direction, in JSON', async () => {
    const { peer, outcomes } = await hostile('{"jsonrpc":"2.0","id":7,"method":"ask"}\n')
    expect(await peer.value()).toMatchObject({ id: 1, method: 'answer' })
    peer.send('{"jsonrpc":"2.0","id":1,"method":"add","params":[1e999]}\n')
    expect(await peer.value()).toMatchObject({ id: 1, error: { code: -32602 } })
    peer.send('{"jsonrpc":"2.0","id":55,"result":1e999}\n{"jsonrpc":"2.0","id":2,"method":"add"}\n')
    expect(await peer.value()).toEqual({ jsonrpc: '2.0', id: 2, result: 3 })
    peer.send('{"jsonrpc":"2.0","id":1,"result":1e999}\n')
    expect(await peer.value()).toEqual({ jsonrpc: '2.0', id: 7, result: 'asked' })
    expect(outcomes).toEqual(['bad_message'])
  })

  it('nor in MessagePack', async () => {
    const { peer, outcomes } = await hostile(pack([0, 7, 'ask', []]))
    await until(() => peer.bytes > 0)
    peer.taken(peer.bytes)
    peer.send(pack([0, 1, 'add', [Number.NaN]]))
    await until(() => peer.bytes > 0)
    expect(peer.taken(3)).toEqual(Buffer.from([0x94, 1, 1]))
    expect(outcomes).toEqual([])
  })

  it('of errors that have no text ends nothing', async () => {
    const { peer, errors } = await hostile(pack([1, 1, [{ toString: 1, valueOf: 1 }], null]))
    peer.send(pack([0, 9, 'add', []]))
    await until(() => peer.bytes > 0)
    expect(peer.taken(5)).toEqual(Buffer.from([0x94, 1, 9, 0xc0, 3]))
    expect(errors).toEqual([])
  })
})

describe('an unfinished call of the other side', () => {
  it('is no progress of our call with the same id', async () => {
    const { path } = await rawServer((peer) => {
      peer.send('{"jsonrpc":"2.0","id":1,"method":"')
      const dribbling = setInterval(() => peer.send('x'), 20)
      peer.socket.on('close', () => clearInterval(dribbling))
    })
    const connection = await connect(`unix:${path}`, { reconnect: false, limits: { maxMethodBytes: 1_000_000 } })
    onTestFinished(() => connection.abort())
    let told = 0
    const call = connection.call('never', 1, { timeoutMs: 300, onProgress: () => told++ })
    expect(await codeOf(call)).toBe('deadline_exceeded')
    expect(told).toBe(0)
  })
})
