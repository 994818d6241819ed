/** What differs between the conversations over one socket, and what must not. */

import { writeFile } from 'node:fs/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../src/app/connect.ts'
import { serve } from '../../src/app/serve.ts'
import { isPosternError } from '../../src/core/errors.ts'
import { contract } from '../../src/service/contract.ts'
import { event, method } from '../../src/service/members.ts'
import { until } from '../../src/testing/until.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { codeOf, codecIn, conversations, isText, opened, Recorded, type ServiceHarness } from './service.ts'

const store = contract('store', {
  echo: method(),
  make: method(),
  never: method(),
  changed: event(),
})

const served = (harness: ServiceHarness, options: Parameters<typeof opened>[3] = {}) => {
  const aborted: unknown[] = []
  const handlers = {
    echo: (value: unknown) => value,
    make: (bytes: unknown) => 'x'.repeat(bytes as number),
    never: async (_params: unknown, { signal }: { signal: AbortSignal }) => {
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve())
      })
      aborted.push(signal.reason)
    },
  }
  return opened(harness, store, handlers, options).then((all) => ({ ...all, aborted }))
}

for (const harness of conversations) {
  describe(`a service over ${harness.name}`, () => {
    it('takes any plain value as params and as a result', async () => {
      const { api } = await (await served(harness)).client()
      for (const value of [undefined, null, 0, -1.5, '', 'é\u{1f511}', true, { a: [{ b: null }] }, {}])
        expect(await api.echo(value)).toEqual(value ?? null)
    })

    it('answers 64 calls at once, each with its own', async () => {
      const { api } = await (await served(harness)).client()
      const values = Array.from({ length: 64 }, (_, n) => ({ n, text: 'x'.repeat(n * 10) }))
      expect(await Promise.all(values.map((value) => api.echo(value)))).toEqual(values)
    })

    it('carries an answer of 5 MB and tells how it comes along', async () => {
      const connection = await (await served(harness)).client()
      let told = 0
      const onProgress = (bytes: number): void => void (told = Math.max(told, bytes))
      const text = await connection.api.make(5_000_000, { onProgress })
      expect(text).toHaveLength(5_000_000)
      expect(told).toBeGreaterThan(1_000_000)
    })

    it('gives the bytes of a result unparsed', async () => {
      const connection = await (await served(harness)).client()
      const raw = (await connection.call('store.echo', { a: [1, 'two'] }, { raw: true })) as Uint8Array
      const expected = { json: '7b2261223a5b312c2274776f225d7d', msgpack: '81a161920', cbor: 'a16161820' }[
        codecIn(harness)
      ]
      expect(Buffer.from(raw).toString('hex')).toContain(expected)
      expect(await connection.call('store.echo', 1)).toBe(1)
    })

    it('tells the handler when its caller gives up', async () => {
      const { aborted, client } = await served(harness)
      const { api } = await client()
      const aborting = new AbortController()
      const call = codeOf(api.never(undefined, { signal: aborting.signal }))
      await api.echo(1)
      aborting.abort()
      expect(await call).toBe('cancelled')
      await until(() => aborted.length === 1)
      expect(isPosternError(aborted[0], 'cancelled')).toBe(true)
    })

    it('refuses nesting over limits.maxDepth, and ends', async () => {
      const { client, server } = await served(harness, { limits: { maxDepth: 10 } })
      const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) })
      // The call itself is a container or two.
      expect(await (await client()).api.echo(nested(7))).toEqual(nested(7))
      expect(await codeOf((await client()).api.echo(nested(11)))).toMatch(/limit_exceeded|unknown_outcome/)
      await until(() => server.connections === 1)
    })

    it('refuses more names than limits.maxNames in a call, and ends, but takes any answer', async () => {
      const { client, server } = await served(harness, { limits: { maxNames: 50 } })
      const members = (count: number): object =>
        Object.fromEntries(Array.from({ length: count }, (_, n) => [`n${n}`, n]))
      // The call itself has some.
      const { api } = await client({ limits: { maxNames: 1 } })
      expect(await api.echo(members(45))).toEqual(members(45))
      expect(await codeOf((await client()).api.echo(members(51)))).toMatch(/limit_exceeded|unknown_outcome/)
      await until(() => server.connections === 1)
    })

    it('refuses a call over limits.maxCallBytes', async () => {
      const { client } = await served(harness, { limits: { maxCallBytes: 1_000 } })
      const { api } = await client()
      expect(await api.echo('x'.repeat(500))).toHaveLength(500)
      expect(await codeOf(api.echo('x'.repeat(2_000)))).toMatch(/limit_exceeded|frame_too_large/)
    })

    it('wants the token first where there is one', async () => {
      const file = `${await temporaryDirectory()}/token`
      const address = await harness.address()
      const server = await serve(
        store,
        { echo: (value) => value, make: () => 1, never: () => 1 },
        {
          at: { address, token: { file } },
          onError: () => undefined,
        },
      )
      onTestFinished(() => server.close())
      const client = `${address}${harness.parameters ?? ''}`
      const options = { reconnect: false, onError: () => undefined } as const
      const connection = await connect(client, store, { ...options, token: { file } })
      onTestFinished(() => connection.abort())
      expect(await connection.api.echo('in')).toBe('in')
      const stranger = await connect(client, store, options)
      onTestFinished(() => stranger.abort())
      expect(await codeOf(stranger.api.echo('out'))).toBe('permission_denied')
      const wrong = `${await temporaryDirectory()}/wrong`
      await writeFile(wrong, 'not-the-token-of-43-characters-that-is-in-it', { mode: 0o600 })
      expect(await codeOf(connect(client, store, { ...options, token: { file: wrong } }))).toBe('permission_denied')
    })

    if (isText(harness))
      it('refuses bytes and large integers, and says which codec carries them', async () => {
        const { api } = await (await served(harness)).client()
        for (const value of [new Uint8Array(3), 2n ** 60n])
          await expect(api.echo(value)).rejects.toThrow(/codec=msgpack or codec=cbor/)
      })

    if (!isText(harness))
      it('carries bytes and integers of 64 bits as they are, both ways', async () => {
        const { api } = await (await served(harness)).client()
        const bytes = Uint8Array.from({ length: 70_000 }, (_, n) => n % 251)
        for (const value of [
          bytes,
          [bytes, new Uint8Array(0)],
          { large: 2n ** 63n, small: -(2n ** 63n), edge: 2n ** 53n },
        ])
          expect(await api.echo({ value })).toEqual({ value })
        const got = (await api.echo(bytes)) as Uint8Array
        expect([got.constructor, got.buffer.byteLength]).toEqual([Uint8Array, bytes.length])
      })
  })
}

describe('an event', () => {
  it('reaches all whose connection can carry it; the others are told and listen no more', async () => {
    const [text, binary] = [conversations[0], conversations[2]] as [ServiceHarness, ServiceHarness]
    const address = await text.address()
    const { server } = await served({ name: 'mixed', address: async () => address })
    const heard: [string, unknown][] = []
    const told: unknown[] = []
    for (const { name, parameters = '' } of [text, binary]) {
      const connection = await connect(`${address}${parameters}`, store, { onError: (error) => told.push(error) })
      onTestFinished(() => connection.abort())
      await connection.on.changed((payload) => heard.push([name, payload])).ready
    }
    server.emit.changed('both')
    await until(() => heard.length === 2)
    server.emit.changed(new Uint8Array([7]))
    await until(() => heard.length === 3 && told.length === 1)
    expect(heard[2]).toEqual([binary.name, new Uint8Array([7])])
    expect(String(told[0])).toContain('codec=msgpack')
    server.emit.changed('one')
    await until(() => heard.length === 4)
    expect(heard[3]).toEqual([binary.name, 'one'])
    expect(() => server.emit.changed(() => 1)).toThrow(TypeError)
  })
})

describe('a client that speaks with the headers of LSP', () => {
  it('takes a call back with $/cancelRequest, whoever the server is, and sends no rpc.* to a foreign one', async () => {
    const [harness] = conversations as [ServiceHarness]
    const tap = new Recorded()
    const { address, aborted } = await served(harness)
    const connection = await connect(address, { tap, reconnect: false })
    onTestFinished(() => connection.abort())
    const aborting = new AbortController()
    const call = codeOf(connection.call('store.never', undefined, { signal: aborting.signal }))
    await connection.call('store.echo', 1)
    aborting.abort()
    expect(await call).toBe('cancelled')
    await until(() => aborted.length === 1)
    expect(tap.text).toContain('"method":"$/cancelRequest"')
    expect(tap.text).not.toContain('rpc.')
  })
})
