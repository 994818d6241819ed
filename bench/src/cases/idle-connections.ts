/** What connections that say nothing cost: the memory of the server for each, and the time of a new call beside them. */

import { spawnSync } from 'node:child_process'
import type { Setting } from '../pinned.ts'
import type { IdleStep } from '../roles/idle-client.ts'
import type { IdleServerTask, Memory } from '../roles/idle-server.ts'
import { groupRows, type Measured, type Row, type Target } from '../table.ts'
import { type BenchCase, type CaseRun, type Contender, exposeGc, interleave, measurePair } from './bench-case.ts'

export const idleConnections: BenchCase = { name: 'idle-connections', measure }

const serverModule = new URL('../roles/idle-server.ts', import.meta.url)
const clientModule = new URL('../roles/idle-client.ts', import.meta.url)

const fullCounts = [1_000, 10_000] as const
const quickCounts = [200, 500] as const

/** Of ours with this many connections. A KB is 1,000 bytes. */
const judgedCount = 10_000
const target: Target = { sign: '<=', limit: 8, of: 'figure' }
const bytesPerKb = 1_000

/** What a process has open beside the connections that it holds or makes. */
const otherDescriptors = 200

type ServerKind = IdleServerTask['server']
const names: Readonly<Record<ServerKind, string>> = { 'thirty-line': 'thirty-line server', postern: 'postern' }
const kinds: readonly ServerKind[] = ['thirty-line', 'postern']

interface IdleContender extends Contender<IdleStep[]> {
  readonly kind: ServerKind
}

interface Outcome {
  readonly kind: ServerKind
  readonly rounds: readonly IdleStep[][]
}

async function measure(run: CaseRun): Promise<Row[]> {
  const counts = possibleCounts(run, run.quick ? quickCounts : fullCounts)
  const setting = run.settings[0] ?? 'free'
  const contenders = kinds.map((kind): IdleContender => {
    const task = { server: kind, maxConnections: Math.max(1, ...counts) + otherDescriptors }
    const client = { module: clientModule, task: { counts, calls: run.quick ? 200 : 5_000 } }
    const pair = { setting, server: { module: serverModule, task }, client, nodeArgs: exposeGc }
    return { kind, name: names[kind], setting, sample: async () => (await measurePair(run, pair)) as IdleStep[] }
  })
  run.note(
    'idle connections: made by node:net after one call each; postern with limits.maxConnections raised from 1,024',
  )
  const samples = await interleave(run, contenders)
  const outcomes = contenders.map((contender) => ({ ...contender, rounds: samples.get(contender) ?? [] }))
  return [
    ...counts.flatMap((count, index) =>
      memoryRows(outcomes, index + 1, `${idle(count)}, ${setting}`, count === judgedCount),
    ),
    ...outcomes.flatMap((outcome) => callRows(outcome, [0, ...counts], setting)),
  ]
}

/** Leaves out what a process may not hold here, and says so. */
function possibleCounts({ note }: CaseRun, wanted: readonly number[]): number[] {
  const most = descriptorLimit() - otherDescriptors
  const possible = wanted.filter((count) => count <= most)
  for (const count of wanted.filter((other) => !possible.includes(other))) {
    note(`${idle(count)} were not measured: a process may have ${most + otherDescriptors} open files here (ulimit -Hn)`)
  }
  return possible
}

/** How many files a child may have open. Node has raised the soft limit to the hard one, and children inherit it. */
function descriptorLimit(): number {
  const { stdout } = spawnSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' })
  const limit = stdout.trim()
  if (limit === 'unlimited') return Number.POSITIVE_INFINITY
  if (!/^\d+$/.test(limit)) throw new Error(`ulimit -n says ${JSON.stringify(limit)}, not how many files may be open`)
  return Number(limit)
}

function memoryRows(outcomes: readonly Outcome[], step: number, where: string, judged: boolean): Row[] {
  const rows = (what: string, key: keyof Memory): Row[] =>
    groupRows(
      { group: `memory of the server for each of ${where}, ${what}`, unit: 'KB', base: names['thirty-line'] },
      outcomes.map(({ kind, rounds }) => ({
        name: names[kind],
        samples: rounds.map((steps) => kbEach(steps, step, key)),
        target: kind === 'postern' && judged ? target : undefined,
      })),
    )
  return [...rows('resident', 'rssBytes'), ...rows('heap and external', 'heapBytes')]
}

function kbEach(steps: readonly IdleStep[], step: number, key: keyof Memory): number {
  const before = steps[0]?.memory[key] ?? Number.NaN
  const { connections, memory } = steps[step] as IdleStep
  return (memory[key] - before) / connections / bytesPerKb
}

/** A server's calls beside its own without idle connections. */
function callRows({ kind, rounds }: Outcome, counts: readonly number[], setting: Setting): Row[] {
  const measured = counts.map(
    (count, step): Measured => ({
      name: idle(count),
      samples: rounds.map((steps) => steps[step]?.p50Us ?? Number.NaN),
    }),
  )
  const group = `small call on a new connection to ${names[kind]}, p50, ${setting}`
  return groupRows({ group, unit: 'us', base: idle(0) }, measured)
}

function idle(connections: number): string {
  return `${connections === 0 ? 'no' : connections.toLocaleString('en-US')} idle connections`
}
