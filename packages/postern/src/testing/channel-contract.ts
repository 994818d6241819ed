/**
 * What every mechanism's channel must do, as cases that any test runner can run.
 *
 * @example
 * ```ts
 * for (const { title, run } of channelContract({ name: 'memory', open })) it(title, run)
 * ```
 */

import assert from 'node:assert/strict'
import type { Channel, OutgoingFrame } from '../core/channel.ts'
import { isPosternError, type PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import { type ContractCase, isPossible, type Lacks } from './contract-case.ts'
import { until } from './until.ts'

/** Both ends of one new connection. */
export interface ChannelPair {
  /** The end that takes calls: its frames are bounded by `maxCallBytes`. */
  readonly server: Channel
  /** The end that takes answers: its frames are bounded by `maxAnswerBytes`. */
  readonly client: Channel
}

/** What a mechanism gives to the suite. Neither end has been started. */
export interface ChannelHarness {
  readonly name: string
  readonly open: (limits?: Partial<Limits>) => Promise<ChannelPair>
  readonly lacks?: Lacks
}

/** The cases. */
export function channelContract(harness: ChannelHarness): readonly ContractCase[] {
  const possible = cases.filter((one) => isPossible(one, harness.lacks))
  return possible.map(({ title, run }) => ({ title: `${harness.name} ${title}`, run: () => run(harness) }))
}

interface Case {
  readonly title: string
  readonly needs?: keyof Lacks
  readonly run: (harness: ChannelHarness) => Promise<void>
}

const kib = 1024
const mib = 1024 * kib

const cases: readonly Case[] = [
  {
    title: 'delivers frames whole and in order, both ways',
    run: async ({ open }) => {
      const { server, client } = await recordedPair(open)
      for (let n = 0; n < 500; n++) {
        client.channel.send(frame(n))
        server.channel.send(frame(1_000 + n))
      }
      await until(() => server.frames.length === 500 && client.frames.length === 500)
      assert.deepEqual(
        server.frames.map(numberIn),
        Array.from({ length: 500 }, (_, n) => n),
      )
      assert.deepEqual(
        client.frames.map(numberIn),
        Array.from({ length: 500 }, (_, n) => 1_000 + n),
      )
      abortBoth(server, client)
    },
  },
  {
    title: 'loses nothing that came before start',
    run: async ({ open }) => {
      const pair = await open()
      const client = record(pair.client)
      for (let n = 0; n < 20; n++) client.channel.send(frame(n))
      await nextTurn()
      const server = record(pair.server)
      assert.equal(server.frames.length, 0, 'nothing is delivered inside start')
      await until(() => server.frames.length === 20)
      assert.deepEqual(
        server.frames.map(numberIn),
        Array.from({ length: 20 }, (_, n) => n),
      )
      abortBoth(server, client)
    },
  },
  {
    title: 'takes text and bytes alike, and carries any characters',
    run: async ({ open }) => {
      const { server, client } = await recordedPair(open)
      const text = JSON.stringify({ text: 'é \u{1f511} "\\" }{ \u0000 \u2028' })
      client.channel.send(text)
      client.channel.send(Buffer.from(text))
      await until(() => server.frames.length === 2)
      assert.deepEqual(server.frames.map(String), [text, text])
      abortBoth(server, client)
    },
  },
  {
    title: 'does not take no bytes for a frame',
    run: async ({ open }) => {
      const { server, client } = await recordedPair(open)
      client.channel.send('')
      client.channel.send(frame(1))
      client.channel.send(new Uint8Array(0))
      client.channel.send(frame(2))
      await until(() => server.frames.length === 2)
      assert.deepEqual(server.frames.map(numberIn), [1, 2])
      abortBoth(server, client)
    },
  },
  {
    title: 'carries a frame of 19 MB',
    run: async ({ open }) => {
      const { server, client } = await recordedPair(open)
      const large = JSON.stringify({ text: 'x'.repeat(19 * mib) })
      server.channel.send(large)
      server.channel.send(frame(1))
      await until(() => client.frames.length === 2)
      assert.equal(client.frames[0]?.length, large.length)
      assert.equal(Buffer.compare(client.frames[0] ?? Buffer.alloc(0), Buffer.from(large)), 0)
      abortBoth(server, client)
    },
  },
  {
    title: 'takes a frame at the limit and refuses one above, keeping the right to answer',
    run: async ({ open }) => {
      const limit = 64 * kib
      const { server, client } = await recordedPair(open, { maxCallBytes: limit })
      client.channel.send(frameOf(limit - 1))
      client.channel.send(frameOf(limit))
      await until(() => server.frames.length === 2)
      client.channel.send(frameOf(limit + 1))
      client.channel.send(frame(3))
      await until(() => server.faults.length === 1)
      assert.ok(isPosternError(server.faults[0], 'frame_too_large'))
      server.channel.send(frame(4))
      await until(() => client.frames.length === 1)
      assert.equal(server.frames.length, 2, 'nothing is received after a fault')
      abortBoth(server, client)
    },
  },
  {
    title: 'calls back never inside send, end or abort',
    run: async ({ open }) => {
      const { server, client } = await recordedPair(open)
      const before = client.events.length
      client.channel.send(frame(1))
      client.channel.end()
      client.channel.abort()
      assert.equal(client.events.length, before)
      await until(() => client.closes === 1 && server.ends + server.closes > 0)
      server.channel.abort()
      await until(() => server.closes === 1)
    },
  },
  {
    title: 'ends one way first, then the other, and closes once without a reason',
    needs: 'halfClose',
    run: async ({ open }) => {
      const { server, client } = await recordedPair(open)
      client.channel.send(frame(1))
      client.channel.end()
      client.channel.end()
      await until(() => server.ends === 1)
      assert.deepEqual(server.frames.map(numberIn), [1])
      server.channel.send(frame(2))
      server.channel.end()
      await until(() => client.closes === 1 && server.closes === 1)
      assert.deepEqual(client.frames.map(numberIn), [2], 'the answer arrives though the asker had ended')
      assert.equal(client.reason, undefined)
      assert.equal(server.reason, undefined)
    },
  },
  {
    title: 'ends after the other side, and closes once without a reason',
    run: async ({ open }) => {
      const { server, client } = await recordedPair(open)
      client.channel.send(frame(1))
      await until(() => server.frames.length === 1)
      server.channel.send(frame(2))
      server.channel.end()
      await until(() => client.ends === 1)
      assert.deepEqual(client.frames.map(numberIn), [2])
      client.channel.end()
      await until(() => client.closes === 1 && server.closes === 1)
      assert.equal(client.reason, undefined)
      assert.equal(server.reason, undefined)
    },
  },
  {
    title: 'sends all that is queued before the end',
    run: async ({ open }) => {
      const { server, client } = await recordedPair(open)
      for (let n = 0; n < 200; n++) client.channel.send(frameOf(10 * kib))
      client.channel.end()
      await until(() => server.ends === 1)
      assert.equal(server.frames.length, 200)
      abortBoth(server, client)
    },
  },
  {
    title: 'tells both sides once when one aborts, with a reason',
    run: async ({ open }) => {
      const { server, client } = await recordedPair(open)
      client.channel.abort()
      client.channel.abort()
      await until(() => client.closes === 1 && server.ends + server.closes > 0)
      server.channel.end()
      await until(() => server.closes === 1)
      assert.ok(isPosternError(client.reason, 'closed'))
      assert.equal(client.events.at(-1), 'close', 'close comes last')
      assert.equal(server.events.at(-1), 'close', 'close comes last')
    },
  },
  {
    title: 'does nothing after the close',
    run: async ({ open }) => {
      const { server, client } = await recordedPair(open)
      abortBoth(server, client)
      await until(() => client.closes === 1 && server.closes === 1)
      client.channel.send(frame(1))
      client.channel.end()
      client.channel.abort()
      server.channel.send(frame(1))
      await nextTurn()
      assert.equal(client.closes, 1)
      assert.equal(server.frames.length, 0)
    },
  },
  {
    title: 'says when it is full, and when it has room again',
    run: async ({ open }) => {
      const pair = await open({ maxQueuedBytes: 256 * kib })
      const client = record(pair.client)
      let sent = 0
      // What lies below the channel takes some first, so it is full for good only when it stays so.
      for (let turn = 0; turn < 20; turn++) {
        while (!client.channel.full) {
          client.channel.send(frameOf(16 * kib))
          sent++
        }
        await nextTurn()
      }
      assert.ok(client.channel.full, 'a channel whose other end reads nothing becomes full')
      assert.ok(sent < 1_000, 'and does so soon')
      const drainsBefore = client.drains
      const server = record(pair.server)
      await until(() => client.drains > drainsBefore && server.frames.length === sent)
      assert.equal(client.channel.full, false)
      abortBoth(server, client)
    },
  },
  {
    title: 'counts frames, and is full by their number too',
    run: async ({ open }) => {
      const pair = await open({ maxQueuedFrames: 50 })
      const client = record(pair.client)
      for (let n = 0; n < 49; n++) client.channel.send(frame(n))
      assert.equal(client.channel.full, false)
      client.channel.send(frame(49))
      assert.equal(client.channel.full, true)
      assert.equal(client.channel.sentFrames, 50)
      const server = record(pair.server)
      await until(() => server.frames.length === 50)
      assert.equal(client.channel.writtenFrames, 50)
      abortBoth(server, client)
    },
  },
]

/** One end with all that it was told. */
interface Recorded {
  readonly channel: Channel
  readonly frames: Buffer[]
  readonly faults: PosternError[]
  readonly events: string[]
  drains: number
  ends: number
  closes: number
  reason: PosternError | undefined
}

function record(channel: Channel): Recorded {
  const recorded: Recorded = {
    channel,
    frames: [],
    faults: [],
    events: [],
    drains: 0,
    ends: 0,
    closes: 0,
    reason: undefined,
  }
  channel.start({
    frame: (frame) => {
      recorded.events.push('frame')
      recorded.frames.push(Buffer.from(frame.bytes))
    },
    fault: (error) => {
      recorded.events.push('fault')
      recorded.faults.push(error)
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

async function recordedPair(
  open: ChannelHarness['open'],
  limits?: Partial<Limits>,
): Promise<{ server: Recorded; client: Recorded }> {
  const pair = await open(limits)
  return { server: record(pair.server), client: record(pair.client) }
}

function abortBoth(...ends: readonly Recorded[]): void {
  for (const { channel } of ends) channel.abort()
}

function frame(n: number): OutgoingFrame {
  return `{"n":${n}}`
}

function numberIn(bytes: Buffer): number {
  return (JSON.parse(bytes.toString()) as { n: number }).n
}

/** A frame of exactly that many bytes. */
function frameOf(bytes: number): string {
  return `{"x":"${'x'.repeat(bytes - 8)}"}`
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
