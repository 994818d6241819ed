/** Handlers that run in workers. */

import { existsSync } from 'node:fs'
import { threadId } from 'node:worker_threads'
import { isDeclaredError } from '../../src/service/declared-error.ts'
import type { HandlersOf } from '../../src/service/handlers.ts'
import { screen, type works } from './worker-contract.ts'

const heard = new Set<string>()
const moves: number[] = []
let yielded = 0
let finished = 0

export const handlers: HandlersOf<typeof works.members, typeof screen.members> = {
  thread: () => threadId,
  compute: (path) => {
    while (!existsSync(path));
    return threadId
  },
  echo: (value) => value,
  letters: (letters) => letters,
  sum: ([a, b]) => a + b,
  kind: (value) => (value === null ? 'null' : typeof value),
  whoAsks: (_params, { method, peer }) => ({ method, ...(peer.uid === undefined ? {} : { uid: peer.uid }) }),
  fails: (how, { fail }) => {
    if (how === 'insufficient') throw fail('insufficient', { missing: 12 }, 'not enough')
    if (how === 'closed_today') throw fail('closed_today')
    throw new RangeError(`not for the caller: ${how}`)
  },
  waits: (name, { signal }) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        heard.add(name)
        resolve(null)
      })
    }),
  heard: (name) => heard.has(name),
  dies: (how) => {
    if (how === 'exit') process.exit(3)
    if (how === 'reject') void Promise.reject(new Error('nobody waits for this'))
    else
      setImmediate(() => {
        throw new Error('nobody catches this')
      })
    return new Promise(() => undefined)
  },
  async *numbers({ to }) {
    for (let n = 0; n < to; n++) yield n
  },
  async *endless() {
    try {
      for (;;) yield yielded++
    } finally {
      finished++
    }
  },
  made: () => ({ yielded, finished }),
  breaks: (how, { fail }) => {
    if (how === 'at once') throw fail('nothing_here', { why: how })
    return (function* breaking() {
      yield 1
      if (how === 'badly') throw new RangeError('broken in the middle')
      throw fail('no_more', { after: 1 })
    })()
  },
  asks: async (n, { client, fail }) => {
    try {
      return (await client.api.ask(n)) + 1
    } catch (error) {
      if (!isDeclaredError(error, screen.members.ask, 'busy_drawing')) throw error
      throw fail('closed_for', { until: error.details.until })
    }
  },
  asksAnything: async ([method, params], { client }) => {
    await client.notify('told', params)
    const raw = (await client.call(method, params, { raw: true })) as Uint8Array
    return [await client.call(method, params), Buffer.from(raw).toString()]
  },
  async *relay(to, { client }) {
    for await (const line of client.api.lines(to)) yield line * 2
  },
  listens: async (_params, { client }) => {
    await client.on.moved((to) => moves.push(to)).ready
    return threadId
  },
  moves: () => moves,
}
