import { expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { isPosternError } from '../../src/core/errors.ts'
import { contract } from '../../src/service/contract.ts'
import { event, method, stream } from '../../src/service/members.ts'
import { type SeededRandom, seededRandom } from '../../src/testing/seeded-random.ts'
import { until } from '../../src/testing/until.ts'
import { type RawPeer, rawClient } from '../raw-peer.ts'
import { drain, harnesses, opened, type ServiceHarness } from './service.ts'

const node = contract('node', {
  numbers: stream({ params: z.int().optional() }),
  slow: stream(),
  joined: event(),
  later: method(),
})

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** What a client may send, sense or nonsense. */
const lines: readonly string[] = [
  ...[
    '["numbers"]',
    '["numbers",50]',
    '["numbers",null,{"credit":3}]',
    '["slow"]',
    '["joined"]',
    '["nothing"]',
    '[]',
  ].map((params) => `"id":ID,"method":"node.subscribe","params":${params}`),
  ...['["0x1"]', '["0x2"]', '["joined:1"]', '["x"]'].map(
    (params) => `"id":ID,"method":"node.unsubscribe","params":${params}`,
  ),
  '"method":"rpc.credit","params":{"subscription":"0x1","add":50}',
  '"method":"rpc.credit","params":{"subscription":"0x2","add":1}',
  '"method":"rpc.cancel","params":{"id":3}',
  '"id":ID,"method":"node.later"',
  '"method":"node.later"',
  '"id":ID,"result":true',
].map((members) => `{"jsonrpc":"2.0",${members}}\n`)

async function misbehave(peer: RawPeer, random: SeededRandom): Promise<void> {
  for (let id = 1, left = random.below(12); left > 0; left--, id++) {
    peer.send(random.pick(lines).replace('ID', String(id)))
    if (random.below(4) === 0) await turn()
  }
  const end = random.below(5)
  if (end === 0) peer.send('{"jsonrpc":"2.0","id":99,"meth')
  if (end === 1) peer.send('no JSON at all\n')
  if (end === 2) peer.socket.end()
  for (let turns = random.below(5); turns > 0; turns--) await turn()
  peer.socket.destroy()
}

it('a server of streams and events outlives clients that go at any moment, and keeps nothing of them', async () => {
  const running = { begun: 0, finished: 0 }
  async function* tracked(to: number, wait?: AbortSignal): AsyncGenerator<number> {
    running.begun++
    try {
      for (let n = 0; n < to; n++) {
        yield n
        if (wait !== undefined && !wait.aborted)
          await new Promise((resolve) => {
            wait.addEventListener('abort', resolve)
          })
      }
    } finally {
      running.finished++
    }
  }
  const { address, client, server, told } = await opened(harnesses[1] as ServiceHarness, node, {
    numbers: (to) => tracked(to ?? Number.POSITIVE_INFINITY),
    slow: (_params, { signal }) => tracked(2, signal),
    later: () => turn(),
  })
  const steady = await client()
  let heard = 0
  await steady.on.joined(() => heard++).ready
  const random = seededRandom(20_261_121)
  let sent = 0
  let over = false
  const emitting = (async () => {
    for (; !over; sent++) {
      server.emit.joined(sent)
      await turn()
    }
  })()
  onTestFinished(() => {
    over = true
  })
  for (let round = 0; round < 20; round++) {
    const peers = await Promise.all(Array.from({ length: 15 }, () => rawClient(address.slice('unix:'.length))))
    await Promise.all(peers.map((peer) => misbehave(peer, random)))
  }
  over = true
  await emitting
  await until(() => server.connections === 1)
  await until(() => running.finished === running.begun)
  await until(() => heard === sent)
  expect(running.begun).toBeGreaterThan(100)
  expect((await drain(steady.api.numbers(5))).items).toEqual([0, 1, 2, 3, 4])
  const codes = new Set(told.map(([, error]) => (isPosternError(error) ? error.code : error)))
  for (const code of codes) expect(['bad_frame', 'unsupported_protocol']).toContain(code)
})
