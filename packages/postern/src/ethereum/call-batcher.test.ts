import { describe, expect, it } from 'vitest'
import { type FakeNode, fakeNode } from '../../test/fake-node.ts'
import { errorOf, providerOf } from '../../test/node-provider.ts'
import { until } from '../testing/until.ts'
import type { EthereumProvider } from './ethereum-provider.ts'

const blockNumber = { method: 'eth_blockNumber' }

describe('CallBatcher', () => {
  const framesOf = ({ frames }: FakeNode): number[] =>
    frames.map((frame) => (frame.startsWith('[') ? (JSON.parse(frame) as unknown[]).length : 1))

  it('batch: true sends the reads of one turn as one frame, and each call that is alone as it is', async () => {
    const node = await fakeNode()
    const provider = providerOf(node, { batch: true })
    expect(await provider.request({ method: 'eth_call', params: [1] })).toEqual(['eth_call', [1]])
    const deep = async (): Promise<unknown> => {
      await Promise.resolve().then(() => undefined)
      return await provider.request({ method: 'eth_getCode', params: [4] })
    }
    const calls = [1, 2, 3].map((param) => provider.request({ method: 'eth_call', params: [param] }))
    expect(await Promise.all([...calls, deep()])).toEqual([
      ['eth_call', [1]],
      ['eth_call', [2]],
      ['eth_call', [3]],
      ['eth_getCode', [4]],
    ])
    expect(framesOf(node)).toEqual([1, 4])
    expect(node.frames[0]).toMatch(/^\{/)
  })

  it('batch never takes what only may be sent once, subscriptions, or a call with a signal or a deadline', async () => {
    const node = await fakeNode()
    const provider = providerOf(node, { batch: true })
    await provider.request(blockNumber)
    const calls = [
      provider.request({ method: 'eth_sendRawTransaction', params: ['0x'] }),
      provider.request({ method: 'eth_newFilter' }),
      provider.request({ method: 'eth_subscribe', params: ['newHeads'] }),
      provider.request(blockNumber, { timeoutMs: 5_000 }),
      provider.request(blockNumber, { signal: new AbortController().signal }),
      provider.request(blockNumber),
      provider.request(blockNumber),
    ]
    await Promise.all(calls)
    expect(framesOf(node)).toEqual([1, 1, 1, 1, 1, 1, 2])
  })

  it('batch: { maxCalls } cuts what is more, and false sends frames of one call', async () => {
    const node = await fakeNode()
    const five = (provider: EthereumProvider): Promise<unknown[]> =>
      Promise.all(Array.from({ length: 5 }, () => provider.request(blockNumber)))
    expect(await five(providerOf(node, { batch: { maxCalls: 2 } }))).toHaveLength(5)
    expect(framesOf(node)).toEqual([2, 2, 1])
    await five(providerOf(node))
    expect(framesOf(node)).toEqual([2, 2, 1, 1, 1, 1, 1, 1])
  })

  it('each call of a batch has its own outcome', async () => {
    const node = await fakeNode(({ method }) =>
      method === 'eth_call' ? { error: { code: 3, message: 'execution reverted', data: '0x' } } : undefined,
    )
    const provider = providerOf(node, { batch: true })
    const [call, chain] = await Promise.all([
      errorOf(provider.request({ method: 'eth_call' })),
      provider.request({ method: 'eth_chainId' }),
    ])
    expect(call).toMatchObject({ code: 3, message: 'execution reverted', data: '0x' })
    expect(chain).toBe('0x7a69')
    expect(framesOf(node)).toEqual([2])
  })

  it('calls of a batch whose connection is lost are made again one by one', async () => {
    const node = await fakeNode()
    const provider = providerOf(node, { batch: true })
    await provider.request(blockNumber)
    const calls = [provider.request({ method: 'eth_getNever' }), provider.request({ method: 'eth_getNever' })]
    for (const call of calls) call.catch(() => undefined)
    await until(() => node.frames.length === 2)
    node.kill()
    await node.start()
    await until(() => node.frames.length === 4)
    expect(framesOf(node)).toEqual([1, 2, 1, 1])
  })

  it('calls of a batch reject when there is no connection', async () => {
    const node = await fakeNode(undefined, { started: false })
    const provider = providerOf(node, { batch: true, limits: { connectMs: 50 } })
    const outcomes = await Promise.all([errorOf(provider.request(blockNumber)), errorOf(provider.request(blockNumber))])
    for (const outcome of outcomes) expect(outcome).toMatchObject({ code: 4900, data: { postern: 'no_listener' } })
  })
})
