import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { chmod, readdir } from 'node:fs/promises'
import * as promises from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test, vi } from 'vitest'
import { leaveDeadSocket } from '../../test/dead-socket.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { acquireSocketName } from './socket-name.ts'
import type { SocketAccess } from './own-socket.ts'

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof promises>()
  return { ...real, chown: vi.fn(real.chown) }
})

const root = process.geteuid?.() === 0
const group = 70_001

/** `npm test` makes few; POSTERN_STARTS sets how many for each way. */
const starts = Number(process.env['POSTERN_STARTS'] ?? 200)
const timeout = 30_000 + starts * 50

test.each(['000', '002', '022', '077'])(
  'acquireSocketName shows no other mode than 0600 under umask %s',
  { timeout },
  async (umask) => {
    const path = join(await temporaryDirectory(), 's')
    setUmask(umask)
    const watcher = await watchModes(path)
    for (let start = 0; start < starts; start++) await startAndStop(path)
    expect(await watcher.seen()).toEqual([`600 ${process.getegid?.()}`])
  },
)

test.each(['000', '177', '777'])(
  'acquireSocketName listens in a directory of mode 0700 under umask %s',
  async (umask) => {
    const path = join(await temporaryDirectory(), 's')
    setUmask(umask)
    const modes: number[] = []
    const server = createServer()
    const listen = async (bound: string) => {
      modes.push((await promises.lstat(dirname(bound))).mode & 0o777)
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(bound, resolve))
    }
    const name = await acquireSocketName(path, listen).finally(() => server.close())
    modes.push((await promises.lstat(path)).mode & 0o777)
    expect(modes).toEqual([0o700, 0o600])
    await name.release()
  },
)

test('acquireSocketName shows no other mode than 0600 while it takes over', { timeout }, async () => {
  const path = join(await temporaryDirectory(), 's')
  setUmask('177')
  const watcher = await watchModes(path)
  for (let start = 0; start < starts; start++) {
    await leaveDeadSocket(path)
    await startAndStop(path)
  }
  expect(await watcher.seen()).toEqual([`600 ${process.getegid?.()}`])
})

test('acquireSocketName shows no other mode than 0600 in worker threads, whatever becomes of the umask', {
  timeout,
}, async () => {
  const directory = await temporaryDirectory()
  const path = join(directory, 's')
  setUmask('000')
  const watcher = await watchModes(path)
  const done = Promise.all([path, path, join(directory, 'other')].map((name) => startInThread(name)))
  let over = false
  const finish = () => {
    over = true
  }
  done.then(finish, finish)
  while (!over) {
    for (const umask of [0o077, 0o000, 0o022]) process.umask(umask)
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
  await done
  expect(await watcher.seen()).toEqual([`600 ${process.getegid?.()}`])
})

test('acquireSocketName shows a socket for a group with its mode and group at once', { timeout }, async ({ skip }) => {
  skip(!root, 'only root can give a file to a group that it is not in')
  const path = join(await temporaryDirectory(), 's')
  setUmask('000')
  const watcher = await watchModes(path)
  for (let start = 0; start < starts; start++) await startAndStop(path, { mode: 0o660, gid: group })
  expect(await watcher.seen()).toEqual([`660 ${group}`])
})

test('acquireSocketName publishes nothing where the group cannot be set, and says who could', async () => {
  const directory = await temporaryDirectory()
  const attempt = () => startAndStop(join(directory, 's'), { mode: 0o660, gid: group })
  for (const expected of [{ code: 'permission_denied' }, { message: /you must be a member of the group/ }]) {
    vi.mocked(promises.chown).mockRejectedValueOnce(Object.assign(new Error('made up'), { code: 'EPERM' }))
    await expect(attempt()).rejects.toMatchObject(expected)
  }
  expect(await readdir(directory)).toEqual([])
})

test('the watcher sees what is wrong with "listen, then chmod"', { timeout }, async () => {
  const path = join(await temporaryDirectory(), 's')
  setUmask('022')
  const watcher = await watchModes(path)
  for (let start = 0; start < 50; start++) {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(path, resolve))
    await chmod(path, 0o600)
    await new Promise((resolve) => server.close(resolve))
  }
  expect(await watcher.seen()).toContain(`755 ${process.getegid?.()}`)
})

async function startAndStop(path: string, access?: SocketAccess): Promise<void> {
  const server = createServer()
  const listen = (bound: string) =>
    new Promise<void>((resolve, reject) => server.once('error', reject).listen(bound, resolve))
  try {
    const name = await acquireSocketName(path, listen, access === undefined ? {} : { access })
    await name.release()
  } finally {
    server.close()
  }
}

/** Starts and stops servers in a thread of its own; several contend for a name, so one may find it taken. */
async function startInThread(path: string): Promise<void> {
  const worker = new Worker(threadProgram, {
    eval: true,
    workerData: { path, starts, module: new URL('socket-name.ts', import.meta.url).href },
  })
  const [status] = await once(worker, 'exit')
  expect(status).toBe(0)
}

const threadProgram = `
  const { createServer } = require('node:net')
  const { path, starts, module } = require('node:worker_threads').workerData
  import('tsx/esm/api').then(async ({ register }) => {
    register()
    const { acquireSocketName } = await import(module)
    for (let start = 0; start < starts; start++) {
      const server = createServer()
      try {
        const name = await acquireSocketName(path, (bound) => new Promise((resolve) => server.listen(bound, resolve)))
        await name.release()
      } catch (error) {
        if (error.code !== 'address_in_use') throw error
      }
      server.close()
    }
  })
`

function setUmask(umask: string): void {
  const before = process.umask(Number.parseInt(umask, 8))
  onTestFinished(() => void process.umask(before))
}

/** Looks at the path without pause, in another process, and notes every mode and group that it has had. */
async function watchModes(path: string): Promise<{ seen(): Promise<string[]> }> {
  const watcher = spawn(process.execPath, ['-e', watcherProgram, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void watcher.kill('SIGKILL'))
  await once(watcher.stdout, 'data')
  return {
    async seen() {
      writeFileSync(`${path}-stop`, '')
      const [[text]] = (await Promise.all([once(watcher.stdout, 'data'), once(watcher, 'exit')])) as [[Buffer], unknown]
      return JSON.parse(text.toString()) as string[]
    },
  }
}

const watcherProgram = `
  const { lstatSync } = require('node:fs')
  const path = process.argv[1]
  const seen = new Set()
  process.stdout.write('ready')
  while (lstatSync(path + '-stop', { throwIfNoEntry: false }) === undefined)
    for (let look = 0; look < 100; look++) {
      const status = lstatSync(path, { throwIfNoEntry: false })
      if (status !== undefined) seen.add((status.mode & 0o777).toString(8) + ' ' + status.gid)
    }
  process.stdout.write(JSON.stringify([...seen]))
`
