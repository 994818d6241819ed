/** The whole show: Python calls TypeScript, and TypeScript calls Python, each by length prefix and by line. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, isPosternError } from 'postern'
import { packDoubles, stats, unpackDoubles } from './contract.ts'
import { startPython } from './python-program.ts'
import { serveReadings } from './serve-readings.ts'

type Say = (line: string) => void

/** Runs in a directory of its own, and leaves nothing behind. */
export async function runDemo(say: Say): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-python-'))
  const remove = (): void => rmSync(directory, { recursive: true, force: true })
  process.once('exit', remove)
  try {
    await pythonCalls(join(directory, 'readings.sock'), say)
    await typeScriptCalls(join(directory, 'stats.sock'), say)
  } finally {
    process.off('exit', remove)
    remove()
  }
}

async function pythonCalls(path: string, say: Say): Promise<void> {
  await using _server = await serveReadings(`unix:${path}`)
  for (const options of [[], ['--by-line']]) {
    say(`python3 read_sensor.py ${['readings.sock', ...options].join(' ')}`)
    await using program = startPython('read_sensor.py', path, ...options)
    for (const line of await program.output) say(`   ${line}`)
  }
}

async function typeScriptCalls(path: string, say: Say): Promise<void> {
  say('python3 serve_python.py stats.sock')
  await using program = startPython('serve_python.py', path)
  await program.firstLine
  const packed = packDoubles([20, 22, 21, 25, 22])
  for (const address of [`unix:${path}?framing=length-prefix`, `unix:${path}`]) {
    await using connection = await connect(address, stats)
    const { count, mean, deviation } = await connection.api.describe({ packed })
    say(`   ${count} values, ${mean} on average, deviation ${deviation.toFixed(2)}`)
    const smooth = await connection.api.smooth({ packed, window: 3 })
    say(`   smoothed: ${unpackDoubles(smooth.packed).join(' ')}`)
    const refusal = await connection.api.describe({ packed: packDoubles([]) }).catch((error: unknown) => error)
    if (isPosternError(refusal)) say(`   of no values: ${refusal.code}`)
  }
}
