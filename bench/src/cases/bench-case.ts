/** A case measures one thing at all peers, and gives rows; and the parts that cases share. */

import { join } from 'node:path'
import { type Setting, startChild } from '../pinned.ts'
import type { Row } from '../table.ts'

export interface BenchCase {
  /** As `--only` takes it. */
  readonly name: string
  readonly measure: (run: CaseRun) => Promise<readonly Row[]>
}

/** How the cases are to be run. */
export interface CaseRun {
  /** For sockets. */
  readonly directory: string
  readonly rounds: number
  /** Few and small calls: it shows that everything runs, not how fast. */
  readonly quick: boolean
  readonly settings: readonly Setting[]
  /** Says what is being measured now. */
  readonly progress: (text: string) => void
  /** Adds a line for the reader of the table. */
  readonly note: (text: string) => void
}

/** One of the things that a case measures in turn. */
export interface Contender<Sample> {
  readonly name: string
  readonly setting: Setting
  /** It takes part in so many, the first ones; default all. */
  readonly rounds?: number | undefined
  readonly sample: (round: number) => Promise<Sample>
}

/** Takes a sample of each in every round, and begins each round with another, so that none always comes first. */
export async function interleave<Sample>(
  { rounds, progress }: CaseRun,
  contenders: readonly Contender<Sample>[],
): Promise<Map<Contender<Sample>, readonly Sample[]>> {
  const taken = contenders.map((contender) => ({ contender, samples: [] as Sample[] }))
  for (let round = 0; round < rounds; round++) {
    const first = round % taken.length
    for (const { contender, samples } of [...taken.slice(first), ...taken.slice(0, first)]) {
      if (round >= (contender.rounds ?? rounds)) continue
      progress(`round ${round + 1} of ${rounds}: ${contender.name}, ${contender.setting}`)
      samples.push(await contender.sample(round))
    }
  }
  return new Map(taken.map(({ contender, samples }) => [contender, samples]))
}

/** A module under `roles/` and its task. */
export interface Role {
  readonly module: URL
  readonly task: object
}

/** A server and its client, each a process of its own. */
export interface Pair {
  readonly setting: Setting
  readonly server: Role
  readonly client: Role
  readonly nodeArgs?: readonly string[]
}

/** How long a server may take to listen, and a client to measure, on a machine that is busy with other things too. */
const listenMs = 30_000
const measureMs = 180_000

let pairs = 0

/** Starts both, gives both the same new path, and returns what the client found out. */
export async function measurePair(
  { directory }: CaseRun,
  { setting, server, client, nodeArgs = [] }: Pair,
): Promise<unknown> {
  const path = join(directory, `${++pairs}.sock`)
  const serving = startChild(server.module, { ...server.task, path }, { setting, nodeArgs, timeoutMs: listenMs })
  await serving.message
  const measuring = startChild(client.module, { ...client.task, path }, { setting, nodeArgs, timeoutMs: measureMs })
  const result = await measuring.message
  await measuring.stop()
  await serving.stop()
  return result
}

/** One process that measures by itself. */
export async function measureAlone({ module, task }: Role, setting: Setting): Promise<unknown> {
  const child = startChild(module, task, { setting, nodeArgs: exposeGc, timeoutMs: measureMs })
  const result = await child.message
  await child.stop()
  return result
}

/** For roles that measure with `costOf`. */
export const exposeGc: readonly string[] = ['--expose-gc']

/** The parts of a cost, as the table names them. */
export const costKinds = [
  { what: 'wall', key: 'wallMs' },
  { what: 'CPU', key: 'cpuMs' },
] as const

/** The bytes as the table prints them. */
export function megabytes(bytes: number): string {
  return `${bytes / 1_000_000} MB`
}
