import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { lstatSync } from 'node:fs'
import { connect, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { leaveDeadSocket, listenPlainly } from '../dead-socket.ts'
import type { Report } from './claim-worker.ts'
import { Contender } from './contenders.ts'

type Scenario = 'stale' | 'empty' | 'live'
type Role = 'take' | 'clean'
type Recipe = 'chain' | 'naive'

/** How a contender goes about it. */
interface Behaviour {
  readonly recipe: Recipe
  readonly pauseMs: number
}

/** What came out of one round. */
interface Outcome {
  readonly owners: number
  /** Contenders that say that they removed the name. */
  readonly removals: number
  /** The name leads to the winner's inode and the winner's process answers there; live: the same of the old server. */
  readonly reachable: boolean
  /** Contenders that tried to make the claim on the dead socket. */
  readonly claimants: number
  /** One of them found it made by another, who was still in the takeover. */
  readonly claimMet: boolean
  /** Names in the directory after everybody has closed. */
  readonly left: readonly string[]
  readonly messages: readonly string[]
}

/** `npm test` runs few; POSTERN_RACE_ROUNDS sets how many for each scenario. */
const rounds = Number(process.env['POSTERN_RACE_ROUNDS'] ?? 200)
const timeout = 60_000 + rounds * 200
/** Rounds at once: most of a round is pauses. */
const lanes = 8
const longestPauseMs = 3

const takers: readonly Role[] = ['take', 'take', 'take', 'take']
const mixed: readonly Role[] = ['take', 'clean', 'take', 'clean']
const contenderCount = takers.length

let contenders: Contender[] = []
let base = ''
let sequence = 0

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'postern-race-'))
  contenders = takers.map(() => new Contender())
})

afterAll(async () => {
  await Promise.all(contenders.map((contender) => contender.kill()))
  await rm(base, { recursive: true, force: true })
})

test('claim chain makes one owner of a stale name, the one who is reachable', { timeout }, async () => {
  const outcomes = await race('stale', 'chain')
  const contended = outcomes.filter((outcome) => outcome.claimants >= 2).length
  const met = outcomes.filter((outcome) => outcome.claimMet).length
  const share = Math.round((100 * contended) / rounds)
  print(
    'stale',
    outcomes,
    `; two or more contended for the claim in ${contended} rounds (${share} %), one met it held by another in ${met}`,
  )
  expect(outcomes.filter((outcome) => !soleOwner(outcome))).toEqual([])
  expect(contended / rounds).toBeGreaterThanOrEqual(0.3)
})

test('claim chain makes one owner of a stale name without pauses too', { timeout }, async () => {
  const outcomes = await race('stale', 'chain', { pauseMs: 0 })
  print('stale', outcomes, '', 0)
  expect(outcomes.filter((outcome) => !soleOwner(outcome))).toEqual([])
})

test('claim chain makes one owner of an unused name, the one who is reachable', { timeout }, async () => {
  const outcomes = await race('empty', 'chain')
  print('empty', outcomes)
  expect(outcomes.filter((outcome) => !soleOwner(outcome))).toEqual([])
})

test('claim chain never takes the name of a live server', { timeout }, async () => {
  const outcomes = await race('live', 'chain')
  print('live', outcomes)
  expect(outcomes.filter((outcome) => !kept(outcome))).toEqual([])
  expect(outcomes.flatMap((outcome) => outcome.messages).filter((text) => !text.includes('address_in_use'))).toEqual([])
})

test('claim chain makes one owner of a stale name while others clean it', { timeout }, async () => {
  const outcomes = await race('stale', 'chain', { roles: mixed })
  const removed = outcomes.filter((outcome) => outcome.removals === 1).length
  print('stale', outcomes, `; two of them cleaned, one removed the dead name in ${removed} rounds`)
  expect(outcomes.filter((outcome) => !soleOwner(outcome) || outcome.removals > 1)).toEqual([])
  expect(outcomes.flatMap((outcome) => outcome.messages).filter((text) => !text.includes('address_in_use'))).toEqual([])
  expect(removed).toBeGreaterThan(0)
})

test('claim chain makes one owner of an unused name while others clean it', { timeout }, async () => {
  const outcomes = await race('empty', 'chain', { roles: mixed })
  print('empty', outcomes, '; two of them cleaned')
  expect(outcomes.filter((outcome) => !soleOwner(outcome) || outcome.removals > 0)).toEqual([])
})

test('claim chain never removes the name of a live server', { timeout }, async () => {
  const outcomes = await race('live', 'chain', { roles: mixed })
  print('live', outcomes, '; two of them cleaned')
  expect(outcomes.filter((outcome) => !kept(outcome) || outcome.removals > 0)).toEqual([])
})

test('claim chain has one of several cleaners remove a stale name', { timeout }, async () => {
  const outcomes = await race('stale', 'chain', { roles: mixed.map(() => 'clean') })
  const once = (outcome: Outcome) =>
    outcome.removals === 1 && outcome.left.length === 0 && outcome.messages.length === 0
  expect(outcomes.filter((outcome) => !once(outcome))).toEqual([])
})

test('the race sees what is wrong with "probe, unlink, listen"', { timeout }, async () => {
  const outcomes = await race('stale', 'naive', { count: 40 })
  expect(outcomes.filter((outcome) => outcome.owners > 1).length).toBeGreaterThan(0)
})

test('the race sees what is wrong with "probe, unlink"', { timeout }, async () => {
  const outcomes = await race('stale', 'naive', {
    count: 100,
    roles: mixed,
    takers: { recipe: 'chain', pauseMs: 0 },
    pauseMs: 20,
  })
  const lost = outcomes.filter((outcome) => outcome.owners === 1 && !outcome.reachable).length
  expect(lost).toBeGreaterThan(0)
})

function kept(outcome: Outcome): boolean {
  return outcome.owners === 0 && outcome.reachable && outcome.left.length === 0
}

function soleOwner(outcome: Outcome): boolean {
  return outcome.owners === 1 && outcome.reachable && outcome.left.length === 0
}

function print(scenario: Scenario, outcomes: readonly Outcome[], more = '', pauseMs: number = longestPauseMs): void {
  const count = (owners: number) => outcomes.filter((outcome) => outcome.owners === owners).length
  const lost = outcomes.filter((outcome) => !outcome.reachable).length
  const many = outcomes.length - count(0) - count(1)
  process.stdout.write(
    `claim race, ${scenario} name, ${contenderCount} processes, 0 to ${pauseMs} ms before each step: ${outcomes.length} rounds, ` +
      `one owner in ${count(1)}, none in ${count(0)}, several in ${many}; reachable inode not the owner's: ${lost}${more}\n`,
  )
}

async function race(
  scenario: Scenario,
  recipe: Recipe,
  given: { count?: number; pauseMs?: number; roles?: readonly Role[]; takers?: Behaviour } = {},
): Promise<Outcome[]> {
  const { count = rounds, pauseMs = longestPauseMs, roles = takers } = given
  const behaviour = { take: given.takers ?? { recipe, pauseMs }, clean: { recipe, pauseMs } }
  const outcomes: Outcome[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    while (next++ < count) outcomes.push(await runRound(scenario, { roles, behaviour, round: String(sequence++) }))
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return outcomes
}

interface Round {
  readonly roles: readonly Role[]
  readonly behaviour: Readonly<Record<Role, Behaviour>>
  readonly round: string
}

async function runRound(scenario: Scenario, { roles, behaviour, round }: Round): Promise<Outcome> {
  const directory = join(base, round)
  const path = join(directory, 's')
  await mkdir(directory, { mode: 0o700 })
  if (scenario === 'stale') await leaveDeadSocket(path)
  const live = scenario === 'live' ? await listenAs(path) : undefined
  const before = live === undefined ? undefined : inodeOf(path)
  // All four wait for their order: writing it to each in one tick is the barrier.
  const reports = await Promise.all(
    contenders.map((contender, index) => {
      const role = roles[index] ?? 'take'
      return contender.order({ do: role, round, path, ...behaviour[role] })
    }),
  )
  const winner = reports.findIndex((report) => report.is === 'owner')
  const expected = live === undefined ? ownerOf(reports[winner], contenders[winner]) : { inode: before, answer: 'live' }
  const reachable = inodeOf(path) === expected?.inode && (await answerAt(path)) === expected?.answer
  await Promise.all(contenders.map((contender) => contender.order({ do: 'close', round })))
  const left = (await readdir(directory)).filter((name) => live === undefined || name !== 's')
  await new Promise((resolve) => (live === undefined ? resolve(undefined) : live.close(resolve)))
  await rm(directory, { recursive: true })
  const claims = reports.flatMap((report) => ('claims' in report ? [report.claims] : []))
  return {
    owners: reports.filter((report) => report.is === 'owner').length,
    removals: reports.filter((report) => report.is === 'cleaned' && report.removed).length,
    reachable,
    claimants: claims.filter((claim) => claim.tried).length,
    claimMet: claims.some((claim) => claim.met),
    left,
    messages: reports.flatMap((report) => (report.is === 'refused' ? [report.message] : [])),
  }
}

function ownerOf(
  report: Report | undefined,
  contender: Contender | undefined,
): { inode: string; answer: string } | undefined {
  if (report?.is !== 'owner' || contender === undefined) return undefined
  return { inode: report.inode, answer: String(contender.pid) }
}

async function listenAs(path: string): Promise<Server> {
  const server = await listenPlainly(path)
  return server.on('connection', (socket) => socket.end('live'))
}

function inodeOf(path: string): string {
  return String(lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino)
}

function answerAt(path: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(path)
    socket.on('data', (chunk) => {
      answer += String(chunk)
    })
    socket.on('error', (error) => {
      answer = String(error)
    })
    socket.on('close', () => resolve(answer))
  })
}
