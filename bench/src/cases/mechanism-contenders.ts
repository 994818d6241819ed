/** What carries messages in the bench: our mechanisms, raw `net`, and a C program as the floor of the machine. */

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadMechanisms } from '../mechanisms/all-mechanisms.ts'
import type { Mechanism } from '../mechanisms/mechanism.ts'
import type { Setting } from '../pinned.ts'
import type { FloorWire } from '../roles/floor-program.ts'
import type { Direction, LineResult, MessageAmount } from '../roles/line-client.ts'
import { type CaseRun, type Contender, interleave, measureAlone, measurePair } from './bench-case.ts'

const serverModule = new URL('../roles/line-server.ts', import.meta.url)
const clientModule = new URL('../roles/line-client.ts', import.meta.url)
const floorModule = new URL('../roles/floor-program.ts', import.meta.url)
const floorSources = fileURLToPath(new URL('../../native', import.meta.url))

/** One thing that carries messages, in one setting, and what it was found to do in each round. */
export interface Carried<Result extends LineResult> {
  /** Of the mechanism or, behind `c-`, of the wire of the C program. */
  readonly key: string
  readonly name: string
  readonly setting: Setting
  readonly rounds: readonly Result[]
}

/** What is sent. */
export interface Messages {
  readonly direction: Direction
  readonly amounts: readonly MessageAmount[]
}

/** Measures everything that carries messages, in turn. */
export async function measureCarriers<Result extends LineResult>(
  run: CaseRun,
  messages: Messages,
): Promise<Carried<Result>[]> {
  const mechanisms = await loadMechanisms()
  for (const { name, defaults } of mechanisms.values()) run.note(`${name}: ${defaults}`)
  const program = buildFloor(run)
  const contenders = run.settings.flatMap((setting) => [
    ...[...mechanisms].map(([key, mechanism]) => contend(run, { key, mechanism, setting }, messages)),
    ...(program === undefined ? [] : floorContenders({ program, setting }, messages)),
  ])
  const samples = await interleave(run, contenders)
  return contenders.map((contender) => ({ ...contender, rounds: (samples.get(contender) ?? []) as Result[] }))
}

type Carrier = Contender<LineResult> & Omit<Carried<LineResult>, 'rounds'>

interface Placed {
  readonly key: string
  readonly mechanism: Mechanism
  readonly setting: Setting
}

function contend(run: CaseRun, { key, mechanism, setting }: Placed, messages: Messages): Carrier {
  const client = { module: clientModule, task: { mechanism: key, path: key, ...messages } }
  const server = { module: serverModule, task: { mechanism: key } }
  const sample = (): Promise<unknown> =>
    mechanism.listen === undefined ? measureAlone(client, setting) : measurePair(run, { setting, server, client })
  return { key, name: mechanism.name, setting, sample: async () => (await sample()) as LineResult }
}

const wires: Readonly<
  Record<FloorWire, { readonly name: string; readonly direction?: Direction; readonly setting?: Setting }>
> = {
  socket: { name: 'C, Unix socket' },
  eventfd: { name: 'C, shared memory, eventfd' },
  // Two that spin on one core wait for the end of each other's time slice.
  spinning: { name: 'C, shared memory, spinning', setting: 'free' },
  memcpy: { name: 'C, memcpy', direction: 'flow' },
}

function floorContenders(
  { program, setting }: { readonly program: string; readonly setting: Setting },
  messages: Messages,
): Carrier[] {
  const wanted = (Object.keys(wires) as FloorWire[]).filter(
    (wire) =>
      (wires[wire].direction ?? messages.direction) === messages.direction &&
      (wires[wire].setting ?? setting) === setting,
  )
  return wanted.map((wire) => {
    const role = { module: floorModule, task: { program, wire, ...messages } }
    const sample = async (): Promise<LineResult> => (await measureAlone(role, setting)) as LineResult
    return { key: `c-${wire}`, name: wires[wire].name, setting, sample }
  })
}

/** The path of the C program, made now; undefined, with a note, where it cannot be. */
function buildFloor({ directory, note }: CaseRun): string | undefined {
  const program = join(directory, 'floor')
  const sources = readdirSync(floorSources).filter((name) => name.endsWith('.c'))
  const args = ['-std=c11', '-O2', '-Wall', '-Wextra', '-Werror', '-o', program, ...sources]
  const compiler = process.env['CC'] ?? 'cc'
  const { status, error, stderr } = spawnSync(compiler, args, { cwd: floorSources, encoding: 'utf8' })
  if (status === 0) return program
  note(`without the C program, and what is compared with it: ${error?.message ?? stderr.trim().split('\n')[0]}`)
  return undefined
}

/** A size as the table prints it. */
export function sizeOf(bytes: number): string {
  if (bytes >= 1_000_000) return `${bytes / 1_000_000} MB`
  return bytes >= 1_000 ? `${bytes / 1_000} KB` : `${bytes} B`
}
