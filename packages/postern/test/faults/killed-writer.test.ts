/** Writers of large messages through shared memory that are killed in the middle of them. */

import { readdirSync, readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { resolveLimits } from '../../src/core/limits.ts'
import type { Stream } from '../../src/core/stream.ts'
import { type SeededRandom, seededRandom } from '../../src/testing/seeded-random.ts'
import { until } from '../../src/testing/until.ts'
import { connectSharedMemory, listenSharedMemory } from '../../src/transports/shared-memory.ts'
import type { WriterOrder } from '../programs/large-writer.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { Lives } from './ordered-child.ts'
import { type Landing, someMoment, StruckWriter } from './struck-writer.ts'

/** `npm test` does few; POSTERN_WRITER_KILLS sets how many in all. */
const kills = Number(process.env['POSTERN_WRITER_KILLS'] ?? 20)
/** Writers at the same time: each needs a moment to start, in which another can be read. */
const lanes = kills > 20 ? 3 : 1
const timeout = 60_000 + kills * 1_000

/** From the moment the system reports a death until the reader has been told. */
const toldWithinMs = 200
/** Of all kills, those behind the header of a message and before its last byte. */
const leastShareInside = 0.3

const limits = resolveLimits()

/** One kill, and what its reader saw. */
interface Kill {
  readonly writer: StruckWriter
  /** Of the reason for the close. */
  readonly code: string | undefined
  readonly toldMs: number
}

interface Lane {
  readonly order: WriterOrder
  readonly kills: number
  readonly random: SeededRandom
}

/** Where the streams of writers come from that live one after the other. */
interface Meeting {
  next(): Promise<Stream>
  close(): Promise<void>
}

async function meetingOf({ side, path, portable }: WriterOrder): Promise<Meeting> {
  if (side === 'server')
    return { next: () => connectSharedMemory(path, { limits, portable }), close: () => Promise.resolve() }
  const waiting: Stream[] = []
  const listener = await listenSharedMemory(path, { limits, portable, onStream: (stream) => waiting.push(stream) })
  onTestFinished(() => listener.close())
  const next = async (): Promise<Stream> => {
    await until(() => waiting.length > 0)
    return waiting.shift() as Stream
  }
  return { next, close: () => listener.close() }
}

async function runLane({ order, kills: ofLane, random }: Lane): Promise<Kill[]> {
  const meeting = await meetingOf(order)
  const lives = new Lives('large-writer', order)
  const done: Kill[] = []
  for (let index = 0; index < ofLane; index++) {
    await lives.begin({ last: index === ofLane - 1 })
    const writer = new StruckWriter(await meeting.next(), {
      side: order.side === 'client' ? 'server' : 'client',
      moment: someMoment(index, random),
      strike: () => lives.signal('SIGKILL'),
    })
    await writer.struck
    await lives.kill()
    const deadMs = performance.now()
    const { reason, atMs } = await writer.closed
    done.push({ writer, code: reason?.code, toldMs: atMs - deadMs })
  }
  await meeting.close()
  return done
}

interface Held {
  readonly descriptors: number
  /** Memory of connections in this process. */
  readonly mapped: number
  /** Memory that has a name. */
  readonly named: number
}

function held(): Held {
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    mapped: readFileSync('/proc/self/maps', 'utf8').match(/postern.*\(deleted\)/g)?.length ?? 0,
    named: readdirSync('/dev/shm').filter((name) => name.startsWith('postern')).length,
  }
}

const ranges = ['in the header', '0-10 %', '10-25 %', '25-50 %', '50-75 %', '75-90 %', '90-100 %', 'between'] as const

function rangeOf({ bytes, of }: Landing): (typeof ranges)[number] | undefined {
  if (bytes === 0) return 'between'
  if (of === undefined) return 'in the header'
  return ranges[[0.1, 0.25, 0.5, 0.75, 0.9, 1].findIndex((end) => bytes < end * of) + 1]
}

/** Prints what was seen; returns how many were killed inside a message, and after how long the last reader was told. */
function report(title: string, done: readonly Kill[]): { readonly inside: number; readonly latestMs: number } {
  const landed = done.map(({ writer }) => rangeOf(writer.landing))
  const counts = ranges.map((range) => `${range}: ${landed.filter((one) => one === range).length}`)
  const inside = landed.filter((range) => range !== 'in the header' && range !== 'between').length
  const latestMs = Math.max(...done.map(({ toldMs }) => toldMs))
  const delivered = done.reduce((sum, { writer }) => sum + writer.delivered, 0)
  process.stdout.write(
    `${title}: ${done.length} kills, ${inside} of them inside a message; ${delivered} messages delivered; ` +
      `the other side told ${latestMs.toFixed(1)} ms after the exit at most\n` +
      `  how much of a message had been written  ${counts.join('  ')}\n`,
  )
  return { inside, latestMs }
}

const cases: readonly { readonly side: WriterOrder['side']; readonly portable: boolean }[] = [
  { side: 'client', portable: false },
  { side: 'server', portable: false },
  { side: 'client', portable: true },
  { side: 'server', portable: true },
]

test.each(cases)(
  'a writer that is killed leaves no torn message, and nothing else: $side, portable $portable',
  {
    timeout,
  },
  async ({ side, portable }) => {
    const random = seededRandom(Date.now())
    const directory = await temporaryDirectory()
    const before = held()
    const names = Array.from({ length: lanes }, (_, index) => String(index))
    const ofLane = Math.ceil(kills / cases.length / lanes)
    const orders = names.map((name) => ({ side, portable, path: `${directory}/${name}` }))
    const done = (await Promise.all(orders.map((order) => runLane({ order, kills: ofLane, random })))).flat()
    const { inside, latestMs } = report(`${side}s that write${portable ? ', POSIX names' : ''}`, done)
    expect(
      done.flatMap(({ writer }) => writer.faults),
      `seed ${random.seed}`,
    ).toEqual([])
    expect(new Set(done.map(({ code }) => code))).toEqual(new Set(['closed']))
    expect(latestMs).toBeLessThan(toldWithinMs)
    expect(inside / done.length).toBeGreaterThanOrEqual(leastShareInside)
    // A killed server leaves its name, which the next one takes over, and no other.
    expect(readdirSync(directory).sort()).toEqual(side === 'server' ? names : [])
    await until(() => {
      const now = held()
      return now.descriptors <= before.descriptors && now.mapped <= before.mapped && now.named <= before.named
    })
  },
)
