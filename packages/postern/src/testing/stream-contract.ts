/**
 * What every mechanism's stream must do, as cases that any test runner can run.
 *
 * @example
 * ```ts
 * for (const { title, run } of streamContract({ name: 'unix', open })) it(title, run)
 * ```
 */

import assert from 'node:assert/strict'
import { isPosternError, type PosternError } from '../core/errors.ts'
import type { Stream } from '../core/stream.ts'
import { type ContractCase, isPossible, type Lacks } from './contract-case.ts'
import { until } from './until.ts'

/** Both ends of one new connection; neither has been started. */
export interface StreamPair {
  readonly server: Stream
  readonly client: Stream
}

/** What a mechanism gives to the suite. */
export interface StreamHarness {
  readonly name: string
  readonly open: () => Promise<StreamPair>
  readonly lacks?: Lacks
}

/** The cases. */
export function streamContract(harness: StreamHarness): readonly ContractCase[] {
  const possible = cases.filter((one) => isPossible(one, harness.lacks))
  return possible.map(({ title, run }) => ({ title: `${harness.name} ${title}`, run: () => run(harness) }))
}

interface Case {
  readonly title: string
  readonly needs?: keyof Lacks
  readonly run: (harness: StreamHarness) => Promise<void>
}

const cases: readonly Case[] = [
  {
    title: 'carries bytes in order, both ways',
    run: async ({ open }) => {
      const { server, client } = await recordedPair(open)
      const sent = Buffer.alloc(300_000, 'postern ')
      client.stream.write(sent.subarray(0, 1))
      client.stream.write(sent.subarray(1))
      server.stream.write(sent)
      await until(() => server.bytes() === sent.length && client.bytes() === sent.length)
      assert.ok(server.all().equals(sent))
      assert.ok(client.all().equals(sent))
      abortBoth(server, client)
    },
  },
  {
    title: 'loses nothing that came before start, and calls back never inside it',
    run: async ({ open }) => {
      const pair = await open()
      const client = record(pair.client)
      client.stream.write(Buffer.from('early'))
      await nextTurn()
      const server = record(pair.server)
      assert.equal(server.events.length, 0)
      await until(() => server.bytes() === 5)
      abortBoth(server, client)
    },
  },
  {
    title: 'says when to wait, and when all has left',
    run: async ({ open }) => {
      const { server, client } = await recordedPair(open)
      server.stream.pause()
      let sent = 0
      const chunk = Buffer.alloc(64 * 1024)
      do {
        sent += chunk.length
      } while (client.stream.write(chunk) && sent < 100_000_000)
      assert.ok(sent < 100_000_000, 'a stream whose other end reads nothing asks to wait')
      assert.equal(client.drains, 0)
      server.stream.resume()
      await until(() => client.drains > 0 && server.bytes() === sent)
      abortBoth(server, client)
    },
  },
  {
    title: 'delivers nothing while it is paused',
    run: async ({ open }) => {
      const { server, client } = await recordedPair(open)
      server.stream.pause()
      client.stream.write(Buffer.from('later'))
      for (let turn = 0; turn < 20; turn++) await nextTurn()
      assert.equal(server.bytes(), 0)
      server.stream.resume()
      await until(() => server.bytes() === 5)
      abortBoth(server, client)
    },
  },
  {
    title: 'ends one way first, then the other, and closes once without a reason',
    needs: 'halfClose',
    run: async ({ open }) => {
      const { server, client } = await recordedPair(open)
      client.stream.write(Buffer.from('question'))
      client.stream.end()
      client.stream.end()
      await until(() => server.ends === 1)
      assert.equal(server.all().toString(), 'question')
      server.stream.write(Buffer.from('answer'))
      server.stream.end()
      await until(() => client.closes === 1 && server.closes === 1)
      assert.equal(client.all().toString(), 'answer')
      assert.equal(client.reason, undefined)
      assert.equal(server.reason, undefined)
      assert.equal(client.events.at(-1), 'close')
    },
  },
  {
    title: 'sends all that was written before the end, also to who reads late, and closes once without a reason',
    run: async ({ open }) => {
      const { server, client } = await recordedPair(open)
      const sent = Buffer.alloc(1_000_000, 'postern ')
      client.stream.pause()
      server.stream.write(sent)
      server.stream.end()
      server.stream.write('too late')
      for (let turn = 0; turn < 20; turn++) await nextTurn()
      client.stream.resume()
      await until(() => client.ends === 1)
      assert.ok(client.all().equals(sent))
      client.stream.end()
      await until(() => client.closes === 1 && server.closes === 1)
      assert.equal(client.reason, undefined)
      assert.equal(server.reason, undefined)
    },
  },
  {
    title: 'closes once with a reason when it is aborted, and does nothing afterwards',
    run: async ({ open }) => {
      const { server, client } = await recordedPair(open)
      client.stream.abort()
      client.stream.abort()
      assert.equal(client.closes, 0, 'no callback inside abort')
      await until(() => client.closes === 1)
      assert.ok(isPosternError(client.reason, 'closed'))
      assert.equal(client.stream.write(Buffer.from('too late')), true)
      client.stream.end()
      server.stream.abort()
      await until(() => server.closes === 1)
      await nextTurn()
      assert.equal(client.closes, 1)
    },
  },
  {
    title: 'tells a start after the close of the close',
    run: async ({ open }) => {
      const pair = await open()
      const client = record(pair.client)
      client.stream.abort()
      await until(() => client.closes === 1)
      pair.server.abort()
      await nextTurn()
      const server = record(pair.server)
      await until(() => server.closes === 1)
    },
  },
]

interface Recorded {
  readonly stream: Stream
  readonly events: string[]
  readonly bytes: () => number
  readonly all: () => Buffer
  drains: number
  ends: number
  closes: number
  reason: PosternError | undefined
}

function record(stream: Stream): Recorded {
  const chunks: Uint8Array[] = []
  const recorded: Recorded = {
    stream,
    events: [],
    bytes: () => chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    all: () => Buffer.concat(chunks),
    drains: 0,
    ends: 0,
    closes: 0,
    reason: undefined,
  }
  stream.start({
    data: (chunk) => {
      recorded.events.push('data')
      chunks.push(chunk)
    },
    drain: () => {
      recorded.events.push('drain')
      recorded.drains++
    },
    end: () => {
      recorded.events.push('end')
      recorded.ends++
    },
    close: (reason) => {
      recorded.events.push('close')
      recorded.closes++
      recorded.reason = reason
    },
  })
  return recorded
}

async function recordedPair(open: StreamHarness['open']): Promise<{ server: Recorded; client: Recorded }> {
  const pair = await open()
  return { server: record(pair.server), client: record(pair.client) }
}

function abortBoth(...ends: readonly Recorded[]): void {
  for (const { stream } of ends) stream.abort()
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
