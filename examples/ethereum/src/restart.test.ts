import { describe, expect, test } from 'vitest'
import { findAnvil } from './anvil.ts'
import { runRestarts } from './restart-demo.ts'

describe.skipIf(findAnvil() === undefined)('a node that is killed and started again below a viem client', () => {
  test('runRestarts: blocks go on, each gap is told once, no call hangs, and nothing is sent twice', async () => {
    let text = ''
    const { told, calls, methods } = await runRestarts({ restarts: 2, output: { write: (more) => (text += more) } })
    expect(told).toEqual(['block 1', 'gap', 'block 1', 'gap', 'block 1'])
    const round = [
      'transaction under way: rejected, may have run',
      'read under way: answered',
      'read while the node is away: answered',
    ]
    expect(calls.toSorted()).toEqual([...round, ...round].toSorted())
    const times = (method: string): number => methods.filter((sent) => sent === method).length
    expect(times('eth_subscribe')).toBe(3)
    expect(times('eth_sendTransaction')).toBe(2)
    // Once before the kill and once after it, each time.
    expect(times('eth_gasPrice')).toBe(4)
    // Blocks are pushed, not asked for.
    expect(times('eth_blockNumber')).toBe(0)
    expect(text).toContain('node killed')
  })
})
