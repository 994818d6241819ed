/** What a stream through shared memory does where its user, or its other side, does what is rare. */

import { execFileSync } from 'node:child_process'
import { closeSync, openSync, read, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, onTestFinished, test } from 'vitest'
import { resolveLimits } from '../../src/core/limits.ts'
import type { Stream, StreamHandlers } from '../../src/core/stream.ts'
import { until } from '../../src/testing/until.ts'
import { connectSharedMemory, listenSharedMemory } from '../../src/transports/shared-memory.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const limits = resolveLimits()

interface Side {
  readonly stream: Stream
  readonly told: string[]
}

function watched(stream: Stream, onData?: (chunk: Uint8Array) => void): Side {
  const told: string[] = []
  const handlers: StreamHandlers = {
    data: (chunk) => {
      told.push(Buffer.from(chunk).toString('latin1'))
      onData?.(chunk)
    },
    drain: () => void told.push('drain'),
    end: () => void told.push('end'),
    close: (reason) => void told.push(`close ${reason?.code}`),
  }
  stream.start(handlers)
  return { stream, told }
}

async function pair(onData?: (chunk: Uint8Array) => void): Promise<{ server: Side; client: Side }> {
  const path = join(await temporaryDirectory(), 's')
  let server: Side | undefined
  const listener = await listenSharedMemory(path, {
    limits,
    onStream: (stream) => {
      server = watched(stream, onData)
    },
  })
  onTestFinished(() => listener.close())
  const client = watched(await connectSharedMemory(path, { limits }))
  await until(() => server !== undefined)
  const opened = { server: server as unknown as Side, client }
  onTestFinished(() => {
    opened.server.stream.abort()
    client.stream.abort()
  })
  return opened
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

test.each([10, 1_000_000])('who ended, took all and died gets no %i bytes more, which is told', async (bytes) => {
  const { server, client } = await pair()
  client.stream.write('ask')
  client.stream.end()
  await until(() => server.told.length === 2)
  client.stream.abort()
  // That it is gone is no event here: only the next write shows it.
  await until(() => {
    server.stream.write(new Uint8Array(bytes))
    return server.told.length > 2
  })
  server.stream.end()
  expect(server.told).toEqual(['ask', 'end', 'close closed'])
})

test('a receiver that transfers the memory of what it got harms nobody', async () => {
  const moved: ArrayBuffer[] = []
  const { server, client } = await pair(({ buffer }) => {
    if (buffer instanceof ArrayBuffer) moved.push(structuredClone(buffer, { transfer: [buffer] }))
  })
  const texts = ['first', 'second', 'third']
  for (const text of texts) {
    client.stream.write(text)
    await until(() => server.told.at(-1) === text)
  }
  expect(moved.map((memory, index) => Buffer.from(memory, 0, texts[index]?.length).toString('latin1'))).toEqual(texts)
  client.stream.end()
  await until(() => server.told.at(-1) === 'end')
})

test('what still reads into a blob that was handed over writes into nothing else', async () => {
  const { client } = await pair()
  const path = join(await temporaryDirectory(), 'fifo')
  execFileSync('mkfifo', ['-m', '600', path])
  const fifo = openSync(path, 'r+')
  onTestFinished(() => closeSync(fifo))
  const size = 4 << 20
  const bytes = client.stream.blobs?.create(size) as Uint8Array
  const stray = promisify(read)(fifo, bytes, 0, size, null)
  client.stream.blobs?.send(bytes)
  for (let round = 0; round < 5; round++) {
    collect()
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
  const others = Array.from({ length: 8 }, () => client.stream.blobs?.create(size) as Uint8Array)
  writeSync(fifo, 'STRAY')
  await stray
  for (const other of others) {
    expect(other.subarray(0, 5)).toEqual(new Uint8Array(5))
    client.stream.blobs?.send(other)
  }
})

test('a view of all of a blob is the blob, a part of it is a copy', async () => {
  const { client } = await pair()
  const { blobs } = client.stream
  const numbers = new Float64Array((blobs?.create(80) as Uint8Array).buffer)
  expect(blobs?.has(new Uint8Array(numbers.buffer))).toBe(true)
  expect(blobs?.has(new Uint8Array(numbers.buffer, 8))).toBe(false)
  expect(blobs?.has(new Uint8Array(80))).toBe(false)
  blobs?.send(new Uint8Array(numbers.buffer))
  expect(numbers.length).toBe(0)
})
