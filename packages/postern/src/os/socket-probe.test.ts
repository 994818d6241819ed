import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { leaveDeadSocket, listenPlainly } from '../../test/dead-socket.ts'
import { startStoppedServer } from '../../test/stopped-server.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { probeSocket } from './socket-probe.ts'

test('probeSocket finds a socket dead whose server has gone', async () => {
  const path = join(await temporaryDirectory(), 's')
  await leaveDeadSocket(path)
  expect(await probeSocket(path)).toBe('dead')
})

test('probeSocket finds a listening server alive', async () => {
  const path = join(await temporaryDirectory(), 's')
  const server = await listenPlainly(path)
  onTestFinished(() => void server.close())
  expect(await probeSocket(path)).toBe('alive')
})

test('probeSocket calls alive what it cannot know to be dead', async () => {
  expect(await probeSocket(join(await temporaryDirectory(), 'nothing'))).toBe('alive')
})

test('probeSocket finds a server alive that stands still with a full backlog', async ({ skip }) => {
  skip(process.platform !== 'linux', 'elsewhere a full backlog refuses like a dead socket')
  expect(await probeSocket(await startStoppedServer())).toBe('alive')
})
