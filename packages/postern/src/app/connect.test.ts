import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { rawServer } from '../../test/raw-peer.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { isPosternError } from '../core/errors.ts'
import type { OutgoingFrame } from '../core/channel.ts'
import { until } from '../testing/until.ts'
import { connect } from './connect.ts'
import { type Server, serve } from './serve.ts'

const once = { limits: { retries: 0 } }

async function refused(address: string, ...rest: unknown[]): Promise<string> {
  const error: unknown = await (connect as (...args: unknown[]) => Promise<unknown>)(address, ...rest).catch(
    (reason: unknown) => reason,
  )
  return error instanceof Error ? error.message : 'it connected'
}

describe('connect', () => {
  it('refuses addresses that make no sense, saying what would', async () => {
    expect(await refused('/tmp/x')).toContain('unix:/tmp/x')
    expect(await refused('what:/x')).toContain('schemes are local, unix')
    expect(await refused('local:UPPER')).toContain('bad_address')
    expect(await refused('unix:')).toContain('bad_address')
    expect(await refused('unix:/tmp/x?speed=11')).toContain('allowed are codec, framing')
    expect(await refused('unix:/tmp/x?codec=xml')).toContain('allowed are json, msgpack, cbor')
    expect(await refused('unix:/tmp/x?codec=cbor&framing=newline')).toContain('use framing=length-prefix, which is its')
    expect(await refused('unix:/tmp/x?codec=msgpack&framing=content-length')).toContain('framing=content-length is for')
    expect(await refused('memory:x?codec=msgpack')).toContain('[not_supported]')
    expect(await refused('zmq:/tmp/x')).toContain('[not_supported] zmq: is not built yet')
    expect(await refused(`unix:/${'x'.repeat(107)}`)).toContain('108 bytes')
    expect(await refused('unix:/tmp/a\0b')).toContain('bad_address')
    expect(await refused('unix:@abstract')).toContain('bad_address')
  })

  it('refuses options that do not exist', async () => {
    expect(await refused('memory:x', { retries: 1 })).toContain('no option "retries"')
    expect(await refused('memory:x', { integers: 'string' })).toContain("integers is 'bigint'")
    expect(await refused('memory:x', { limits: { callMs: -1 } })).toContain('limits.callMs')
    expect(await refused('memory:x', { handlers: { a: 1 } })).toContain('must be a function')
  })

  it('says what stands at a path that is no socket', async () => {
    const directory = await temporaryDirectory()
    await writeFile(`${directory}/file`, '')
    await mkdir(`${directory}/directory`)
    await symlink('/nowhere', `${directory}/link`)
    expect(await refused(`unix:${directory}/none`, once)).toContain('no_listener')
    expect(await refused(`unix:${directory}/file`, once)).toContain('file')
    expect(await refused(`unix:${directory}/directory`, once)).toContain('directory')
    expect(await refused(`unix:${directory}/link`, once)).toContain('no_listener')
    expect(await refused('memory:nobody', once)).toContain('no_listener')
  })

  it('waits for a server that is about to come', async () => {
    const at = `unix:${await temporaryDirectory()}/s`
    let server: Server | undefined
    const connecting = connect(at, { limits: { retryMinMs: 10 } })
    setTimeout(() => void serve({ a: () => 1 }, { at }).then((made) => (server = made)), 30)
    const connection = await connecting
    expect(await connection.call('a')).toBe(1)
    await connection.close()
    await server?.close()
  })

  it('gives up after its retries, within connectMs, or when its signal aborts', async () => {
    const at = `unix:${await temporaryDirectory()}/s`
    expect(await refused(at, { limits: { retries: 2, retryMinMs: 1 } })).toContain('no_listener')
    expect(await refused(at, { limits: { retries: 1_000, retryMinMs: 40, connectMs: 60 } })).toContain('no_listener')
    const controller = new AbortController()
    const connecting = refused(at, { signal: controller.signal, limits: { retryMinMs: 5_000 } })
    setTimeout(() => controller.abort(), 20)
    expect(await connecting).toContain('cancelled')
  })

  it('shows every frame to a tap', async () => {
    const seen: string[] = []
    const server = await serve({ a: () => 1 }, { at: 'memory:tapped' })
    const tap = {
      frame: (direction: string, frame: OutgoingFrame) => seen.push(`${direction} ${String(frame)}`),
      close: () => seen.push('close'),
    }
    const connection = await connect('memory:tapped', { tap })
    await connection.call('a')
    await connection.close()
    await server.close()
    expect(seen).toEqual([
      'out {"jsonrpc":"2.0","id":1,"method":"a"}',
      'in {"jsonrpc":"2.0","id":1,"result":1}',
      'close',
    ])
  })
})

describe('Connection', () => {
  async function opened(handlers: Parameters<typeof serve>[0], options = {}) {
    const at = `unix:${await temporaryDirectory()}/s`
    const server = await serve(handlers as never, { at })
    const connection = await connect(at, options)
    onTestFinished(async () => {
      connection.abort()
      await server.close()
    })
    return connection
  }

  it('sends params by value: objects and arrays as they are, anything else as the one positional', async () => {
    const frames: string[] = []
    const { path } = await rawServer((peer) => {
      void (async () => {
        for (;;) {
          const line = await peer.line()
          frames.push(line)
          peer.send(`{"id":${(JSON.parse(line) as { id: number }).id},"result":0}\n`)
        }
      })().catch(() => undefined)
    })
    const connection = await connect(`unix:${path}`)
    for (const params of [undefined, {}, [], [1, 2], 'text', 5, null, false, new Date(0)])
      await connection.call('m', params)
    const sent = frames.map((frame) => JSON.stringify((JSON.parse(frame) as { params?: unknown }).params))
    expect(sent).toEqual([
      undefined,
      '{}',
      '[]',
      '[1,2]',
      '["text"]',
      '[5]',
      '[null]',
      '[false]',
      '["1970-01-01T00:00:00.000Z"]',
    ])
    connection.abort()
  })

  it('refuses params that JSON cannot carry, saying where', async () => {
    const connection = await opened({ a: () => 1 })
    await expect(connection.call('a', { deep: [1n] })).rejects.toThrow(
      /deep\[0\] is the bigint 1, which JSON cannot carry; use codec=msgpack or codec=cbor, or send it as a string/,
    )
    await expect(connection.call('a', new Uint8Array(3))).rejects.toThrow(/Uint8Array/)
    await expect(connection.call('a', Number.NaN)).rejects.toThrow(/NaN/)
    expect(await connection.call('a')).toBe(1)
  })

  it('refuses wrong use at once', async () => {
    const connection = await opened({ a: () => 1 })
    await expect(connection.call('')).rejects.toThrow(TypeError)
    await expect(connection.call(5 as never)).rejects.toThrow(TypeError)
    await expect(connection.call('a', [], { timeoutMs: 0 })).rejects.toThrow(/timeoutMs/)
    await expect(connection.call('a', [], { timeoutMs: Number.NaN })).rejects.toThrow(/timeoutMs/)
    await expect((async () => connection.batch([]))()).rejects.toThrow(TypeError)
    await expect(connection.notify('')).rejects.toThrow(TypeError)
  })

  it('gives up a call whose signal aborts, before and after it was sent, and tells a Postern server', async () => {
    let aborted = 0
    const connection = await opened(
      {
        wait: (_params: unknown, { signal }: { signal: AbortSignal }) =>
          new Promise(() => signal.addEventListener('abort', () => aborted++)),
      },
      { postern: true },
    )
    await expect(connection.call('wait', [], { signal: AbortSignal.abort() })).rejects.toThrow(
      /cancelled before it was sent/,
    )
    const controller = new AbortController()
    const call = connection.call('wait', [], { signal: controller.signal })
    setTimeout(() => controller.abort(), 10)
    await expect(call).rejects.toThrow(/\[cancelled\]/)
    await until(() => aborted === 1)
  })

  it('removes its listener from a signal that many calls share', async () => {
    const connection = await opened({ a: () => 1 })
    const { signal } = new AbortController()
    const added = vi.spyOn(signal, 'addEventListener')
    const removed = vi.spyOn(signal, 'removeEventListener')
    for (let n = 0; n < 10; n++) await connection.call('a', [], { signal })
    expect(added).toHaveBeenCalledTimes(10)
    expect(removed).toHaveBeenCalledTimes(10)
  })

  it('bounds the calls that wait', async () => {
    const connection = await opened({ never: () => new Promise(() => undefined) }, { limits: { maxPending: 2 } })
    const calls = [connection.call('never'), connection.call('never')].map((call) => call.catch(() => undefined))
    await expect(connection.call('never')).rejects.toThrow(/limits\.maxPending \(2\)/)
    connection.abort()
    await Promise.all(calls)
  })

  it('waits for its calls when it closes, and refuses new ones', async () => {
    const connection = await opened({ later: () => new Promise((resolve) => setTimeout(() => resolve('late'), 20)) })
    const call = connection.call('later')
    const closing = connection.close()
    await expect(connection.call('later')).rejects.toThrow(/\[closed\]/)
    expect(await call).toBe('late')
    await closing
    await connection.close()
    expect(await connection.closed).toBe(undefined)
  })

  it('rejects what waits when it is aborted', async () => {
    const connection = await opened({ never: () => new Promise(() => undefined) })
    const call = connection.call('never').catch((reason: unknown) => reason)
    await connection.batch([['x']])
    connection.abort()
    expect(isPosternError(await call, 'unknown_outcome')).toBe(true)
    expect(isPosternError(await connection.closed, 'closed')).toBe(true)
  })

  it('keeps integers of an answer, and gives the bytes of a raw one', async () => {
    const connection = await opened({ a: () => ({ x: [1, '}{"', { result: 2 }] }) })
    expect(Buffer.from(await connection.call('a', [], { raw: true })).toString()).toBe('{"x":[1,"}{\\"",{"result":2}]}')
    expect(await connection.call('a')).toEqual({ x: [1, '}{"', { result: 2 }] })
  })

  it('closes by await using', async () => {
    const connection = await opened({ a: () => 1 })
    await connection[Symbol.asyncDispose]()
    await expect(connection.call('a')).rejects.toThrow(/\[closed\]/)
  })
})
