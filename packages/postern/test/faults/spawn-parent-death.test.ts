/** RELIABILITY.md F7: whoever started programs is killed, and no program is left. */

import { readdirSync, readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { until } from '../../src/testing/until.ts'
import { startProgram } from '../child.ts'

/** The processes that are no zombies and satisfy the condition. */
function processes(wanted: (pid: number, status: string, command: string) => boolean): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8')
        return !/^State:\tZ/m.test(status) && wanted(pid, status, readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
      } catch {
        return false
      }
    })
}

test('programs that were started are gone soon after who started them was killed, also those that listen to nothing', async () => {
  const parent = await startProgram('spawn-parent')
  await until(() => parent.stderr().endsWith(']'))
  const [polite = 0, deaf = 0] = JSON.parse(parent.stderr()) as number[]
  const theirs = new Set([polite, deaf])
  onTestFinished(() => {
    for (const pid of processes((pid) => theirs.has(pid))) process.kill(pid, 'SIGKILL')
  })
  const watchdogs = processes((_, status, command) => {
    return status.includes(`\nPPid:\t${parent.process.pid}\n`) && command.includes('postern-watchdog')
  })
  expect(watchdogs).toHaveLength(2)
  expect(processes((pid) => theirs.has(pid))).toHaveLength(2)
  parent.process.kill('SIGKILL')
  await parent.ended
  await until(() => processes((pid) => pid === polite).length === 0, 1_000)
  await until(() => processes((pid) => theirs.has(pid) || watchdogs.includes(pid)).length === 0)
})
