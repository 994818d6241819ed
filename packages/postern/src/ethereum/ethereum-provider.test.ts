import { mkdir } from 'node:fs/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { FakeNode, fakeNode } from '../../test/fake-node.ts'
import { errorOf, providerOf } from '../../test/node-provider.ts'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { until } from '../testing/until.ts'
import { type EthereumProvider, ethereumProvider } from './ethereum-provider.ts'
import type { ProviderMessage } from './provider-events.ts'

const blockNumber = { method: 'eth_blockNumber' }
const newHeads = { method: 'eth_subscribe', params: ['newHeads'] }

describe('ethereumProvider', () => {
  it('ethereumProvider refuses wrong use at once', async () => {
    const make = ethereumProvider as (...args: unknown[]) => EthereumProvider
    expect(() => make('/tmp/geth.ipc')).toThrow(/unix:\/tmp\/geth\.ipc/)
    expect(() => make('parity')).toThrow(/bad_address/)
    expect(() => make('geth', { timeout: 1 })).toThrow(/no option "timeout"; there are limits, /)
    expect(() => make('geth', { limits: { callMs: 0 } })).toThrow(/limits\.callMs/)
    for (const maxCalls of [1, 1_001, 1.5, 'all'])
      expect(() => make('geth', { batch: { maxCalls } })).toThrow(/from 2 to limits\.maxBatchCalls \(1000\)/)
    const provider = make('geth')
    await expect(provider.request([blockNumber] as never)).rejects.toThrow('request takes one call, { method, params }')
    expect(() => provider.on('message', 'print' as never)).toThrow('a listener of "message" is a function')
  })

  it('request connects once for all first calls, and calls as it was told', async () => {
    const node = await fakeNode()
    const provider = providerOf(node)
    expect(provider.connected).toBe(false)
    const calls = ['eth_a', 'eth_b', 'eth_c'].map((method, index) => provider.request({ method, params: [index] }))
    expect(await Promise.all(calls)).toEqual([
      ['eth_a', [0]],
      ['eth_b', [1]],
      ['eth_c', [2]],
    ])
    expect(provider.connected).toBe(true)
    expect(node.connections).toBe(1)
    // web3.js tells an EIP-1193 provider by this.
    expect(provider.request.constructor.name).toBe('AsyncFunction')
  })

  it('request waits for a node that is not up yet', async () => {
    const node = await fakeNode(undefined, { started: false })
    const provider = providerOf(node)
    const calls = [provider.request(blockNumber), provider.request({ method: 'eth_chainId' })]
    setTimeout(() => void node.start(), 50)
    expect(await Promise.all(calls)).toEqual([['eth_blockNumber', null], '0x7a69'])
    expect(node.connections).toBe(1)
  })

  it('request rejects when no node comes within connectMs, and the next one tries again', async () => {
    const node = await fakeNode(undefined, { started: false })
    const provider = providerOf(node, { limits: { connectMs: 200 } })
    const errors = await Promise.all([errorOf(provider.request(blockNumber)), errorOf(provider.request(newHeads))])
    for (const error of errors) {
      expect(error).toMatchObject({
        name: 'ProviderRpcError',
        code: 4900,
        message: `[no_listener] nothing is at ${node.path}; start the server or correct the path`,
        data: { postern: 'no_listener' },
        cause: { code: 'no_listener' },
      })
    }
    await node.start()
    expect(await provider.request({ method: 'eth_chainId' })).toBe('0x7a69')
  })

  it('request looks for a node by its name, each time that it connects', async ({ skip }) => {
    const directory = await temporaryDirectory()
    vi.stubEnv('HOME', directory)
    vi.stubEnv('TMPDIR', directory)
    onTestFinished(() => void vi.unstubAllEnvs())
    skip(process.platform !== 'linux', 'the data directory of geth has another name here')
    const provider = ethereumProvider('geth', { limits: { connectMs: 100 } })
    onTestFinished(() => provider.close())
    expect(await errorOf(provider.request(blockNumber))).toMatchObject({
      code: 4900,
      message: `[no_listener] no geth listens where it usually does: there is nothing at ${directory}/.ethereum/geth.ipc, nothing at ${directory}/geth.ipc; start geth, without --ipcdisable, or give its address, as unix:/path/geth.ipc`,
    })
    await mkdir(`${directory}/.ethereum`)
    const node = new FakeNode(`${directory}/.ethereum/geth.ipc`)
    onTestFinished(() => node.kill())
    await node.start()
    expect(await provider.request({ method: 'eth_chainId' })).toBe('0x7a69')
  })

  it('request tries longer than the retries of one connect', async () => {
    const node = await fakeNode(undefined, { started: false })
    const provider = providerOf(node, { limits: { retries: 0, connectMs: 10_000 } })
    const call = provider.request({ method: 'eth_chainId' })
    setTimeout(() => void node.start(), 100)
    expect(await call).toBe('0x7a69')
  })

  it('request gives up by its signal and its timeoutMs, also while there is no connection', async () => {
    const node = await fakeNode(undefined, { started: false })
    const provider = providerOf(node)
    const aborting = new AbortController()
    const early = errorOf(provider.request(blockNumber, { signal: aborting.signal }))
    const late = errorOf(provider.request(blockNumber, { timeoutMs: 20 }))
    aborting.abort()
    expect(await early).toMatchObject({ code: -32_002, data: { postern: 'cancelled' } })
    expect(await late).toMatchObject({ code: 4900, data: { postern: 'closed' } })
    await node.start()
    expect(await errorOf(provider.request({ method: 'eth_never' }, { timeoutMs: 20 }))).toMatchObject({
      code: -32_002,
      data: { postern: 'deadline_exceeded' },
    })
    const again = new AbortController()
    const pending = errorOf(provider.request({ method: 'eth_never' }, { signal: again.signal }))
    await until(() => node.methods.filter((method) => method === 'eth_never').length === 2)
    again.abort()
    expect(await pending).toMatchObject({ code: -32_002, data: { postern: 'cancelled' } })
  })

  it('request gives the errors of the node as they are', async () => {
    const revert = { code: 3, message: 'execution reverted: no', data: '0x08c379a0' }
    const node = await fakeNode(({ method }) => (method === 'eth_call' ? { error: revert } : undefined))
    const error = await errorOf(providerOf(node).request({ method: 'eth_call' }))
    expect(error).toMatchObject({ ...revert, cause: { code: 'remote' } })
    expect(error).toBeInstanceOf(Error)
  })

  it('request makes a read again whose connection was lost, and nothing else', async () => {
    const node = await fakeNode()
    const provider = providerOf(node)
    const read = provider.request({ method: 'eth_getNever' })
    const sent = errorOf(provider.request({ method: 'eth_never' }))
    await until(() => node.frames.length === 2)
    node.kill()
    expect(await sent).toMatchObject({ code: 4900, data: { postern: 'unknown_outcome' } })
    await node.start()
    await until(() => node.methods.filter((method) => method === 'eth_getNever').length === 2)
    expect(node.methods.filter((method) => method === 'eth_never')).toHaveLength(1)
    await provider.close()
    expect(await errorOf(read)).toMatchObject({ code: 4900 })
  })

  it('close ends what waits, and every later request', async () => {
    const node = await fakeNode(undefined, { started: false })
    const provider = providerOf(node)
    const waiting = errorOf(provider.request(blockNumber))
    await provider.close()
    await provider.close()
    const closed = { code: 4900, message: '[closed] the provider was closed here; make another one' }
    expect(await waiting).toMatchObject(closed)
    expect(await errorOf(provider.request(blockNumber))).toMatchObject(closed)
  })

  it('close ends subscriptions without an error', async () => {
    const node = await fakeNode()
    const errors: unknown[] = []
    const provider = providerOf(node, { onError: (error) => errors.push(error) })
    await provider.request(newHeads)
    await provider.subscribe(['newHeads'], { onItem: () => undefined, onError: (error) => errors.push(error) })
    await provider.close()
    await until(() => node.connections === 0)
    expect(errors).toEqual([])
  })
})

describe('events', () => {
  it('connect and disconnect are told, each time', async () => {
    const node = await fakeNode()
    const told: unknown[] = []
    const provider = providerOf(node)
      .on('connect', ({ chainId }) => told.push(chainId))
      .on('disconnect', ({ code, data }) => told.push([code, data]))
    await provider.request(blockNumber)
    await until(() => told.length === 1)
    node.kill()
    await until(() => told.length === 2)
    await node.start()
    await until(() => told.length === 3)
    expect(told).toEqual(['0x7a69', [4900, { postern: 'closed' }], '0x7a69'])
  })

  it('what listeners throw is told, and ends nothing; a listener that was removed hears no more', async () => {
    const node = await fakeNode()
    const errors: unknown[] = []
    const heard: unknown[] = []
    const provider = providerOf(node, { onError: (error, context) => errors.push([String(error), context]) })
    const once = (): unknown => heard.push('once')
    provider.on('message', once).on('message', () => {
      throw new Error('oops')
    })
    provider.on('message', ({ data }) => heard.push(data.result))
    await provider.request(newHeads)
    node.publish(1)
    await until(() => heard.length === 2)
    provider.removeListener('message', once).removeListener('gap', once)
    node.publish(2)
    await until(() => heard.length === 3)
    expect(heard).toEqual(['once', 1, 2])
    expect(errors).toEqual([
      ['Error: oops', 'message'],
      ['Error: oops', 'message'],
    ])
  })
})

describe('subscriptions', () => {
  it('eth_subscribe gives a name of its own, which messages have and eth_unsubscribe takes', async () => {
    const node = await fakeNode()
    const provider = providerOf(node)
    const messages: ProviderMessage[] = []
    provider.on('message', (message) => messages.push(message))
    const first = await provider.request(newHeads)
    const second = await provider.request({ method: 'eth_subscribe', params: ['logs', {}] })
    expect([first, second]).toEqual(['0x1', '0x2'])
    node.publish('a')
    await until(() => messages.length === 2)
    expect(messages).toEqual([
      { type: 'eth_subscription', data: { subscription: first, result: 'a' } },
      { type: 'eth_subscription', data: { subscription: second, result: 'a' } },
    ])
    expect(await provider.request({ method: 'eth_unsubscribe', params: [first] })).toBe(true)
    expect(await provider.request({ method: 'eth_unsubscribe', params: [first] })).toBe(false)
    expect(await provider.request({ method: 'eth_unsubscribe' })).toBe(false)
    await until(() => node.subscriptions === 1)
    // What the node is told is its own name.
    expect(node.frames.at(-1)).toContain('"params":["0xf1"]')
    node.publish('b')
    await until(() => messages.length === 3)
    expect(messages[2]?.data).toEqual({ subscription: second, result: 'b' })
  })

  it('items come after the name is known, however soon the node sends them', async () => {
    const node = await fakeNode(({ method }) => {
      if (method === 'eth_subscribe') queueMicrotask(() => node.publish('at once'))
      return undefined
    })
    const provider = providerOf(node)
    const told: unknown[] = []
    provider.on('message', ({ data }) => told.push(data))
    const naming = provider.request(newHeads)
    // As deep in promises as any library waits.
    const name = await (async () => await (async () => await (async () => await naming)())())()
    told.push(name)
    await until(() => told.length === 2)
    expect(told).toEqual([name, { subscription: name, result: 'at once' }])
  })

  it('go on after a restart under the same name, with each gap told once in its place', async () => {
    const node = await fakeNode()
    const told: unknown[] = []
    const provider = providerOf(node, {
      onGap: ({ subscription, received }) => told.push(['gap', subscription, received]),
    })
    provider.on('message', ({ data }) => told.push([data.subscription, data.result]))
    const id = await provider.request(newHeads)
    for (let round = 1; round <= 3; round++) {
      node.publish(round)
      await until(() => told.length === round * 2 - 1)
      node.kill()
      await node.start()
      await until(() => told.length === round * 2)
      expect(node.subscriptions).toBe(1)
    }
    expect(told).toEqual([
      [id, 1],
      ['gap', id, 1],
      [id, 2],
      ['gap', id, 2],
      [id, 3],
      ['gap', id, 3],
    ])
  })

  it('a gap that nobody wants to be told of goes to onError', async () => {
    const node = await fakeNode()
    const errors: string[] = []
    const provider = providerOf(node, { onError: (error, context) => errors.push(`${context}: ${String(error)}`) })
    await provider.request(newHeads)
    const listen = async (): Promise<void> => {
      node.kill()
      await node.start()
      await until(() => node.subscriptions === 1)
    }
    await listen()
    await until(() => errors.length === 1)
    expect(errors[0]).toMatch(/^unix:.*subscription 0x1 was interrupted.*give onGap to handle it/)
    let gaps = 0
    provider.on('gap', () => gaps++)
    await listen()
    await until(() => gaps === 1)
    expect(errors).toHaveLength(1)
  })

  it('subscribe tells functions of its own, and no listener of messages', async () => {
    const node = await fakeNode()
    const told: unknown[] = []
    const provider = providerOf(node).on('message', (message) => told.push(message))
    const { id, unsubscribe } = await provider.subscribe(['newHeads'], {
      onItem: (result, subscription) => told.push([subscription, result]),
      onGap: (gap) => told.push(['gap', gap.subscription]),
    })
    node.publish('a')
    await until(() => told.length === 1)
    node.kill()
    await node.start()
    await until(() => told.length === 2)
    node.publish('b')
    await until(() => told.length === 3)
    expect(told).toEqual([
      [id, 'a'],
      ['gap', id],
      [id, 'b'],
    ])
    expect(await unsubscribe()).toBe(true)
    expect(await unsubscribe()).toBe(false)
    await until(() => node.subscriptions === 0)
  })

  it('one that the node refuses rejects, and one that it refuses after a restart is told', async () => {
    let refuses = true
    const node = await fakeNode(({ method }) =>
      refuses && method === 'eth_subscribe' ? { error: { code: -32_601, message: 'no notifications' } } : undefined,
    )
    const errors: unknown[] = []
    const provider = providerOf(node).on('error', (error) => errors.push(error))
    expect(await errorOf(provider.request(newHeads))).toMatchObject({ code: -32_601, message: 'no notifications' })
    refuses = false
    await provider.request(newHeads)
    await provider.subscribe(['newHeads'], { onItem: () => undefined, onError: (error) => errors.push(error) })
    refuses = true
    node.kill()
    await node.start()
    await until(() => errors.length === 2)
    for (const error of errors) expect(error).toMatchObject({ code: -32_601, message: 'no notifications' })
  })

  it('one whose caller gives up is none at the node either', async () => {
    const aborting = new AbortController()
    const node = await fakeNode(({ method }) => {
      if (method === 'eth_subscribe') aborting.abort()
      return undefined
    })
    const naming = errorOf(providerOf(node).request(newHeads, { signal: aborting.signal }))
    expect(await naming).toMatchObject({ data: { postern: 'cancelled' } })
    await until(() => node.methods.includes('eth_unsubscribe'))
    expect(node.subscriptions).toBe(0)
  })
})
