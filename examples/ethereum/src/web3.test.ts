import { type EthereumProvider, ethereumProvider, mayHaveRun } from 'postern/ethereum'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Web3 } from 'web3'
import { findAnvil } from './anvil.ts'
import { RestartableAnvil } from './restartable-anvil.ts'
import { contractAbi, contractAddress, revertingCode } from './reverting-contract.ts'
import { until } from './until.ts'

/** A node comes back as soon as the machine lets it. */
const limits = { connectMs: 20_000, retryMaxMs: 200 }

interface Started {
  readonly anvil: RestartableAnvil
  readonly node: EthereumProvider
  readonly web3: Web3
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
  const web3 = new Web3(node)
  onTestFinished(async () => {
    await node.close()
    await anvil[Symbol.asyncDispose]()
  })
  return { anvil, node, web3, sent }
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => 'it resolved',
    (error: unknown) => error,
  )
}

describe.skipIf(findAnvil() === undefined)('web3.js over ethereumProvider', () => {
  test('Web3 reads, and gives reverts with their reasons', async () => {
    const { node, web3 } = await start()
    expect(await web3.eth.getBlockNumber()).toBe(0n)
    expect(await web3.eth.getChainId()).toBe(31_337n)
    await node.request({ method: 'anvil_setCode', params: [contractAddress, revertingCode('no entry')] })
    const contract = new web3.eth.Contract(contractAbi, contractAddress)
    const error = await errorOf(contract.methods.enter().call())
    expect(error).toMatchObject({ name: 'ContractExecutionError', cause: { errorArgs: { message: 'no entry' } } })
    expect(mayHaveRun(error)).toBe(false)
  })

  test('Web3 sends a transaction and waits for its receipt', async () => {
    const { node, web3 } = await start()
    await node.request({ method: 'evm_setAutomine', params: [true] })
    const [from = '', to = ''] = await web3.eth.getAccounts()
    const receipt = await web3.eth.sendTransaction({ from, to, value: 1n })
    expect(receipt).toMatchObject({ status: 1n, blockNumber: 1n })
  })

  test('Web3 tells heads, also after the node was killed and started again, and the gap between them is told', async () => {
    const { anvil, node, web3 } = await start()
    const told: unknown[] = []
    node.on('gap', ({ subscription }) => told.push(['gap', subscription]))
    const heads = await web3.eth.subscribe('newHeads')
    heads.on('data', ({ number }) => void told.push(number))
    heads.on('error', (error) => void told.push(error))
    await node.request({ method: 'evm_mine' })
    await until('a head', () => told.length === 1)
    await anvil.kill()
    const waiting = web3.eth.getGasPrice()
    await anvil.restart()
    expect(await waiting).toBeTypeOf('bigint')
    await until('the gap', () => told.length === 2)
    await node.request({ method: 'evm_mine' })
    await until('the next head', () => told.length === 3)
    expect(told).toEqual([1n, ['gap', heads.id], 1n])
    await heads.unsubscribe()
    await node.request({ method: 'evm_mine' })
    await node.request({ method: 'eth_chainId' })
    expect(told).toHaveLength(3)
  })

  test('a transaction whose outcome is unknown is sent once, and mayHaveRun says so', async () => {
    const { anvil, web3, sent } = await start()
    const [from = ''] = await web3.eth.getAccounts()
    await anvil.freeze()
    const params = [{ from, to: contractAddress }]
    const failing = errorOf(web3.requestManager.send({ method: 'eth_sendTransaction', params }))
    const transactions = (): number => sent.filter((frame) => frame.includes('eth_sendTransaction')).length
    await until('the call', () => transactions() === 1)
    await anvil.kill()
    const error = await failing
    expect(String(error)).toContain('[unknown_outcome] eth_sendTransaction')
    expect(mayHaveRun(error)).toBe(true)
    await anvil.restart()
    expect(await web3.eth.getBalance(contractAddress)).toBe(0n)
    expect(transactions()).toBe(1)
  })
})
