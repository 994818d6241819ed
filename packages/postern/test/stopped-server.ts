import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { temporaryDirectory } from './temporary-directory.ts'

const program = `require('node:net').createServer().listen({ path: process.argv[1], backlog: 1 }, () => console.log('listening'))`

/** The path of a live server that stands still (SIGSTOP) and whose backlog is full, until the test is over. */
export async function startStoppedServer(): Promise<string> {
  const path = join(await temporaryDirectory(), 's')
  const child = spawn(process.execPath, ['-e', program, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const waiting: Socket[] = []
  onTestFinished(() => {
    for (const socket of waiting) socket.destroy()
    child.kill('SIGKILL')
  })
  await once(child.stdout, 'data')
  child.kill('SIGSTOP')
  while (await connects(path, waiting)) if (waiting.length > 100) throw new Error('the backlog of 1 has no end')
  return path
}

function connects(path: string, waiting: Socket[]): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    waiting.push(socket)
    socket.on('connect', () => resolve(true))
    socket.on('error', () => resolve(false))
  })
}
