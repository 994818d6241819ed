/** Whole conversations over what has no half-close: the tests' Unix sockets, which stand in for the pipes of Windows. */

import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { until } from '../testing/until.ts'
import { connect, type ConnectOptions } from './connect.ts'
import type { Connection } from './connection.ts'
import { type Server, serve } from './serve.ts'

const pipes = vi.hoisted(() => ({ folder: '' }))

vi.mock('../os/pipe-path.ts', () => ({
  hasNamedPipes: () => true,
  pipePath: (name: string) => `${pipes.folder}/${name}`,
}))

beforeEach(async () => {
  pipes.folder = await temporaryDirectory()
})

interface Opened {
  readonly server: Server
  readonly heard: unknown[]
  readonly told: unknown[]
  /** Lets the calls of `slow` return. */
  readonly finish: () => void
  readonly waiting: () => number
  readonly client: (options?: ConnectOptions) => Promise<Connection>
}

async function opened(at: string): Promise<Opened> {
  const heard: unknown[] = []
  const told: unknown[] = []
  const waiting: (() => void)[] = []
  const server = await serve(
    {
      note: (params: unknown) => void heard.push(params),
      echo: (params: unknown) => params,
      slow: () => new Promise((resolve) => void waiting.push(() => resolve('done'))),
    },
    { at, onError: (error) => told.push(error) },
  )
  onTestFinished(() => server.close())
  const client = async (options: ConnectOptions = {}): Promise<Connection> => {
    const connection = await connect(at, { reconnect: false, ...options })
    onTestFinished(() => connection.abort())
    return connection
  }
  const finish = (): void => {
    for (const resolve of waiting.splice(0)) resolve()
  }
  return { server, heard, told, finish, waiting: () => waiting.length, client }
}

for (const at of ['pipe:talk', 'local:talk']) {
  describe(at, () => {
    it('is published as the pipe that it is, and carries large calls and answers', async () => {
      const { client, server } = await opened(at)
      expect(server.addresses).toEqual(['pipe:talk'])
      const connection = await client()
      const large = 'x'.repeat(5_000_000)
      expect(await connection.call('echo', [large])).toBe(large)
    })

    it('brings all that was told before a client closes, and ends in order', async () => {
      const { client, heard, server, told } = await opened(at)
      const connection = await client()
      for (let n = 0; n < 1_000; n++) await connection.notify('note', [n])
      await connection.close()
      expect(await connection.closed).toBeUndefined()
      await until(() => server.connections === 0)
      expect(heard).toEqual(Array.from({ length: 1_000 }, (_, n) => n))
      expect(told).toEqual([])
    })

    it('lets a client that closes wait for the answers it still expects', async () => {
      const { client, finish, waiting } = await opened(at)
      const connection = await client()
      const answers = [connection.call('slow'), connection.call('slow')]
      await until(() => waiting() === 2)
      const closing = connection.close()
      finish()
      expect(await Promise.all(answers)).toEqual(['done', 'done'])
      await closing
    })

    it('lets a server that closes answer what runs, whole and in order', async () => {
      const { client, finish, server, told, waiting } = await opened(at)
      const connections = [await client(), await client()]
      const answers = connections.map((connection) => connection.call('slow'))
      const large = connections.map((connection) => connection.call('echo', ['x'.repeat(1_000_000)]))
      await until(() => waiting() === 2)
      await Promise.all(large)
      const closing = server.close()
      finish()
      expect(await Promise.all(answers)).toEqual(['done', 'done'])
      await closing
      expect(await Promise.all(connections.map(({ closed }) => closed))).toEqual([undefined, undefined])
      expect(told).toEqual([])
    })

    it('ends the calls of a client that gives up, at once and at both sides', async () => {
      const { client, server, waiting } = await opened(at)
      const connection = await client()
      const lost = connection.call('slow').catch((error: unknown) => String(error))
      await until(() => waiting() === 1)
      connection.abort()
      expect(await lost).toMatch(/\[(closed|unknown_outcome)\]/)
      await until(() => server.connections === 0)
    })

    it('refuses a second server of the name', async () => {
      await opened(at)
      await expect(opened(at)).rejects.toMatchObject({ code: 'address_in_use' })
    })
  })
}
