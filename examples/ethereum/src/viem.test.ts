import { type EthereumProviderOptions, type IpcTransport, ipcTransport, mayHaveRun } from 'postern/ethereum'
import {
  BaseError,
  ContractFunctionRevertedError,
  createTestClient,
  fallback,
  http,
  parseEther,
  publicActions,
  shouldThrow,
  walletActions,
} from 'viem'
import { describe, expect, onTestFinished, test } from 'vitest'
import { findAnvil } from './anvil.ts'
import { RestartableAnvil } from './restartable-anvil.ts'
import { contractAbi, contractAddress, revertingCode } from './reverting-contract.ts'
import { until } from './until.ts'

/** A node comes back as soon as the machine lets it. */
const limits = { connectMs: 20_000, retryMaxMs: 200 }

/** Everything that viem can ask of a node, over one transport. */
function clientOf(transport: IpcTransport) {
  onTestFinished(() => transport({}).value?.provider.close())
  return createTestClient({ mode: 'anvil', transport }).extend(publicActions).extend(walletActions)
}

async function startedAnvil(): Promise<RestartableAnvil> {
  const anvil = await RestartableAnvil.start()
  onTestFinished(() => anvil[Symbol.asyncDispose]())
  return anvil
}

/** The frames that leave, for `tap`. */
function outgoing() {
  const frames: string[] = []
  const tap: NonNullable<EthereumProviderOptions['tap']> = {
    frame: (direction, frame) => direction === 'out' && frames.push(String(frame)),
    close: () => undefined,
  }
  const count = (method: string): number => frames.filter((frame) => frame.includes(`"${method}"`)).length
  return { frames, tap, count }
}

async function errorOf(promise: Promise<unknown>): Promise<Error> {
  return await promise.then(
    () => new Error('it resolved'),
    (error: unknown) => error as Error,
  )
}

describe.skipIf(findAnvil() === undefined)('viem over ipcTransport', () => {
  test('ipcTransport watches blocks, their numbers, logs and transactions by subscriptions, and polls nothing', async () => {
    const anvil = await startedAnvil()
    const { tap, frames, count } = outgoing()
    const client = clientOf(ipcTransport(anvil.address, { tap }))
    const told: string[] = []
    const onError = (error: Error): unknown => told.push(String(error))
    const stops = [
      client.watchBlocks({ onBlock: ({ number }) => told.push(`block ${number}`), onError }),
      client.watchBlockNumber({ onBlockNumber: (number) => told.push(`number ${number}`), onError }),
      client.watchEvent({ onLogs: (logs) => told.push(`logs ${logs.length}`), onError }),
      client.watchPendingTransactions({ onTransactions: ({ length }) => told.push(`pending ${length}`), onError }),
    ]
    await until('four subscriptions', () => count('eth_subscribe') === 4)
    const [account] = await client.getAddresses()
    // The constructor logs its sender, without a topic.
    const data = '0x3360005260206000a000'
    await client.sendTransaction({ account: account as `0x${string}`, data, chain: null })
    await client.mine({ blocks: 1 })
    await until('all four', () => told.length === 4)
    expect(told.toSorted()).toEqual(['block 1', 'logs 1', 'number 1', 'pending 1'])
    for (const stop of stops) stop()
    await until('the ends', () => count('eth_unsubscribe') === 4)
    expect(frames.filter((frame) => /eth_blockNumber|Filter/.test(frame))).toEqual([])
  })

  test('ipcTransport gives reverts with their reasons', async () => {
    const anvil = await startedAnvil()
    const client = clientOf(ipcTransport(anvil.address))
    for (const reason of ['no entry', '}{', '"', 'é']) {
      await client.setCode({ address: contractAddress, bytecode: revertingCode(reason) })
      const error = await errorOf(
        client.readContract({ address: contractAddress, abi: contractAbi, functionName: 'enter' }),
      )
      const revert = error instanceof BaseError && error.walk((one) => one instanceof ContractFunctionRevertedError)
      expect(revert).toMatchObject({ reason })
      expect(mayHaveRun(error)).toBe(false)
    }
  })

  test('ipcTransport sends a transaction and waits for its receipt', async () => {
    const anvil = await startedAnvil()
    const client = clientOf(ipcTransport(anvil.address))
    const [account, to] = (await client.getAddresses()) as [`0x${string}`, `0x${string}`]
    const hash = await client.sendTransaction({ account, to, value: parseEther('1'), chain: null })
    // This one action of viem asks for the block number from time to time, whatever the transport.
    const receipt = client.waitForTransactionReceipt({ hash, pollingInterval: 20 })
    await client.mine({ blocks: 1 })
    expect(await receipt).toMatchObject({ status: 'success', blockNumber: 1n })
  })

  test('ipcTransport sends nothing twice, though viem itself would', async () => {
    const anvil = await startedAnvil()
    const { tap, count } = outgoing()
    const client = clientOf(ipcTransport(anvil.address, { tap, limits }))
    const [account] = (await client.getAddresses()) as [`0x${string}`]
    await anvil.freeze()
    const params = [{ from: account, to: account }] as never
    const sent = errorOf(client.request({ method: 'eth_sendTransaction', params } as never, { retryCount: 3 }))
    await until('the call', () => count('eth_sendTransaction') === 1)
    await anvil.kill()
    const error = await sent
    expect(error.name).toBe('ProviderDisconnectedError')
    expect(error.message).toContain('[unknown_outcome] eth_sendTransaction was sent')
    expect(mayHaveRun(error)).toBe(true)
    await anvil.restart()
    expect(await client.getChainId()).toBe(31_337)
    expect(count('eth_sendTransaction')).toBe(1)
  })

  test('ipcTransport gives up a request whose signal aborts', async () => {
    const anvil = await startedAnvil()
    const client = clientOf(ipcTransport(anvil.address))
    await client.getChainId()
    await anvil.freeze()
    const aborting = new AbortController()
    const call = errorOf(client.request({ method: 'eth_gasPrice' } as never, { signal: aborting.signal }))
    aborting.abort()
    expect((await call).name).toBe('AbortError')
    await anvil.kill()
  })

  test('ipcTransport with batch sends the calls of one turn in one frame', async () => {
    const anvil = await startedAnvil()
    const { tap, frames } = outgoing()
    const client = clientOf(ipcTransport(anvil.address, { tap, batch: true }))
    await client.getChainId()
    const address = contractAddress
    const answers = await Promise.all([
      client.getBalance({ address }),
      client.getTransactionCount({ address }),
      client.getBlock(),
      client.getGasPrice(),
    ])
    expect(answers).toMatchObject([0n, 0, { number: 0n }, expect.any(BigInt) as bigint])
    expect(frames.map((frame) => frame.startsWith('['))).toEqual([false, true])
    expect(JSON.parse(frames[1] ?? '')).toHaveLength(4)
  })

  test('ipcTransport tells errors of subscribing to who watches', async () => {
    const client = clientOf(ipcTransport('unix:/nowhere/node.ipc', { limits: { connectMs: 50 } }))
    const error = await new Promise<Error>((resolve) => {
      client.watchBlocks({ onBlock: () => undefined, onError: resolve })
    })
    expect(error).toMatchObject({ name: 'ProviderRpcError', code: 4900, data: { postern: 'no_listener' } })
  })

  test('ipcTransport refuses options that there are not, and takes a provider with none but its name', async () => {
    const { provider } = clientOf(ipcTransport('anvil')).transport
    expect(() => ipcTransport('anvil', { timeout: 1 } as never)).toThrow(/no option "timeout"; there are key, name/)
    expect(() => ipcTransport(provider, { batch: true } as never)).toThrow(/no option "batch"/)
    const { config, value } = ipcTransport(provider, { key: 'k', name: 'n', methods: { exclude: ['a'] } })({})
    expect(config).toMatchObject({ key: 'k', name: 'n', methods: { exclude: ['a'] }, type: 'ipc', retryCount: 0 })
    expect(value?.provider).toBe(provider)
  })
})

describe.skipIf(findAnvil() === undefined)('fallback of viem', () => {
  function fallbackOf(first: IpcTransport, httpUrl: string, config = {}) {
    onTestFinished(() => first({}).value?.provider.close())
    const transport = fallback([first, http(httpUrl)], config)
    return createTestClient({ mode: 'anvil', transport }).extend(publicActions)
  }

  test('fallback uses ipcTransport first, also to watch', async () => {
    const anvil = await startedAnvil()
    const { tap, count } = outgoing()
    const client = fallbackOf(ipcTransport(anvil.address, { tap }), anvil.httpUrl)
    expect(await client.getChainId()).toBe(31_337)
    let blocks = 0
    client.watchBlocks({ onBlock: () => blocks++ })
    await until('the subscription', () => count('eth_subscribe') === 1)
    await client.mine({ blocks: 1 })
    await until('the block', () => blocks === 1)
    expect([count('eth_chainId'), count('eth_blockNumber')]).toEqual([1, 0])
  })

  test('fallback goes on to the next one while the node is away, and with shouldThrow not with what may have run', async () => {
    const anvil = await startedAnvil()
    const other = await startedAnvil()
    const { tap, count } = outgoing()
    const client = fallbackOf(ipcTransport(anvil.address, { tap, limits: { connectMs: 100 } }), other.httpUrl, {
      shouldThrow: (error: Error) => shouldThrow(error) || mayHaveRun(error),
    })
    const [account] = (await client.request({ method: 'eth_accounts' } as never)) as [`0x${string}`]
    await anvil.freeze()
    const params = [{ from: account, to: account }]
    const sent = errorOf(client.request({ method: 'eth_sendTransaction', params } as never))
    await until('the call', () => count('eth_sendTransaction') === 1)
    await anvil.kill()
    expect(mayHaveRun(await sent)).toBe(true)
    expect(await client.getChainId()).toBe(31_337)
    expect(await client.getBlock({ blockTag: 'pending' })).toMatchObject({ transactions: [] })
  })
})
