import type { Block, Receipt } from './answers.ts'

const weiDigits = 18

/**
 * One line for each transaction of a block: who sent how much to whom, what it cost and how it ended.
 *
 * @example
 * ```
 * block 7  0x1c9e…03fa  0xf39f…2266 -> 0x7099…79c8  1.5 ETH  21,000 gas
 * ```
 */
export function transactionLines({ number, transactions }: Block, receipts: readonly Receipt[]): string[] {
  const receiptOf = new Map(receipts.map((receipt) => [receipt.transactionHash, receipt]))
  return transactions.map(({ hash, from, to, value }) => {
    const receipt = receiptOf.get(hash)
    const target = to ?? receipt?.contractAddress
    const parties = `${short(from)} -> ${target == null ? 'nobody' : short(target)}`
    return [`block ${number}`, short(hash), parties, ether(value), ...outcome(to == null, receipt)].join('  ')
  })
}

function outcome(creates: boolean, receipt: Receipt | undefined): string[] {
  if (receipt === undefined) return ['no receipt yet']
  const gas = `${receipt.gasUsed.toLocaleString('en')} gas`
  const notes = [creates ? 'new contract' : '', receipt.status === 0n ? 'FAILED' : '']
  return [gas, ...notes.filter((note) => note !== '')]
}

function short(hex: string): string {
  return `${hex.slice(0, 6)}…${hex.slice(-4)}`
}

/** Exact: what a `number` would round stays whole. */
function ether(wei: bigint): string {
  const digits = wei.toString().padStart(weiDigits + 1, '0')
  const fraction = digits.slice(-weiDigits).replace(/0+$/, '')
  return `${digits.slice(0, -weiDigits)}${fraction === '' ? '' : `.${fraction}`} ETH`
}
