import { describe, expect, test } from 'vitest'
import { transactionLines } from './transaction-lines.ts'

const hash = `0x${'ab'.repeat(32)}`
const from = `0x${'cd'.repeat(20)}`

describe('transactionLines', () => {
  test('transactionLines keeps every digit of an amount', () => {
    const block = { number: 7n, transactions: [{ hash, from, to: from, value: 123_456_789_012_345_678_901n }] }
    const receipt = { transactionHash: hash, status: 1n, gasUsed: 21_000n }
    expect(transactionLines(block, [receipt])).toEqual([
      'block 7  0xabab…abab  0xcdcd…cdcd -> 0xcdcd…cdcd  123.456789012345678901 ETH  21,000 gas',
    ])
  })

  test('transactionLines names a contract that could not be created, and a receipt that is missing', () => {
    const block = { number: 0n, transactions: [{ hash, from, to: null, value: 0n }] }
    const failed = { transactionHash: hash, status: 0n, gasUsed: 53_064n }
    const start = 'block 0  0xabab…abab  0xcdcd…cdcd -> nobody  0 ETH'
    expect(transactionLines(block, [failed])).toEqual([`${start}  53,064 gas  new contract  FAILED`])
    expect(transactionLines(block, [])).toEqual([`${start}  no receipt yet`])
  })
})
