import { createPublicClient, fallback } from 'viem'
import { describe, expect, it } from 'vitest'
import { fakeNode } from '../../test/fake-node.ts'
import { errorOf, providerOf } from '../../test/node-provider.ts'
import { until } from '../testing/until.ts'
import { ipcTransport } from './viem-transport.ts'

describe('ipcTransport', () => {
  it('ipcTransport makes viem watch by a subscription, which a restart does not end, and poll nothing', async () => {
    const node = await fakeNode()
    const told: unknown[] = []
    const provider = providerOf(node, { onGap: () => told.push('gap') })
    const client = createPublicClient({ transport: ipcTransport(provider) })
    const unwatch = client.watchBlockNumber({ onBlockNumber: (number) => told.push(number) })
    await until(() => node.subscriptions === 1)
    node.publish({ number: '0x1' })
    await until(() => told.length === 1)
    node.kill()
    await node.start()
    await until(() => told.length === 2)
    node.publish({ number: '0x2' })
    await until(() => told.length === 3)
    expect(told).toEqual([1n, 'gap', 2n])
    unwatch()
    await until(() => node.subscriptions === 0)
    expect(new Set(node.methods)).toEqual(new Set(['eth_subscribe', 'eth_unsubscribe']))
  })

  it('ipcTransport gives the errors of the node as those of viem, and sends nothing again', async () => {
    const refusal = { code: -32_603, message: 'busy', data: '0x08' }
    const node = await fakeNode(() => ({ error: refusal }))
    const provider = providerOf(node)
    const client = createPublicClient({ transport: ipcTransport(provider) })
    const error = await errorOf(client.getGasPrice())
    expect(error).toMatchObject({
      name: 'InternalRpcError',
      code: -32_603,
      details: 'busy',
      cause: { name: 'RpcRequestError', data: '0x08', url: node.address, cause: { name: 'ProviderRpcError' } },
    })
    expect(node.frames).toHaveLength(1)
    // What wrong use throws is no error of the node.
    await expect(client.request({ method: 5 } as never)).rejects.toThrow('request takes one call')
  })

  it('ipcTransport tells who watches that the subscription has ended', async () => {
    let refuses = false
    const node = await fakeNode(() => (refuses ? { error: { code: -32_601, message: 'no' } } : undefined))
    const client = createPublicClient({ transport: ipcTransport(providerOf(node)) })
    const errors: unknown[] = []
    client.watchBlockNumber({ onBlockNumber: () => undefined, onError: (error) => errors.push(error) })
    await until(() => node.subscriptions === 1)
    refuses = true
    node.kill()
    await node.start()
    await until(() => errors.length === 1)
    expect(errors[0]).toMatchObject({ code: -32_601, message: 'no' })
  })

  it('ipcTransport takes only the methods that it is told to, and serves fallback over one connection', async () => {
    const node = await fakeNode()
    const provider = providerOf(node)
    const only = ipcTransport(provider, { methods: { include: ['eth_chainId'] } })
    const client = createPublicClient({ transport: fallback([only, ipcTransport(provider)]) })
    expect(await client.getChainId()).toBe(31_337)
    expect(await client.request({ method: 'eth_other' } as never)).toEqual(['eth_other', null])
    expect(node.connections).toBe(1)
    expect(node.methods).toEqual(['eth_chainId', 'eth_other'])
    const alone = createPublicClient({ transport: only })
    await expect(alone.getGasPrice()).rejects.toThrow('"eth_gasPrice" is not supported')
  })
})
