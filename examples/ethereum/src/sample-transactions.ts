/**
 * Transactions for a development node whose accounts are unlocked and which mines when told to, as ours does.
 */

import { z } from 'zod'
import { Hex, read } from './answers.ts'
import type { EthereumNode } from './ethereum-node.ts'

/** Below the 16,777,216 that a transaction may ask for at most. It shows in every step of a trace, and so in its size. */
const gas = '0xf42400'

/** A constructor that writes one word at 0xffe0, so that the EVM holds 65,536 bytes, and creates an empty contract. */
export const memoryFiller = '0x600161ffe05200'

/** A constructor that refuses: `revert(0, 0)`. */
const refuser = '0x60006000fd'

/** A constructor that counts down from `loops`, seven instructions a turn, on the stack alone. */
export function countdown(loops: number): string {
  return `0x62${loops.toString(16).padStart(6, '0')}5b600190038060045700`
}

/**
 * Bytes of one line with the whole trace of a countdown in it, when the call's id has one digit. They are the same on
 * every machine, so that a lost byte is seen.
 */
export const countdownTraceBytes: ReadonlyMap<number, number> = new Map([
  [3_625, 2_364_950],
  [29_000, 19_158_965],
])

/** Mines one block with two transfers, a contract that fills memory, and one transaction that fails. */
export async function mineSampleBlock(node: EthereumNode, seed: number): Promise<void> {
  const accounts = await accountsOf(node)
  const from = accounts[seed % accounts.length]
  const to = accounts[(seed + 1) % accounts.length]
  const value = `0x${(BigInt(seed + 1) * 10n ** 17n).toString(16)}`
  await node.batch([
    ['eth_sendTransaction', { from, to, value, gas }],
    ['eth_sendTransaction', { from: to, to: from, value: '0x22b1c8c1227a0000', gas }],
    ['eth_sendTransaction', { from, data: memoryFiller, gas }],
    ['eth_sendTransaction', { from: to, data: refuser, gas }],
  ])
  await node.call('evm_mine')
}

/** Mines a block with one contract creation; resolves with the hash of the transaction. */
export async function create(node: EthereumNode, data: string): Promise<string> {
  const [from] = await accountsOf(node)
  const hash = read(Hex, await node.call('eth_sendTransaction', { from, data, gas }), 'a transaction hash')
  await node.call('evm_mine')
  return hash
}

async function accountsOf(node: EthereumNode): Promise<string[]> {
  return read(z.array(Hex).min(2), await node.call('eth_accounts'), 'accounts')
}
