/** A bench program: its command line, its cases in turn, and the report of what they measured. */

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { runBench } from './bench-run.ts'
import type { BenchCase } from './cases/bench-case.ts'
import { describeMachine, formatMachine } from './machine.ts'
import { possibleSettings, whyNotPinned } from './pinned.ts'
import { formatTable, type Row } from './table.ts'

/** What a program measures. */
export interface BenchProgram {
  /** As in `npm run bench:NAME`. */
  readonly name: string
  readonly cases: readonly BenchCase[]
}

interface Options {
  readonly chosen: readonly BenchCase[]
  readonly rounds: number
  readonly quick: boolean
  readonly json: string | undefined
}

/** Does what the command line asks for, and sets the exit status: 0, 1 for a failure, 2 for wrong arguments. */
export async function runBenchProgram(program: BenchProgram): Promise<void> {
  const options = optionsOrUsage(program)
  if (options === undefined) process.exitCode = 2
  else await runBench((directory) => measureAll(program, options, directory))
}

function optionsOrUsage(program: BenchProgram): Options | undefined {
  try {
    return readOptions(program)
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}\n${usageOf(program)}`)
    return undefined
  }
}

function usageOf({ name, cases }: BenchProgram): string {
  return `usage: npm run bench:${name} -- [--only NAME]... [--rounds N] [--quick] [--json FILE]

  --only NAME    measure only this: ${cases.map((one) => one.name).join(', ')}
  --rounds N     default 5
  --quick        one short round in one setting, which shows only that everything runs
  --json FILE    also write everything to a file
`
}

function readOptions({ cases }: BenchProgram): Options {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      rounds: { type: 'string', default: '5' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  })
  const { only, quick } = values
  const unknown = only?.find((name) => !cases.some((one) => one.name === name))
  if (unknown !== undefined) throw new TypeError(`there is no case ${unknown}`)
  const rounds = Number(values.rounds)
  if (!Number.isSafeInteger(rounds) || rounds < 1) {
    throw new TypeError(`--rounds takes a positive number, not ${values.rounds}`)
  }
  // npm runs us in the folder of the workspace; the file is named from where the user is.
  const json = values.json === undefined ? undefined : resolve(process.env['INIT_CWD'] ?? '.', values.json)
  return { chosen: cases.filter(({ name }) => only?.includes(name) ?? true), rounds: quick ? 1 : rounds, quick, json }
}

async function measureAll(program: BenchProgram, options: Options, directory: string): Promise<void> {
  const { chosen, rounds, quick, json } = options
  const machine = describeMachine()
  const notPinned = whyNotPinned()
  // The first is pinned where that can be; the other takes the same path.
  const settings = possibleSettings().slice(0, quick ? 1 : undefined)
  const notes: string[] = []
  if (quick) notes.push('--quick: one short round in one setting; its figures mean nothing and are not judged')
  if (notPinned !== undefined) notes.push(`only free, nothing is pinned: ${notPinned}`)
  const rows: Row[] = []
  for (const { name, measure } of chosen) {
    const progress = (text: string): void => console.error(`${name}: ${text}`)
    const note = (text: string): void => {
      if (!notes.includes(text)) notes.push(text)
    }
    const measured = await measure({ directory, rounds, quick, settings, progress, note })
    rows.push(...(quick ? measured.map(withoutVerdict) : measured))
  }
  console.log(formatMachine(machine))
  console.log(`${rounds} interleaved rounds; a ratio is to the first row of its group, in the same round`)
  for (const note of notes) console.log(note)
  console.log(`\n${formatTable(rows)}`)
  if (json === undefined) return
  const pinning = notPinned === undefined ? {} : { notPinned }
  const report = { bench: program.name, quick, rounds, machine, ...pinning, notes, rows }
  await writeFile(json, `${JSON.stringify(report, null, 2)}\n`)
}

function withoutVerdict({ met: _, ...row }: Row): Row {
  return row
}
