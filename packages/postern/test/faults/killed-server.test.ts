import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { connect } from '../../src/app/connect.ts'
import type { Connection } from '../../src/app/connection.ts'
import { isPosternError } from '../../src/core/errors.ts'
import { type SeededRandom, seededRandom } from '../../src/testing/seeded-random.ts'
import { type Entry, ledger } from '../programs/ledger.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { Lives } from './ordered-child.ts'

/** `npm test` does few; POSTERN_KILLS sets how many for each test. */
const killsOf = (few: number): number => Number(process.env['POSTERN_KILLS'] ?? few)
const timeout = 60_000 + killsOf(20) * 5_000
const inFlight = 64

type Ledger = Connection<(typeof ledger)['members']>

/** When a server is killed: so many answers after its first one, and a moment later. */
interface Moment {
  readonly afterAnswers: number
  readonly spinMs: number
}

function someMoment(random: SeededRandom): Moment {
  return { afterAnswers: random.pick([0, 1, random.below(64), random.below(512)]), spinMs: random.fraction() / 2 }
}

/** Counts answers, and tells when so many have come. */
class Answers {
  count = 0
  #due = Number.POSITIVE_INFINITY
  #tell: () => void = () => undefined

  came(): void {
    if (++this.count >= this.#due) this.#tell()
  }

  /** Runs a function once: within the answer that is the last of so many, or at once where none is waited for. */
  after(answers: number, run: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#due = this.count + answers
      this.#tell = () => {
        // Whoever came first, the answer or the turn below: the other must not kill the server that comes next.
        this.#due = Number.POSITIVE_INFINITY
        this.#tell = () => undefined
        run()
        resolve()
      }
      if (answers === 0) setImmediate(() => this.#tell())
    })
  }
}

/** Kills within this tick, so that nothing here can make the moment tamer. */
function killAt({ afterAnswers, spinMs }: Moment, answers: Answers, lives: Lives): Promise<void> {
  return answers.after(afterAnswers, () => {
    const end = performance.now() + spinMs
    while (performance.now() < end);
    lives.signal('SIGKILL')
  })
}

interface Ended {
  readonly key: string
  /** `acknowledged`, or the code of its error. */
  readonly as: string
}

/** Calls one after the other until one fails. */
async function callUntilItFails(
  connection: Ledger,
  entry: () => Entry,
  { answers, ended }: { readonly answers: Answers; readonly ended: Ended[] },
): Promise<void> {
  for (;;) {
    const next = entry()
    try {
      await connection.api.apply(next)
      ended.push({ key: next.key, as: 'acknowledged' })
      answers.came()
    } catch (error) {
      ended.push({ key: next.key, as: isPosternError(error) ? error.code : String(error) })
      return
    }
  }
}

/** How often each key stands in the ledger, all of whose lines are whole. */
function readLedger(file: string): ReadonlyMap<string, number> {
  const text = readFileSync(file, 'utf8')
  expect(text.endsWith('\n')).toBe(true)
  const applied = new Map<string, number>()
  for (const key of text.slice(0, -1).split('\n')) applied.set(key, (applied.get(key) ?? 0) + 1)
  return applied
}

/** How many of the counts fall into each range, whose lower ends are given. */
function histogram(counts: readonly number[], from: readonly number[]): string {
  const ranges = from.map((low, index) => {
    const high = (from[index + 1] ?? Number.POSITIVE_INFINITY) - 1
    const within = counts.filter((count) => count >= low && count <= high).length
    return `${low === high ? low : high === Number.POSITIVE_INFINITY ? `${low}+` : `${low}-${high}`}: ${within}`
  })
  return ranges.join('  ')
}

/** What came of the calls of one life. */
interface Life {
  readonly ended: readonly Ended[]
  readonly answers: number
}

test('what a killed server had acknowledged is applied, and every other call is told', { timeout }, async () => {
  const kills = killsOf(20)
  const random = seededRandom(Date.now())
  const directory = await temporaryDirectory()
  const [address, file] = [`unix:${directory}/s`, `${directory}/ledger`]
  const lives = new Lives('ledger-server', { address, file })
  const all: Life[] = []
  for (let life = 0; life < kills; life++) {
    await lives.begin({ last: life === kills - 1 })
    const connection: Ledger = await connect(address, ledger, { reconnect: false })
    onTestFinished(() => connection.abort())
    // Large calls fill the socket, so that some have not left when the end comes.
    const filler = 'x'.repeat(random.pick([0, 0, 32_768]))
    const ended: Ended[] = []
    const answers = new Answers()
    let made = 0
    const entry = (): Entry => ({ key: `${life}.${++made}`, late: random.below(2) === 0, filler })
    const killed = killAt(someMoment(random), answers, lives)
    await Promise.all([
      killed,
      ...Array.from({ length: inFlight }, () => callUntilItFails(connection, entry, { answers, ended })),
    ])
    await lives.kill()
    expect(ended).toHaveLength(made)
    all.push({ ended, answers: answers.count })
  }
  report(all, readLedger(file), random.seed)
})

function report(all: readonly Life[], applied: ReadonlyMap<string, number>, seed: number): void {
  const of = (as: string): Ended[] => all.flatMap(({ ended }) => ended.filter((one) => one.as === as))
  const isApplied = ({ key }: Ended): boolean => applied.has(key)
  const [acknowledged, unknown, closed] = [of('acknowledged'), of('unknown_outcome'), of('closed')]
  const lost = acknowledged.filter((one) => !isApplied(one))
  const ran = closed.filter(isApplied)
  const silent = all.map(({ ended }) => ended.filter((one) => one.as !== 'acknowledged' && isApplied(one)).length)
  process.stdout.write(
    `kills under ${inFlight} calls in flight: ${all.length}; acknowledged ${acknowledged.length} (not applied: ${lost.length}), ` +
      `unknown_outcome ${unknown.length} (applied: ${unknown.filter(isApplied).length}), closed ${closed.length} (applied: ${ran.length})\n` +
      `  answers before the kill       ${histogram(
        all.map(({ answers }) => answers),
        [0, 1, 2, 64, 128, 256, 512],
      )}\n` +
      `  applied, and nobody was told  ${histogram(silent, [0, 1, 8, 16, 32, 64])}\n`,
  )
  expect([lost, ran], `seed ${seed}`).toEqual([[], []])
  expect(acknowledged.length + unknown.length + closed.length).toBe(all.flatMap(({ ended }) => ended).length)
  expect(unknown.length).toBeGreaterThan(0)
  expect([...applied].filter(([, times]) => times > 1)).toEqual([])
}

test('idempotent calls with keys outlive every kill, each applied exactly once', { timeout }, async () => {
  const kills = killsOf(10)
  const random = seededRandom(Date.now())
  const directory = await temporaryDirectory()
  const [address, file] = [`unix:${directory}/s`, `${directory}/ledger`]
  const lives = new Lives('ledger-server', { address, file })
  await lives.begin()
  // A call may be caught by several kills in a row; how many is bounded by chance alone.
  const limits = { retries: 100, retryMinMs: 1, retryMaxMs: 20, connectMs: 60_000 }
  const connection: Ledger = await connect(address, ledger, { limits })
  onTestFinished(() => connection.abort())
  const answers = new Answers()
  const keys: string[] = []
  let found = 0
  let over = false
  const lane = async (): Promise<void> => {
    while (!over) {
      const key = String(keys.length)
      keys.push(key)
      const answer = await connection.api.applyOnce({ key, late: random.below(2) === 0, filler: '' })
      if (answer === 'found') found++
      answers.came()
    }
  }
  const lanes = Array.from({ length: inFlight }, lane)
  for (let kill = 0; kill < kills; kill++) {
    await Promise.race([killAt(someMoment(random), answers, lives), Promise.all(lanes)])
    await lives.kill()
    await lives.begin({ last: kill === kills - 1 })
  }
  over = true
  await Promise.all(lanes)
  const applied = readLedger(file)
  process.stdout.write(
    `kills under ${inFlight} idempotent calls in flight: ${kills}; ${keys.length} calls, all acknowledged, ` +
      `${found} of them applied before a kill and found by their key\n`,
  )
  expect(applied.size).toBe(keys.length)
  expect(
    keys.filter((key) => applied.get(key) !== 1),
    `seed ${random.seed}`,
  ).toEqual([])
})
