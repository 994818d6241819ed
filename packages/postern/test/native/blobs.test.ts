import { readdirSync, readFileSync } from 'node:fs'
import { expect, onTestFinished, test, vi } from 'vitest'
import { connect } from '../../src/app/connect.ts'
import type { Connection } from '../../src/app/connection.ts'
import { serve } from '../../src/app/serve.ts'
import type { SharedBlob } from '../../src/core/blobs.ts'
import type { Limits } from '../../src/core/limits.ts'
import type { CallContext } from '../../src/rpc/incoming-call.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

interface Frame {
  readonly name: string
  readonly pixels: Uint8Array
}

/** What the server was told of, in order. */
interface Opened {
  readonly connection: Connection
  readonly told: unknown[]
}

async function opened(codec: 'msgpack' | 'cbor', limits: Partial<Limits> = {}): Promise<Opened> {
  const at = `shm:${await temporaryDirectory()}/s`
  const told: unknown[] = []
  const kept: Uint8Array[] = []
  const handlers = {
    keep: ({ pixels }: Frame) => void kept.push(pixels),
    sum: ({ name, pixels }: Frame) => ({ name, sum: pixels.reduce((sum, byte) => sum + byte, 0) }),
    make: (bytes: number, ctx: CallContext) => {
      const blob = ctx.blob(bytes)
      blob.bytes.fill(7)
      return { a: new Uint8Array([1, 2]), blob, b: -0 }
    },
    write: ({ pixels }: Frame) => {
      pixels.fill(9)
      return pixels[0]
    },
  }
  const server = await serve(handlers, { at, limits, onError: (error) => void told.push(error) })
  onTestFinished(() => server.close())
  const connection = await connect(`${at}?codec=${codec}`, { limits })
  onTestFinished(() => connection.close())
  return { connection, told }
}

/** The memory of blobs that this process has, by mapping and by descriptor. */
function blobsHere(): number {
  const mapped = readFileSync('/proc/self/maps', 'utf8').match(/memfd:postern/g)?.length ?? 0
  return mapped + readdirSync('/proc/self/fd').length
}

test.each(['msgpack', 'cbor'] as const)('blobs are handed over, both ways (%s)', async (codec) => {
  const { connection } = await opened(codec)
  const blob = await connection.blob(1_000_000)
  blob.bytes.fill(1)
  const answer = connection.call('sum', { name: 'x', pixels: blob.bytes })
  expect(blob.bytes.length).toBe(0)
  expect(await answer).toEqual({ name: 'x', sum: 1_000_000 })

  const whole = await connection.blob(3)
  expect(await connection.call('sum', { name: 'whole', pixels: whole })).toEqual({ name: 'whole', sum: 0 })

  const made = (await connection.call('make', [5])) as { a: Uint8Array; blob: Uint8Array; b: number }
  expect([...made.a, ...made.blob]).toEqual([1, 2, 7, 7, 7, 7, 7])
  expect(Object.is(made.b, -0)).toBe(true)
  expect(made.blob.byteOffset).toBe(0)
  // A write changes the receiver's copy.
  made.blob[0] = 8
  expect(made.blob[0]).toBe(8)
  expect(await connection.call('write', { name: '', pixels: (await connection.blob(10)).bytes })).toBe(9)
})

test('many at once come in any order, each once', async () => {
  const { connection } = await opened('msgpack')
  const blobs = await Promise.all(Array.from({ length: 300 }, () => connection.blob(4_096)))
  const sum = (blob: SharedBlob, index: number): Promise<unknown> =>
    connection.call('sum', { name: String(index), pixels: blob.bytes })
  const sums = blobs.map((blob, index) => {
    blob.bytes[0] = index % 256
    return sum(blob, index)
  })
  const settled = await Promise.allSettled(sums)
  const values = new Map<number, unknown>()
  for (const [index, one] of settled.entries()) {
    if (one.status === 'fulfilled') values.set(index, one.value)
    else expect(one.reason).toMatchObject({ code: 'busy' })
  }
  expect(values.size).toBeGreaterThan(100)
  // Nothing is lost where there was no room: the same is sent again.
  for (const [index, blob] of blobs.entries()) if (!values.has(index)) values.set(index, await sum(blob, index))
  for (const [index, value] of values) expect(value).toEqual({ name: String(index), sum: index % 256 })
})

test('raw answers name blobs, which are given back', async () => {
  const { connection } = await opened('msgpack', { maxDescriptors: 2 })
  const before = blobsHere()
  for (let index = 0; index < 70; index++) await connection.call('make', [5], { raw: true })
  expect(blobsHere()).toBeLessThan(before + 70 + 4)
  expect(await connection.call('sum', { name: '', pixels: (await connection.blob(3)).bytes })).toMatchObject({ sum: 0 })
})

test('a blob that was sent is refused, and so are transferred bytes', async () => {
  const { connection } = await opened('msgpack')
  const blob = await connection.blob(10)
  await connection.call('sum', { name: '', pixels: blob.bytes })
  await expect(connection.call('sum', { name: '', pixels: blob.bytes })).rejects.toThrow(
    /pixels.* bytes that were handed over before/,
  )
})

test('limits hold: the size of a blob, and the bytes that are mapped', async () => {
  const { connection, told } = await opened('msgpack', { maxBlobBytes: 100_000, maxMappedBytes: 150_000 })
  await expect(connection.blob(100_001)).rejects.toMatchObject({
    code: 'limit_exceeded',
    details: { limit: 'maxBlobBytes' },
  })
  await connection.call('keep', { name: '', pixels: (await connection.blob(100_000)).bytes })
  const { bytes } = await connection.blob(100_000)
  await expect(connection.call('sum', { name: '', pixels: bytes })).rejects.toThrow(/exceed limits.maxMappedBytes/)
  await vi.waitFor(() => expect(told).toContainEqual(expect.objectContaining({ code: 'limit_exceeded' })))
})

test('elsewhere there are none, which is said', async () => {
  const at = `shm:${await temporaryDirectory()}/s`
  const server = await serve(
    { make: (_: unknown, ctx: CallContext) => ctx.blob(1).bytes },
    { at, onError: () => undefined },
  )
  onTestFinished(() => server.close())
  const connection = await connect(at)
  onTestFinished(() => connection.close())
  await expect(connection.blob(10)).rejects.toThrow(/not_supported.*codec=msgpack/)
})

test('what is collected is given back', async () => {
  const collect = (globalThis as { gc?: () => void }).gc
  const { connection } = await opened('msgpack')
  const before = blobsHere()
  for (let index = 0; index < 200; index++)
    await connection.call('sum', { name: '', pixels: (await connection.blob(10_000)).bytes })
  await vi.waitFor(
    () => {
      collect?.()
      // Without a collector at hand, allocation makes it run.
      if (collect === undefined) for (let round = 0; round < 100; round++) new Uint8Array(1_000_000)
      expect(blobsHere()).toBeLessThan(before + 50)
    },
    { timeout: 20_000 },
  )
})
