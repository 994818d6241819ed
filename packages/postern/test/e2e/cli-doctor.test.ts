/** `postern doctor`. */

import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../temporary-directory.ts'
import { runCli, runShell, startInTerminal, whyNoTerminal } from './run-cli.ts'

interface Finding {
  readonly name: string
  readonly state: string
  readonly detail: string
}

function findingsIn(stdout: string): ReadonlyMap<string, Finding> {
  const findings = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Finding)
  return new Map(findings.map((finding) => [finding.name, finding]))
}

/** A runtime directory in which there is one for names, of this mode. */
async function runtimeDirectory(mode: number): Promise<string> {
  const runtime = await temporaryDirectory()
  await mkdir(join(runtime, 'postern'))
  await chmod(join(runtime, 'postern'), mode)
  return runtime
}

describe.skipIf(process.platform === 'win32')('postern doctor', () => {
  test('says what is there, a line of JSON each in a pipe', async () => {
    const runtime = await runtimeDirectory(0o700)
    const { status, stdout, stderr } = await runCli(['doctor'], { env: { XDG_RUNTIME_DIR: runtime } })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const findings = findingsIn(stdout)
    expect(findings.get('Node')).toEqual({ name: 'Node', state: 'ok', detail: process.versions.node })
    expect(findings.get('local: names')?.detail).toBe(
      `${join(runtime, 'postern')}, mode 0700, owner uid ${process.getuid?.()}`,
    )
    expect([...findings.keys()]).toEqual([
      'Node',
      'system',
      'local: names',
      '@postern/native',
      'msgpackr',
      'cbor-x',
      'viem',
      'open files',
    ])
  })

  test('ends with 1 when something is wrong, and says what', async () => {
    const runtime = await runtimeDirectory(0o755)
    const { status, stdout } = await runCli(['doctor', '--json'], { env: { XDG_RUNTIME_DIR: runtime } })
    expect(status).toBe(1)
    const directory = join(runtime, 'postern')
    expect(findingsIn(stdout).get('local: names')).toEqual({
      name: 'local: names',
      state: 'wrong',
      detail: `directory ${directory} has mode 0755, which lets others in; chmod 700 ${directory}`,
    })
  })

  test('notes how many connections a small limit on open files leaves', async () => {
    const { stdout } = await runShell('ulimit -n 200 && exec "$@"', ['doctor'])
    expect(findingsIn(stdout).get('open files')).toMatchObject({
      state: 'note',
      detail: 'up to 200, so that a server has 136 connections in place of 1024; ulimit -n raises it',
    })
  })

  test('shows columns on a terminal', async ({ skip }) => {
    const why = whyNoTerminal()
    if (why !== undefined) skip(why)
    const { stdout } = await startInTerminal(['doctor']).result
    expect(stdout.split('\r\n')[0]).toMatch(/^ok +Node +[\d.]+$/)
    const lines = (await startInTerminal(['doctor', '--json']).result).stdout.split('\r\n')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ name: 'Node', state: 'ok' })
  })

  test('takes no arguments', async () => {
    const { status, stderr } = await runCli(['doctor', 'x'])
    expect(status).toBe(2)
    expect(stderr).toMatch(/doctor takes no arguments, so "x" is too many/)
  })
})
