/** `unix:` and `shm:` have paths of the same kind: who takes one for the other is told. */

import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { connect } from '../../src/app/connect.ts'
import { serve } from '../../src/app/serve.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const options = { reconnect: false, limits: { connectMs: 300 }, onError: () => undefined } as const

async function servedAt(scheme: 'unix' | 'shm'): Promise<string> {
  const path = join(await temporaryDirectory(), 's')
  const server = await serve({ add: () => 1 }, { at: `${scheme}:${path}`, onError: () => undefined })
  onTestFinished(() => server.close())
  return path
}

test.each(['', '?codec=msgpack', '?framing=length-prefix', '?framing=content-length'])(
  'a client of unix:%s at the path of shm: is told of it',
  async (parameters) => {
    const path = await servedAt('shm')
    const connection = await connect(`unix:${path}${parameters}`, options)
    onTestFinished(() => connection.abort())
    await expect(connection.call('add')).rejects.toThrow('connect to the same path with shm: in place of unix:')
    expect(await connection.closed).toMatchObject({ code: 'unsupported_protocol' })
    const client = await connect(`shm:${path}${parameters}`, options)
    onTestFinished(() => client.abort())
    expect(await client.call('add')).toBe(1)
  },
)

test('a client of shm: at the path of unix: is told of it', async () => {
  const path = await servedAt('unix')
  await expect(connect(`shm:${path}`, options)).rejects.toThrow('is its server one of unix: and not of shm:?')
  const client = await connect(`unix:${path}`, options)
  onTestFinished(() => client.abort())
  expect(await client.call('add')).toBe(1)
})
