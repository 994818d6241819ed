import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { listenPlainly } from '../../test/dead-socket.ts'
import { descriptorOf } from '../../test/socket-manager.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { PassedSockets } from './listen-fds.ts'

const linux = existsSync('/proc/net/unix')
const needsLinux = 'systemd runs on Linux alone'
const pid = 4_711

test('PassedSockets gives out a socket by its name, once, and cleans the environment', async ({ skip }) => {
  skip(!linux, needsLinux)
  const path = join(await temporaryDirectory(), 's')
  const fd = await listening(path)
  const environment = passing(fd, 'app.socket')
  const sockets = new PassedSockets(environment, pid)
  expect(environment).toEqual({ HOME: '/' })
  expect(sockets.take('app.socket')).toEqual({ fd, path })
  expect(() => sockets.take('app.socket')).toThrow(
    '[address_in_use] this process listens at systemd:app.socket already',
  )
})

test.each([
  [{}, 'no socket was passed to this process'],
  [{ LISTEN_FDS: '1' }, 'no socket was passed to this process'],
  [{ LISTEN_PID: String(pid) }, 'no socket was passed to this process'],
  [{ LISTEN_PID: '1', LISTEN_FDS: '1' }, 'to process 1, not to this one, 4711'],
  [{ LISTEN_PID: '04711', LISTEN_FDS: '1' }, 'to process 04711'],
  [{ LISTEN_PID: String(pid), LISTEN_FDS: '0' }, 'LISTEN_FDS=0 is no number of sockets, 1 to 1000'],
  [{ LISTEN_PID: String(pid), LISTEN_FDS: '-1' }, 'LISTEN_FDS=-1'],
  [{ LISTEN_PID: String(pid), LISTEN_FDS: '1e2' }, 'LISTEN_FDS=1e2'],
  [{ LISTEN_PID: String(pid), LISTEN_FDS: '' }, 'LISTEN_FDS= is'],
  [{ LISTEN_PID: String(pid), LISTEN_FDS: '1001' }, 'LISTEN_FDS=1001'],
  [{ LISTEN_PID: String(pid), LISTEN_FDS: '2', LISTEN_FDNAMES: 'a' }, 'has 1 names for the 2 sockets'],
])('PassedSockets refuses %j, also when asked again', (environment, words) => {
  const sockets = new PassedSockets({ ...environment }, pid)
  for (let asked = 0; asked < 2; asked++) {
    expect(() => sockets.take('')).toThrow(expect.objectContaining({ code: 'not_supported' }))
    expect(() => sockets.take('')).toThrow(words)
  }
})

test.each([
  ['', 'a:b', 'systemd: 2 sockets named a, b passed; say which, as in systemd:a'],
  ['', undefined, 'systemd: 2 sockets without names passed; say which'],
  ['c', 'a:b', 'systemd:c: 2 sockets named a, b passed, none of that name'],
  ['c', 'a:a', 'systemd:c: 2 sockets named a passed, none of that name'],
  ['c', undefined, 'systemd:c: 2 sockets without names passed, none of that name'],
  ['a', 'a:a', 'systemd:a: 2 sockets of that name passed; give each a FileDescriptorName= of its own'],
])('PassedSockets does not guess which of several %j of %s is', (name, names, words) => {
  const environment = {
    LISTEN_PID: String(pid),
    LISTEN_FDS: '2',
    ...(names === undefined ? {} : { LISTEN_FDNAMES: names }),
  }
  const sockets = new PassedSockets(environment, pid)
  expect(() => sockets.take(name)).toThrow(expect.objectContaining({ code: 'bad_address' }))
  expect(() => sockets.take(name)).toThrow(words)
})

test.for<[string, (path: string) => Promise<number>, string]>([
  ['a file', async () => opened('/dev/null'), 'a device, not a socket'],
  ['a TCP socket', listeningAtTcp, 'no Unix socket of this network namespace'],
  ['a connection, as with Accept=yes', connected, 'a socket that does not listen; set Accept=no'],
  [
    'an abstract socket',
    () => listening(`\0postern-test-${process.pid}`),
    'any user could connect to an abstract name',
  ],
  ['a descriptor that is not open', () => Promise.resolve(1_002), 'not open, whatever LISTEN_FDS says'],
])('PassedSockets refuses %s, and does not count it as given', async ([, make, words], { skip }) => {
  skip(!linux, needsLinux)
  const fd = await make(join(await temporaryDirectory(), 's'))
  const sockets = new PassedSockets(passing(fd, 'it'), pid)
  for (let asked = 0; asked < 2; asked++) {
    expect(() => sockets.take('it')).toThrow(expect.objectContaining({ code: 'bad_address' }))
    expect(() => sockets.take('it')).toThrow(`descriptor ${fd}, passed for systemd:, is`)
    expect(() => sockets.take('it')).toThrow(words)
  }
})

/** An environment in which the descriptor is the last of those passed. */
function passing(fd: number, name: string): NodeJS.ProcessEnv {
  const names = [...Array.from({ length: fd - 3 }, () => 'unknown'), name]
  return {
    HOME: '/',
    LISTEN_PID: String(pid),
    LISTEN_PIDFDID: '1',
    LISTEN_FDS: String(names.length),
    LISTEN_FDNAMES: names.join(':'),
  }
}

async function listening(path: string): Promise<number> {
  const server = await listenPlainly(path)
  onTestFinished(() => void server.close())
  return descriptorOf(server)
}

async function listeningAtTcp(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return descriptorOf(server)
}

async function connected(path: string): Promise<number> {
  const server = await listenPlainly(path)
  const client = connect(path)
  const [accepted] = (await once(server, 'connection')) as [object]
  onTestFinished(() => {
    client.destroy()
    server.close()
  })
  return descriptorOf(accepted)
}

function opened(path: string): number {
  const fd = openSync(path, 'r')
  onTestFinished(() => closeSync(fd))
  return fd
}
