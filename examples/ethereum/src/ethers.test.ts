import { BrowserProvider, Contract, isCallException, isError, parseEther } from 'ethers'
import { type EthereumProvider, ethereumProvider, mayHaveRun } from 'postern/ethereum'
import { describe, expect, onTestFinished, test } from 'vitest'
import { findAnvil } from './anvil.ts'
import { RestartableAnvil } from './restartable-anvil.ts'
import { contractAbi, contractAddress, revertingCode } from './reverting-contract.ts'
import { until } from './until.ts'

/** A node comes back as soon as the machine lets it. */
const limits = { connectMs: 20_000, retryMaxMs: 200 }

interface Started {
  readonly anvil: RestartableAnvil
  readonly node: EthereumProvider
  readonly provider: BrowserProvider
  /** The frames that have left. */
  readonly sent: readonly string[]
}

async function start(): Promise<Started> {
  const anvil = await RestartableAnvil.start()
  const sent: string[] = []
  const tap = {
    frame: (direction: string, frame: unknown) => direction === 'out' && sent.push(String(frame)),
    close: () => undefined,
  }
  const node = ethereumProvider(anvil.address, { tap, limits })
  const provider = new BrowserProvider(node, undefined, { pollingInterval: 20, cacheTimeout: -1 })
  onTestFinished(async () => {
    provider.destroy()
    await node.close()
    await anvil[Symbol.asyncDispose]()
  })
  return { anvil, node, provider, sent }
}

async function errorOf(promise: Promise<unknown>): Promise<Error> {
  return await promise.then(
    () => new Error('it resolved'),
    (error: unknown) => error as Error,
  )
}

describe.skipIf(findAnvil() === undefined)('ethers over ethereumProvider', () => {
  test('BrowserProvider reads, and gives reverts with their reasons', async () => {
    const { provider } = await start()
    expect(await provider.getBlockNumber()).toBe(0)
    expect((await provider.getNetwork()).chainId).toBe(31_337n)
    await provider.send('anvil_setCode', [contractAddress, revertingCode('no entry')])
    const contract = new Contract(contractAddress, contractAbi, provider)
    const error = await errorOf(contract.getFunction('enter')())
    expect(isCallException(error) && error.reason).toBe('no entry')
    expect(mayHaveRun(error)).toBe(false)
  })

  test('BrowserProvider sends a transaction and waits for its receipt', async () => {
    const { provider } = await start()
    const signer = await provider.getSigner()
    const response = await signer.sendTransaction({ to: contractAddress, value: parseEther('1') })
    const receipt = response.wait()
    await provider.send('evm_mine', [])
    expect(await receipt).toMatchObject({ status: 1, blockNumber: 1 })
    expect(await provider.getBalance(contractAddress)).toBe(parseEther('1'))
  })

  test('BrowserProvider tells blocks, also after the node was killed and started again', async () => {
    const { anvil, provider } = await start()
    const blocks: number[] = []
    await provider.on('block', (block: number) => blocks.push(block))
    const mineUntilTold = async (): Promise<void> => {
      const { length } = blocks
      // The first one only tells ethers where the chain stands.
      while (blocks.length === length) await provider.send('evm_mine', [])
    }
    await mineUntilTold()
    await anvil.kill()
    const waiting = provider.getBalance(contractAddress)
    await anvil.restart()
    expect(await waiting).toBe(0n)
    await mineUntilTold()
    expect(blocks.length).toBeGreaterThan(1)
  })

  test('pushed blocks come by the provider itself, with the gap told', async () => {
    const { anvil, node, provider } = await start()
    const told: unknown[] = []
    await node.subscribe(['newHeads'], {
      onItem: (head) => told.push((head as { number: string }).number),
      onGap: () => told.push('gap'),
    })
    await provider.send('evm_mine', [])
    await until('a head', () => told.length === 1)
    await anvil.kill()
    await anvil.restart()
    await until('the gap', () => told.length === 2)
    await provider.send('evm_mine', [])
    await until('the next head', () => told.length === 3)
    expect(told).toEqual(['0x1', 'gap', '0x1'])
  })

  test('a transaction whose outcome is unknown is sent once, and mayHaveRun says so', async () => {
    const { anvil, provider, sent } = await start()
    const signer = await provider.getSigner()
    await anvil.freeze()
    const failing = errorOf(signer.sendUncheckedTransaction({ to: contractAddress, gasLimit: 21_000 }))
    const transactions = (): number => sent.filter((frame) => frame.includes('eth_sendTransaction')).length
    await until('the call', () => transactions() === 1)
    await anvil.kill()
    const error = await failing
    expect(isError(error, 'UNKNOWN_ERROR')).toBe(true)
    expect(error.message).toContain('[unknown_outcome] eth_sendTransaction')
    expect(mayHaveRun(error)).toBe(true)
    await anvil.restart()
    expect(await provider.getBalance(contractAddress)).toBe(0n)
    expect(transactions()).toBe(1)
  })
})
