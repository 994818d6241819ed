/** Where the tests put a contract that does nothing but refuse. */
export const contractAddress = '0x00000000000000000000000000000000c0ffee00'

/** The interface of a contract that answers any call by `revert(reason)`. */
export const contractAbi = [
  {
    type: 'function',
    name: 'enter',
    stateMutability: 'view',
    inputs: [],
    outputs: [{ type: 'uint256', name: '' }],
  },
] as const

/** The code of such a contract; the reason has up to 32 bytes. */
export function revertingCode(reason: string): `0x${string}` {
  const word = (hex: string): string => `7f${hex.padEnd(64, '0')}`
  const store = (push: string, at: string): string => `${push}60${at}52`
  const length = Buffer.byteLength(reason).toString(16).padStart(2, '0')
  return `0x${[
    store(word('08c379a0'), '00'),
    store('6020', '04'),
    store(`60${length}`, '24'),
    store(word(Buffer.from(reason).toString('hex')), '44'),
    '60646000fd',
  ].join('')}`
}
