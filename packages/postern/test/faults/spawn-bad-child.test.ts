/** RELIABILITY.md F6 and F8: programs that are started and do all that a program should not. */

import { chmod, writeFile } from 'node:fs/promises'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { isPosternError } from '../../src/core/errors.ts'
import type { Stream } from '../../src/core/stream.ts'
import { until } from '../../src/testing/until.ts'
import type { SpawnAddress } from '../../src/app/spawn.ts'
import { scriptArgv, spawned } from '../spawned-streams.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { watch } from '../unix-streams.ts'

const graceMs = 100
/** Enough for a busy machine to carry out a SIGTERM before SIGKILL comes. */
const longGraceMs = 1_000
const stays = 'setInterval(() => 0, 1e6);'
const deaf = `process.on('SIGTERM', () => 0); ${stays}`

/** Whether the process is there; a zombie is. */
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function pidOf({ peer }: Stream): number {
  if (peer.pid === undefined) throw new Error('no pid')
  return peer.pid
}

/** Descriptors that whoever started this process left open for all of its children, which Node does not close. */
function inheritable(): Set<string> {
  const closedOnExec = 0o2000000
  const found = readdirSync('/proc/self/fd').filter((fd) => {
    const flags = /^flags:\t(\d+)/m.exec(textOf(`/proc/self/fdinfo/${fd}`))?.[1] ?? '2000000'
    return Number(fd) > 3 && (Number.parseInt(flags, 8) & closedOnExec) === 0
  })
  return new Set(found)
}

/** A process of somebody else's may stay a zombie. */
function runs(pid: number): boolean {
  return exists(pid) && !/^State:\tZ/m.test(textOf(`/proc/${pid}/status`))
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

describe.each(['socket', 'stdio'] as const)('a program spoken to over %s', (over) => {
  it('that exits at once is told of with its status and its last words', async () => {
    const stream = await spawned({ spawn: scriptArgv('throw new Error("no \\x1b[31mconfig")'), over })
    const reason = await watch(stream).closed
    expect(reason).toMatchObject({ code: 'closed', details: { exitCode: 1, signal: null } })
    expect(reason?.message).toContain('exited with status 1: ')
    expect(reason?.message).toContain('Error: no \\u001b[31mconfig')
    expect(reason?.message).not.toContain('\x1b')
  })

  it('that exits with 0 though nobody has ended the conversation is told of too', async () => {
    const stream = await spawned({ spawn: scriptArgv('process.exit(0)'), over })
    const reason = await watch(stream).closed
    expect(reason?.message).toMatch(/ exited with status 0; it wrote nothing to stderr$/)
  })

  it('that ends by a signal is told of with its name', async () => {
    const stream = await spawned({ spawn: scriptArgv('process.kill(process.pid, "SIGKILL")'), over })
    expect(await watch(stream).closed).toMatchObject({ code: 'closed', details: { exitCode: null, signal: 'SIGKILL' } })
  })

  it('that hangs is ended by SIGTERM after the grace', async () => {
    const stream = await spawned({ spawn: scriptArgv(stays), over, graceMs: longGraceMs })
    const { closed } = watch(stream)
    stream.write('nobody reads this')
    stream.end()
    expect(await closed).toMatchObject({ code: 'closed', details: { signal: 'SIGTERM' } })
    expect(exists(pidOf(stream)), 'a process after the close').toBe(false)
  })

  it('that ignores SIGTERM is ended by SIGKILL', async () => {
    let said = ''
    const stream = await spawned({
      spawn: scriptArgv(`${deaf} process.stderr.write('deaf')`),
      over,
      graceMs,
      onStderr: (text) => (said += text),
    })
    const { closed } = watch(stream)
    await until(() => said === 'deaf')
    stream.end()
    expect(await closed).toMatchObject({ details: { signal: 'SIGKILL', stderr: 'deaf' } })
    expect(exists(pidOf(stream))).toBe(false)
  })

  it('that floods stderr costs 8 KiB, and still its last words are there', async () => {
    const flood = `const line = 'x'.repeat(1023) + '\\n'; let n = 0
      const more = () => n++ < 30_000 ? process.stderr.write(line, more) : process.stderr.write('the end\\n', () => process.exit(9))
      more()`
    const stream = await spawned({ spawn: scriptArgv(flood), over })
    const reason = await watch(stream).closed
    const { stderr } = reason?.details as { stderr: string }
    expect(stderr).toHaveLength(8_192)
    expect(stderr.endsWith('x\nthe end\n')).toBe(true)
    expect(reason?.message.length).toBeLessThan(700)
  })

  it('that leaves behind a process which holds its pipes ends all the same, and that process too', async () => {
    const grandchild = `process.on('SIGTERM', () => 0); ${stays} process.send('ready')`
    const script = `const child = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}], { stdio: ['inherit', 'inherit', 'inherit', 'ipc', ${over === 'socket' ? 3 : '"ignore"'}] })
      child.on('message', () => process.stderr.write(String(child.pid), () => process.exit(4)))`
    const stream = await spawned({ spawn: scriptArgv(script), over, graceMs })
    const reason = await watch(stream).closed
    expect(reason).toMatchObject({ code: 'closed', details: { exitCode: 4 } })
    const pid = Number((reason?.details as { stderr: string }).stderr)
    expect(pid).toBeGreaterThan(1)
    await until(() => !runs(pid))
  })

  it('has no descriptors but its own', async () => {
    const stream = await spawned({ spawn: ['sleep', '60'], over, graceMs })
    watch(stream)
    const own = over === 'socket' ? ['0', '1', '2', '3'] : ['0', '1', '2']
    const ofOthers = inheritable()
    const open = (): string[] => readdirSync(`/proc/${pidOf(stream)}/fd`).filter((fd) => !ofOthers.has(fd))
    await until(() => open().length === own.length)
    expect(open()).toEqual(own)
    stream.end()
  })
})

describe('a program', () => {
  it('that closes its stdin and nothing else is ended', async () => {
    const stream = await spawned({
      spawn: scriptArgv(`require('node:fs').closeSync(0); ${stays} console.log('closed')`),
      over: 'stdio',
      graceMs,
    })
    const watched = watch(stream)
    await watched.next('data')
    stream.write('nobody reads this\n')
    const reason = await watched.closed
    expect(reason?.code).toBe('closed')
    const [first, second] = [reason?.cause, (reason?.cause as Error | undefined)?.cause]
    expect([first, second]).toContainEqual(expect.objectContaining({ code: 'EPIPE' }))

    await until(() => !exists(pidOf(stream)))
  })

  it('that closes its socket and lives on is said to have ended, and is ended', async () => {
    const stream = await spawned({
      spawn: scriptArgv(`require('node:fs').closeSync(3); ${stays}`),
      graceMs: longGraceMs,
    })
    const watched = watch(stream)
    await watched.next('end')
    stream.end()
    expect(await watched.closed).toMatchObject({ code: 'closed', details: { signal: 'SIGTERM' } })
  })

  it('that sends descriptors over the socket gets none of them through, and hurts nobody', async () => {
    const send = `const server = require('node:net').createServer().listen(0, () => {
      for (let n = 0; n < 20; n++) process.send({ n }, server)
    })`
    const before = readdirSync('/proc/self/fd').length
    const stream = await spawned({ spawn: scriptArgv(send), env: { NODE_CHANNEL_FD: '3' }, graceMs })
    const watched = watch(stream)
    await until(() => watched.text().includes('NODE_HANDLE'))
    expect(readdirSync('/proc/self/fd').length).toBeLessThan(before + 8)
    stream.end()
    await watched.closed
  })

  it('that is not there, is not executable, or has no directory, is not started', async () => {
    const directory = await temporaryDirectory()
    await writeFile(`${directory}/plain`, 'no program')
    await chmod(`${directory}/plain`, 0o644)
    const start = (address: SpawnAddress): Promise<unknown> => spawned(address).catch((error: unknown) => error)
    expect(await start({ spawn: ['postern-no-such-program'] })).toMatchObject({
      code: 'bad_address',
      message: expect.stringContaining('PATH'),
    })
    expect(await start({ spawn: [`${directory}/none`] })).toMatchObject({
      code: 'bad_address',
      message: expect.stringContaining('nothing is at that path'),
    })
    expect(await start({ spawn: [`${directory}/plain`] })).toMatchObject({
      code: 'permission_denied',
      message: expect.stringContaining('chmod +x'),
    })
    expect(await start({ spawn: ['sleep', '9'], cwd: `${directory}/none` })).toMatchObject({
      code: 'bad_address',
      message: expect.stringContaining('correct cwd'),
    })
    const long = await start({ spawn: ['sleep', 'x'.repeat(4_000_000)] })
    expect(isPosternError(long, 'bad_address') && long.message.length < 400, String(long)).toBe(true)
  })
})
