/** One side of connections through shared memory whose other side is an enemy: counts what it is told, and what it holds. */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isPosternError, type PosternError } from '../../src/core/errors.ts'
import { resolveLimits } from '../../src/core/limits.ts'
import type { Stream } from '../../src/core/stream.ts'
import { connect, serve } from '../../src/index.ts'
import { connectSharedMemory, listenSharedMemory } from '../../src/transports/shared-memory.ts'
import { takeOrders } from './orders.ts'

/** What the program is told to do. */
export type VictimOrder =
  /** Echoes bytes. */
  | { readonly do: 'listen'; readonly path: string; readonly portable: boolean }
  /** Echoes calls. */
  | { readonly do: 'serve'; readonly path: string }
  /** Connects, writes and waits, again and again. */
  | { readonly do: 'visit'; readonly path: string; readonly seconds: number }
  | { readonly do: 'tell' }

/** What it has seen, and what it holds now. */
export interface VictimState {
  /** How often each connection ended, by the reason; paths, bytes and numbers left out. */
  readonly ends: Readonly<Record<string, number>>
  /** What was no error of ours. */
  readonly foreign: readonly string[]
  /** What each open descriptor is. */
  readonly descriptors: readonly string[]
  readonly mappings: number
  readonly rssMb: number
  readonly slowestTurnMs: number
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const limits = resolveLimits({ connectMs: 200 })
const ends: Record<string, number> = {}
const foreign: string[] = []
const turns = monitorEventLoopDelay({ resolution: 10 })
turns.enable()

function count(reason: unknown): void {
  if (reason !== undefined && !isPosternError(reason)) foreign.push(String(reason))
  const text = reason === undefined ? 'in order' : (reason as Error).message
  const key = text
    .replace(/(shm:)?\/\S+/g, 'PATH')
    .replace(/(got|JSON:) .*/, '$1 ...')
    .replace(/\d+/g, 'N')
  ends[key] = (ends[key] ?? 0) + 1
}

/** Writes back what comes, as fast as the other side takes it. */
function echo(stream: Stream): void {
  stream.start({
    data: (chunk) => {
      if (!stream.write(chunk)) stream.pause()
    },
    drain: () => stream.resume(),
    end: () => stream.end(),
    close: (reason?: PosternError) => count(reason),
  })
}

/** Writes much, ends, and waits for the other side for a moment. */
async function visitStream(path: string): Promise<void> {
  const stream = await connectSharedMemory(path, { limits })
  await new Promise<void>((resolve) => {
    const giveUp = setTimeout(() => stream.abort(), 20)
    stream.start({
      data: () => undefined,
      drain: () => stream.end(),
      end: () => undefined,
      close: (reason) => {
        clearTimeout(giveUp)
        count(reason)
        resolve()
      },
    })
    if (stream.write(new Uint8Array(100_000))) stream.end()
  })
}

async function visitService(path: string): Promise<void> {
  const connection = await connect(`shm:${path}`, { limits, onError: count })
  try {
    await connection.call('echo', ['x'.repeat(1000)], { timeoutMs: 20 })
  } finally {
    await connection.close().catch(count)
  }
}

async function visit(path: string, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1000
  for (let turn = 0; performance.now() < end; turn++) {
    const visitOnce = turn % 2 === 0 ? visitStream : visitService
    await visitOnce(path).catch(count)
  }
}

function descriptors(): string[] {
  return readdirSync('/proc/self/fd')
    .flatMap((name) => {
      try {
        return [readlinkSync(`/proc/self/fd/${name}`)]
      } catch {
        // That of the directory itself.
        return []
      }
    })
    .sort()
}

function tell(): VictimState {
  collect()
  const maps = readFileSync('/proc/self/maps', 'utf8').split('\n')
  return {
    ends,
    foreign,
    descriptors: descriptors(),
    mappings: maps.filter((line) => line.includes('(deleted)')).length,
    rssMb: Math.round(process.memoryUsage.rss() / 2 ** 20),
    slowestTurnMs: Math.round(turns.max / 1e6),
  }
}

takeOrders<VictimOrder>(async (order) => {
  switch (order.do) {
    case 'listen':
      await listenSharedMemory(order.path, { limits, portable: order.portable, onStream: echo, onError: count })
      return null
    case 'serve':
      await serve({ echo: (params: unknown) => params }, { at: `shm:${order.path}`, onError: count })
      return null
    case 'visit':
      await visit(order.path, order.seconds)
      return null
    case 'tell':
      return tell()
  }
})
