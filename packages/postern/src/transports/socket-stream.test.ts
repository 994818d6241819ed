import { connect } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { connectTo, echo, freshPath, listen, silent, started, watch } from '../../test/unix-streams.ts'
import { PosternError } from '../core/errors.ts'
import { type Stream, unknownPeer } from '../core/stream.ts'

vi.mock('../os/native.ts', () => ({ findNative: () => Promise.resolve(undefined) }))

test('Stream carries bytes both ways and ends in order on both sides', async () => {
  const path = await freshPath()
  const closed = vi.fn()
  await listen(path, { onStream: (stream) => stream.start(echo(stream, closed)) })
  const client = await started(path)
  client.stream.write(Buffer.from('hello'))
  client.stream.end()
  expect(await client.closed).toBeUndefined()
  expect(client.text()).toBe('hello')
  expect(client.events).toEqual(['data', 'end', 'close'])
  await vi.waitFor(() => expect(closed).toHaveBeenCalledWith(undefined))
})

test('Stream still answers a client that ended first, as nc -N does', async () => {
  const path = await freshPath()
  await listen(path, { onStream: answerAfterEnd })
  const client = connect({ path, allowHalfOpen: true })
  client.end('question')
  let answer = ''
  for await (const chunk of client) answer += String(chunk)
  expect(answer).toBe('answer to question')
})

test('Stream delivers what came before a late start, on both sides', async () => {
  const path = await freshPath()
  const streams: Stream[] = []
  await listen(path, { onStream: (stream) => streams.push(stream) })
  const client = await connectTo(path)
  client.write(Buffer.from('early'))
  client.end()
  await vi.waitFor(() => expect(streams).toHaveLength(1))
  const server = watch(streams[0] as Stream)
  await vi.waitFor(() => expect(server.events).toEqual(['data', 'end']))
  server.stream.write(Buffer.from('late'))
  server.stream.end()
  expect(await server.closed).toBeUndefined()
  const late = watch(client)
  expect(await late.closed).toBeUndefined()
  expect([server.text(), late.text()]).toEqual(['early', 'late'])
})

test('Stream delivers the close to a start that comes after it, not inside the start', async () => {
  const { client, server } = await pair()
  const reason = new PosternError('slow_consumer', 'made up')
  server.abort(reason)
  client.abort()
  await watch(client).closed
  const close = vi.fn()
  server.start({ ...silent, close })
  expect(close).not.toHaveBeenCalled()
  await vi.waitFor(() => expect(close).toHaveBeenCalledExactlyOnceWith(reason))
})

test('Stream never calls back inside start, write, end or abort', async () => {
  const { client, server } = await pair()
  client.write(Buffer.alloc(100_000))
  let inside = false
  const outside = vi.fn(() => expect(inside).toBe(false))
  const guarded = (act: () => void) => {
    inside = true
    act()
    inside = false
  }
  const closed = new Promise<void>((resolve) => {
    guarded(() => {
      server.start({
        data: outside,
        drain: outside,
        end: outside,
        close: () => {
          outside()
          resolve()
        },
      })
    })
  })
  await vi.waitFor(() => expect(outside).toHaveBeenCalled())
  guarded(() => server.write(Buffer.alloc(1_000_000)))
  guarded(() => server.end())
  guarded(() => server.abort())
  await closed
  expect(outside.mock.results.every(({ type }) => type === 'return')).toBe(true)
})

test('Stream write is false until drain while the other side does not read', async () => {
  const { client, server } = await pair()
  const drain = vi.fn()
  server.start({ ...silent, drain })
  const chunk = Buffer.alloc(1_000_000, 'x')
  expect(server.write(chunk)).toBe(false)
  expect(drain).not.toHaveBeenCalled()
  let bytes = 0
  client.start({ ...silent, data: (part) => void (bytes += part.length) })
  await vi.waitFor(() => expect([bytes, drain.mock.calls.length]).toEqual([chunk.length, 1]))
  expect(server.write(Buffer.from('small'))).toBe(true)
})

test('Stream delivers nothing between pause and resume', async () => {
  const { client, server } = await pair()
  const watched = watch(server)
  server.pause()
  client.write(Buffer.from('waits'))
  const other = await pair(client)
  expect(other.events).toEqual([])
  expect(watched.events).toEqual([])
  server.resume()
  await vi.waitFor(() => expect(watched.text()).toBe('waits'))
})

test('Stream stays paused through its start', async () => {
  const { client, server } = await pair()
  client.write(Buffer.from('waits'))
  server.pause()
  const watched = watch(server)
  await pair(client)
  expect(watched.events).toEqual([])
  server.resume()
  await vi.waitFor(() => expect(watched.text()).toBe('waits'))
})

test('Stream closes with the reason of its abort, and the other side sees the end', async () => {
  const { client, server } = await pair()
  const [here, there] = [watch(client), watch(server)]
  const reason = new PosternError('bad_frame', 'made up')
  client.abort(reason)
  client.abort()
  expect(await here.closed).toBe(reason)
  await vi.waitFor(() => expect(there.events).toEqual(['end']))
  server.end()
  await there.closed
  expect([here.events, there.events]).toEqual([['close'], ['end', 'close']])
})

test('Stream closes with closed when the other side resets it', async () => {
  const { client, server } = await pair()
  const there = watch(server)
  server.write(Buffer.from('never read'))
  client.abort()
  expect(await there.closed).toMatchObject({ code: 'closed', cause: { code: 'ECONNRESET' } })
})

test('Stream closes with closed when it writes to a side that has gone', async () => {
  const { client, server } = await pair()
  const there = watch(server)
  client.abort()
  await vi.waitFor(() => expect(there.events).toEqual(['end']))
  server.write(Buffer.from('into the void'))
  expect(await there.closed).toMatchObject({ code: 'closed', cause: { code: 'EPIPE' } })
  expect(there.events).toEqual(['end', 'close'])
})

test('Stream does nothing after its close, whatever is called', async () => {
  const { client, server } = await pair()
  const here = watch(client)
  server.abort()
  client.abort()
  await here.closed
  expect(client.write(Buffer.from('x'))).toBe(true)
  client.end()
  client.pause()
  client.resume()
  client.abort()
  await pair()
  expect(here.events.filter((event) => event === 'close')).toHaveLength(1)
  expect(here.events.at(-1)).toBe('close')
})

test('Stream does not say who the peer is where nothing told', async () => {
  const { client, server } = await pair()
  expect([client.peer, server.peer]).toEqual([unknownPeer, unknownPeer])
})

/** A connection, neither side started; given one side of another, bytes have passed since, so that what it sent is there. */
async function pair(after?: Stream): Promise<{ client: Stream; server: Stream; events: string[] }> {
  const path = await freshPath()
  const accepted: Stream[] = []
  await listen(path, { onStream: (stream) => void accepted.push(stream) })
  const client = await connectTo(path)
  await vi.waitFor(() => expect(accepted).toHaveLength(1))
  const server = accepted[0] as Stream
  onTestFinished(() => {
    client.abort()
    server.abort()
  })
  if (after === undefined) return { client, server, events: [] }
  const watched = watch(server)
  client.write(Buffer.from('x'))
  await watched.next('data')
  return { client, server, events: [] }
}

function answerAfterEnd(stream: Stream): void {
  let question = ''
  const data = (chunk: Uint8Array) => void (question += String(chunk))
  const end = () => {
    stream.write(Buffer.from(`answer to ${question}`))
    stream.end()
  }
  stream.start({ ...silent, data, end })
}
