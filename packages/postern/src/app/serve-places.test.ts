import { chmod, lstat, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { isPosternError } from '../core/errors.ts'
import { until } from '../testing/until.ts'
import { connect } from './connect.ts'
import { type ServeOptions, type Server, serve } from './serve.ts'

const handlers = { here: () => 'here' }

/** How soon a lost name must be told of where the system watches directories. */
const toldMs = 1_000

async function served(at: ServeOptions['at'], options: Partial<ServeOptions> = {}): Promise<Server> {
  const server = await serve(handlers, { at, ...options })
  onTestFinished(() => server.close())
  return server
}

const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  await promise.then(
    () => 'none',
    (error: unknown) => (isPosternError(error) ? error.code : error),
  )

describe('a name that is lost', () => {
  const ways: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
    'is removed': (path) => rm(path),
    'is moved away': (path) => rename(path, `${path}-elsewhere`),
    'has a file renamed over it': async (path) => {
      await writeFile(`${path}-file`, 'mine')
      await rename(`${path}-file`, path)
    },
    'is given to another socket': async (path) => {
      const other = createServer()
      onTestFinished(() => void other.close())
      await new Promise<void>((resolve) => {
        other.listen(`${path}-other`, resolve)
      })
      await rename(`${path}-other`, path)
    },
  }
  for (const [way, lose] of Object.entries(ways)) {
    it(`is told of within a second when it ${way}; who is connected stays so`, async () => {
      const path = `${await temporaryDirectory()}/s`
      const lost: unknown[] = []
      const server = await served(`unix:${path}`, { onLost: (address, reason) => lost.push([address, reason.code]) })
      const connection = await connect(`unix:${path}`, { reconnect: false })
      onTestFinished(() => connection.abort())
      expect(await connection.call('here')).toBe('here')
      await lose(path)
      const foreign = await lstat(path).catch(() => undefined)
      await until(() => lost.length > 0, toldMs)
      expect(lost).toEqual([[`unix:${path}`, 'closed']])
      expect(await connection.call('here')).toBe('here')
      await server.close()
      expect((await lstat(path).catch(() => undefined))?.ino).toBe(foreign?.ino)
      expect(lost).toHaveLength(1)
    })
  }

  it('is told to onError where nobody asked for it, with the address as context', async () => {
    const path = `${await temporaryDirectory()}/s`
    const told: unknown[] = []
    await served(`unix:${path}`, { onError: (error, context) => told.push([context, String(error)]) })
    await rm(path)
    await until(() => told.length > 0, toldMs)
    expect(told).toEqual([[`unix:${path}`, expect.stringContaining('is no longer of this server')]])
  })

  it('is told of one address, and the other goes on; what onLost throws ends nothing', async () => {
    const directory = await temporaryDirectory()
    const at = [`unix:${directory}/a`, `unix:${directory}/b`]
    const lost: string[] = []
    const told: unknown[] = []
    await served(at, {
      onError: (error, context) => told.push([context, String(error)]),
      onLost: (address) => {
        lost.push(address)
        throw new Error('from onLost itself')
      },
    })
    await rm(`${directory}/a`)
    await until(() => lost.length > 0, toldMs)
    expect(lost).toEqual([`unix:${directory}/a`])
    expect(told).toEqual([['onLost', 'Error: from onLost itself']])
    const connection = await connect(`unix:${directory}/b`)
    expect(await connection.call('here')).toBe('here')
    await connection.close()
  })

  it('is not told of when the server gives it back itself', async () => {
    const path = `${await temporaryDirectory()}/s`
    const lost: unknown[] = []
    const server = await served(`unix:${path}`, { onLost: (address) => lost.push(address) })
    await server.close()
    expect(lost).toEqual([])
    expect(await codeOf(lstat(path))).toMatchObject({ code: 'ENOENT' })
  })
})

describe('an address for a group', () => {
  const gid = process.getgid?.() ?? 0

  /** A directory through which a group gets to those in it. */
  const passable = async (): Promise<string> => {
    const directory = await temporaryDirectory()
    await chmod(directory, 0o711)
    return directory
  }

  it('is a socket of that group in a directory of that group, and serves', async () => {
    const path = `${await passable()}/shared/s`
    await served({ address: `unix:${path}`, group: gid })
    const [socket, directory] = [await lstat(path), await lstat(dirname(path))]
    expect([socket.mode & 0o777, socket.gid, directory.mode & 0o777, directory.gid]).toEqual([0o660, gid, 0o750, gid])
    const connection = await connect(`unix:${path}`)
    expect(await connection.call('here')).toBe('here')
    await connection.close()
  })

  it('stands beside one without a group, whose mode is 0600', async () => {
    const directory = await passable()
    const own = `unix:${directory}/own`
    await served([own, { address: `unix:${directory}/shared/s`, group: gid }])
    expect((await lstat(`${directory}/own`)).mode & 0o777).toBe(0o600)
    expect((await lstat(`${directory}/shared/s`)).mode & 0o777).toBe(0o660)
  })

  const refused: readonly [address: string, why: RegExp][] = [
    ['local:postern-test-group', /\[not_supported\] group works with unix: addresses alone.*private directory/],
    ['memory:postern-test-group', /\[not_supported\] group works with unix: addresses alone.*inside this process/],
    ['systemd:postern-test-group', /\[not_supported\] group works with unix: addresses alone.*SocketGroup=/],
  ]
  for (const [address, why] of refused) {
    it(`is refused for ${address}`, async () => {
      await expect(serve(handlers, { at: { address, group: gid } })).rejects.toThrow(why)
    })
  }

  it('is refused where its directory is for others too, and leaves the other addresses free', async () => {
    const directory = await temporaryDirectory()
    await mkdir(`${directory}/open`, { mode: 0o755 })
    const at = [`unix:${directory}/first`, { address: `unix:${directory}/open/s`, group: gid }]
    expect(await codeOf(serve(handlers, { at }))).toBe('permission_denied')
    expect(await codeOf(lstat(`${directory}/first`))).toMatchObject({ code: 'ENOENT' })
  })

  for (const group of ['', 'no-such-group-here', -1, 0.5, {}, null, true]) {
    it(`is refused where the group is ${JSON.stringify(group)}`, async () => {
      const address = `unix:${await temporaryDirectory()}/shared/s`
      const error: unknown = await serve(handlers, { at: { address, group: group as never } }).then(
        async (server) => await server.close().then(() => 'it served'),
        (reason: unknown) => reason,
      )
      expect(error).toBeInstanceOf(Error)
      expect(String(error)).toMatch(/group/)
    })
  }
})
