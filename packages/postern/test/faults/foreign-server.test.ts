import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../src/app/connect.ts'
import type { ConnectOptions } from '../../src/app/connect.ts'
import type { Connection } from '../../src/app/connection.ts'
import { isPosternError, PosternError } from '../../src/core/errors.ts'
import { until } from '../../src/testing/until.ts'
import { answerLines, type RawPeer, rawServer } from '../raw-peer.ts'

const answerTo = (id: number, result: unknown): string => JSON.stringify({ jsonrpc: '2.0', id, result })
const notice = (subscription: string, result: unknown): string =>
  JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params: { subscription, result } })

async function connected(
  serve: (peer: RawPeer, connection: number) => void,
  options: ConnectOptions = {},
): Promise<Connection> {
  const { path } = await rawServer(serve)
  const connection = await connect(`unix:${path}`, { reconnect: false, ...options })
  onTestFinished(() => connection.abort())
  return connection
}

async function failure(promise: Promise<unknown>): Promise<PosternError> {
  const error: unknown = await promise.then(
    () => expect.unreachable('it should have failed'),
    (reason: unknown) => reason,
  )
  if (!isPosternError(error)) throw error
  return error
}

describe('a client before a foreign server', () => {
  it('takes answers without newlines, one by one and glued together', async () => {
    const held: string[] = []
    const connection = await connected((peer) =>
      answerLines(peer, ({ id, method, params }) => {
        if (method === 'one') return answerTo(id, params)
        held.push(answerTo(id, params))
        return held.length === 3 ? held.join('') : undefined
      }),
    )
    expect(await connection.call('one', ['}{'])).toEqual(['}{'])
    expect(await connection.call('one', [1])).toEqual([1])
    const three = [connection.call('x', [1]), connection.call('x', ['a"}{']), connection.call('x', [[]])]
    expect(await Promise.all(three)).toEqual([[1], ['a"}{'], [[]]])
  })

  it('takes CRLF, blank lines and two answers with a note in one chunk', async () => {
    const ids: number[] = []
    const connection = await connected((peer) =>
      answerLines(peer, ({ id }) => {
        ids.push(id)
        if (ids.length < 2) return undefined
        return `\r\n\n${answerTo(ids[1] ?? 0, 'second')}\r\n${notice('0x1', {})}\r\n  \n${answerTo(ids[0] ?? 0, 'first')}\r\n`
      }),
    )
    expect(await Promise.all([connection.call('a'), connection.call('b')])).toEqual(['first', 'second'])
  })

  it('takes an answer byte by byte, UTF-8 split over chunks', async () => {
    const text = 'é\u{1f511}漢'
    const connection = await connected((peer) =>
      answerLines(peer, ({ id }) => {
        const bytes = Buffer.from(`${answerTo(id, text)}\n`)
        let next = 0
        const sendOne = (): void => {
          peer.send(bytes.subarray(next, ++next))
          if (next < bytes.length) setImmediate(sendOne)
        }
        sendOne()
        return undefined
      }),
    )
    expect(await connection.call('a')).toBe(text)
  })

  it('says what a server sent that is no JSON, fails what waits, and ends', async () => {
    const connection = await connected((peer) => {
      peer.send('Too many connections. Please try again later.')
      peer.socket.end()
    })
    const error = await failure(connection.call('eth_blockNumber'))
    expect(['bad_frame', 'closed']).toContain(error.code)
    expect(error.message).toContain('Too many connections')
    expect((await connection.closed)?.message).toContain('Too many connections')
  })

  it('loses sync at an answer that was cut with the next one glued on, and says so', async () => {
    const connection = await connected((peer) =>
      answerLines(peer, ({ id, method }) =>
        method === 'a' ? undefined : `{"jsonrpc":"2.0","id":1,"result":"aaaa${answerTo(id, 1)}\n`,
      ),
    )
    const calls = [failure(connection.call('a')), failure(connection.call('b'))]
    for (const error of await Promise.all(calls)) {
      expect(error.code).toBe('bad_frame')
      expect(error.message).toContain('aaaa')
    }
  })

  it('tells a call that was sent from one that was not when the server goes', async () => {
    const connection = await connected((peer) => {
      void peer.line().then(() => peer.socket.destroy())
    })
    const sent = await failure(connection.call('eth_sendTransaction', [{}]))
    expect(sent.code).toBe('unknown_outcome')
    expect(sent.message).toContain('eth_sendTransaction')
    expect(sent.retryable).toBe(false)
    const unsent = await failure(connection.call('eth_blockNumber'))
    expect(unsent.code).toBe('closed')
    expect(unsent.retryable).toBe(true)
  })

  it('drops late, double and unknown answers, and counts them', async () => {
    const connection = await connected((peer) =>
      answerLines(peer, ({ id, method }) => {
        if (method === 'never') return undefined
        return `${answerTo(id, 1)}\n${answerTo(id, 2)}\n${answerTo(77, 3)}\n{"jsonrpc":"2.0","id":"1","result":4}\n`
      }),
    )
    expect(await connection.call('a')).toBe(1)
    expect(await connection.call('a')).toBe(1)
    await until(() => connection.unmatchedAnswers === 6)
    expect((await failure(connection.call('never', [], { timeoutMs: 30 }))).code).toBe('deadline_exceeded')
  })

  it('gives an error without an id to the only call that waits', async () => {
    const connection = await connected((peer) =>
      answerLines(peer, () => '{"jsonrpc":"2.0","id":null,"error":{"code":-32007,"message":"Request is too big"}}\n'),
    )
    const error = await failure(connection.call('a'))
    expect(error.code).toBe('remote')
    expect(error.message).toContain('Request is too big')
    expect(error.details).toEqual({ code: -32007, message: 'Request is too big' })
  })

  it('reports an error without an id when several calls wait', async () => {
    const reported: unknown[] = []
    const ids: number[] = []
    const connection = await connected(
      (peer) =>
        answerLines(peer, ({ id }) => {
          ids.push(id)
          const error = '{"jsonrpc":"2.0","id":null,"error":{"code":-32007,"message":"Request is too big"}}\n'
          return ids.length < 2 ? undefined : `${error}${ids.map((each) => `${answerTo(each, each)}\n`).join('')}`
        }),
      { onError: (error) => reported.push(error) },
    )
    expect(await Promise.all([connection.call('a'), connection.call('b')])).toEqual(ids)
    expect(reported).toHaveLength(1)
    expect(isPosternError(reported[0], 'remote')).toBe(true)
  })

  it('gives a single error object to every call of the batch that it answers', async () => {
    const connection = await connected((peer) => {
      void peer
        .line()
        .then(() => peer.send('{"jsonrpc":"2.0","id":null,"error":{"code":-32011,"message":"Batch too large"}}\n'))
    })
    const outcomes = await connection.batch([['a'], ['b']])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })

  it('matches the answers of a batch by id, whatever their order', async () => {
    const connection = await connected((peer) => {
      void peer.value().then((calls) => {
        const answers = (calls as { id: number; method: string }[])
          .map(({ id, method }) => answerTo(id, method))
          .reverse()
        peer.send(`[${answers.join(',')}]\n`)
      })
    })
    expect(await connection.batch([['a'], ['b'], ['c']])).toEqual(
      ['a', 'b', 'c'].map((value) => ({ status: 'fulfilled', value })),
    )
  })

  it('keeps a call waiting while bytes of its answer arrive, and reports them', async () => {
    const connection = await connected((peer) =>
      answerLines(peer, ({ id }) => {
        const text = `${answerTo(id, 'x'.repeat(5_000))}\n`
        let sent = 0
        const timer = setInterval(() => {
          peer.send(text.slice(sent, sent + 1_000))
          sent += 1_000
          if (sent >= text.length) clearInterval(timer)
        }, 250)
        return undefined
      }),
    )
    const progress: number[] = []
    const result = await connection.call('a', [], { timeoutMs: 800, onProgress: (bytes) => progress.push(bytes) })
    expect(result).toHaveLength(5_000)
    expect(progress.length).toBeGreaterThanOrEqual(3)
    expect(progress).toEqual([...progress].sort((a, b) => a - b))
  })

  it('refuses an answer over maxAnswerBytes without holding it', async () => {
    const connection = await connected(
      (peer) => answerLines(peer, ({ id }) => `${answerTo(id, 'x'.repeat(20_000))}\n`),
      {
        limits: { maxAnswerBytes: 10_000 },
      },
    )
    const error = await failure(connection.call('a'))
    expect(error.code).toBe('frame_too_large')
    expect(error.message).toContain('limits.maxAnswerBytes (10000)')
  })

  it('gives whole numbers beyond 2^53 as asked', async () => {
    const serve = (peer: RawPeer): void =>
      answerLines(peer, ({ id }) => `{"jsonrpc":"2.0","id":${id},"result":[9007199254740993,1]}\n`)
    expect(await (await connected(serve)).call('a')).toEqual([9007199254740993n, 1])
    expect(await (await connected(serve, { integers: 'number' })).call('a')).toEqual([9007199254740992, 1])
    expect((await failure((await connected(serve, { integers: 'error' })).call('a'))).code).toBe('bad_message')
    expect(String(Buffer.from(await (await connected(serve)).call('a', [], { raw: true })))).toBe(
      '[9007199254740993,1]',
    )
  })

  it('gives items of a subscription with whole numbers beyond 2^53 as asked', async () => {
    const item =
      '{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0xa","result":9007199254740993}}\n'
    const connection = await connected((peer) => answerLines(peer, ({ id }) => `${answerTo(id, '0xa')}\n${item}`))
    expect(await connection.subscribe('eth_subscribe').next()).toEqual({ done: false, value: 9007199254740993n })
  })

  it('bounds what it queues for a server that does not read, and lets the calls wait', async () => {
    const connection = await connected((peer) => peer.socket.pause(), {
      limits: { maxQueuedBytes: 100_000, stallMs: 300 },
    })
    const calls = Array.from({ length: 50 }, () => failure(connection.call('a', ['x'.repeat(50_000)])))
    const errors = await Promise.all(calls)
    const codes = new Set(errors.map(({ code }) => code))
    expect(codes).toEqual(new Set(['unknown_outcome', 'closed']))
    expect((await connection.closed)?.code).toBe('slow_consumer')
  })
})

describe('a subscription at a foreign server', () => {
  it('takes items that come before the answer, in its chunk and after it', async () => {
    const connection = await connected((peer) =>
      answerLines(peer, ({ id, method }) => {
        if (method !== 'eth_subscribe') return `${answerTo(id, true)}\n`
        return `${notice('0xother', 9)}\n${notice('0xa', 1)}\n${answerTo(id, '0xa')}\n${notice('0xa', 2)}\n${notice('0xa', 3)}\n`
      }),
    )
    const items: unknown[] = []
    for await (const item of connection.subscribe('eth_subscribe', ['newHeads'])) {
      items.push(item)
      if (items.length === 3) break
    }
    expect(items).toEqual([1, 2, 3])
  })

  it('unsubscribes by its id when the loop is left', async () => {
    const seen: unknown[] = []
    const connection = await connected((peer) =>
      answerLines(peer, (call) => {
        seen.push([call.method, call.params])
        return `${answerTo(call.id, '0xa')}\n${notice('0xa', 1)}\n`
      }),
    )
    for await (const _ of connection.subscribe('eth_subscribe', ['newHeads'])) break
    await until(() => seen.length === 2)
    expect(seen[1]).toEqual(['eth_unsubscribe', ['0xa']])
  })

  it('throws after the last item when the server goes', async () => {
    const connection = await connected((peer) =>
      answerLines(peer, ({ id }) => {
        peer.socket.end(`${answerTo(id, '0xa')}\n${notice('0xa', 1)}\n`)
        return undefined
      }),
    )
    const items: unknown[] = []
    const error = await failure(
      (async () => {
        for await (const item of connection.subscribe('eth_subscribe', ['newHeads'])) items.push(item)
      })(),
    )
    expect(items).toEqual([1])
    expect(error.code).toBe('closed')
  })

  it('throws when it is refused, and when the answer is no id', async () => {
    const refused = await connected((peer) =>
      answerLines(peer, ({ id }) => `{"jsonrpc":"2.0","id":${id},"error":{"code":-32601,"message":"no"}}\n`),
    )
    expect((await failure(refused.subscribe('eth_subscribe').next())).code).toBe('unknown_method')
    const odd = await connected((peer) => answerLines(peer, ({ id }) => `${answerTo(id, { not: 'an id' })}\n`))
    expect((await failure(odd.subscribe('eth_subscribe').next())).code).toBe('bad_message')
  })

  it('ends with limit_exceeded when its consumer is too slow, after what was buffered', async () => {
    const many = Array.from({ length: 20 }, (_, n) => `${notice('0xa', n)}\n`).join('')
    const connection = await connected((peer) => answerLines(peer, ({ id }) => `${answerTo(id, '0xa')}\n${many}`), {
      limits: { maxBufferedItems: 10 },
    })
    const subscription = connection.subscribe('eth_subscribe', [])
    await subscription.ready
    const items: unknown[] = []
    const error = await failure(
      (async () => {
        for await (const item of subscription) items.push(item)
      })(),
    )
    expect(items).toHaveLength(10)
    expect(error.message).toContain('limits.maxBufferedItems (10)')
  })

  it('ends with cancelled when its signal aborts', async () => {
    const connection = await connected((peer) => answerLines(peer, ({ id }) => `${answerTo(id, '0xa')}\n`))
    const controller = new AbortController()
    const subscription = connection.subscribe('eth_subscribe', [], { signal: controller.signal })
    await subscription.ready
    const next = failure(subscription.next())
    controller.abort()
    expect((await next).code).toBe('cancelled')
    expect(await subscription.next()).toEqual({ done: true, value: undefined })
  })

  it('refuses a method whose name does not end in subscribe, and too many subscriptions', async () => {
    const connection = await connected((peer) => answerLines(peer, ({ id }) => `${answerTo(id, String(id))}\n`), {
      limits: { maxSubscriptions: 1 },
    })
    expect(() => connection.subscribe('eth_watch')).toThrow(TypeError)
    await connection.subscribe('eth_subscribe').ready
    expect((await failure(connection.subscribe('eth_subscribe').ready)).code).toBe('limit_exceeded')
  })
})
