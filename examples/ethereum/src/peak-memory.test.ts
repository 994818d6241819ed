import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { read, Trace, type TraceStep } from './answers.ts'
import { findAnvil, startAnvil } from './anvil.ts'
import { connectIpcNode } from './ipc-node.ts'
import { peakMemory } from './peak-memory.ts'
import { create } from './sample-transactions.ts'

function step(op: string, stackFromTop: readonly number[], more: Partial<TraceStep> = {}): TraceStep {
  const stack = stackFromTop.map((item) => `0x${item.toString(16)}`).reverse()
  return { op, depth: 1, gas: 1_000, gasCost: 3, stack, ...more }
}

describe('peakMemory', () => {
  test.each<[TraceStep, number]>([
    [step('PUSH1', []), 0],
    [step('MSTORE', [0, 1]), 32],
    [step('MSTORE', [1, 1]), 64],
    [step('MSTORE8', [31, 1]), 32],
    [step('MLOAD', [0x400]), 0x420],
    [step('RETURN', [0x20, 0x40]), 0x60],
    [step('RETURN', [0xffff, 0]), 0],
    [step('CALLDATACOPY', [0, 0x999, 33]), 64],
    [step('EXTCODECOPY', [0xff, 0, 0x999, 32]), 32],
    [step('MCOPY', [0, 0x100, 0x20]), 0x120],
    [step('CALL', [0xffff, 0xff, 0, 0, 0x20, 0x20, 0x40]), 0x60],
    [step('STATICCALL', [0xffff, 0xff, 0, 0x80, 0, 0]), 0x80],
    [step('MSTORE', [0xffff_ffff, 1], { gasCost: 5_000 }), 0],
    [step('MSTORE', [0, 1], { error: 'out of gas' }), 0],
  ])('peakMemory after %j is %d', (only, bytes) => {
    expect(peakMemory([only])).toBe(bytes)
  })

  test('peakMemory adds up the memories of calls under way, and forgets those that ended', () => {
    const inner = step('MSTORE', [0x20, 1], { depth: 2 })
    const steps = [step('MSTORE', [0, 1]), inner, step('POP', [1]), inner, step('MSTORE', [0x20, 1])]
    expect(peakMemory(steps)).toBe(96)
  })

  test('peakMemory counts the words of a trace that has them', () => {
    expect(peakMemory([{ op: 'STOP', depth: 1, gas: 1, gasCost: 0, memory: ['0x0', '0x0'] }])).toBe(64)
  })

  test.skipIf(findAnvil() === undefined)('peakMemory by the stacks is what the EVM itself reports', async () => {
    await using anvil = await startAnvil()
    await using node = await connectIpcNode(anvil.ipcAddress)
    // mstore(64, 1); create(0, 0, 0); codecopy(200, 0, 100); keccak256(0, 1000); call(itself's child with 32 bytes); return(0, 0)
    const hash = await create(
      node,
      '0x600160405260006000600060f05060646000' + '60c8396103e860002050600060005260006000f3',
    )
    const trace = read(Trace, await node.call('debug_traceTransaction', hash, { enableMemory: true }), 'a trace')
    const reported = z.array(z.object({ memory: z.array(z.string()) })).parse(trace.structLogs)
    const byStacks = trace.structLogs.map(({ memory: _, ...rest }) => rest)
    expect(peakMemory(byStacks)).toBe(Math.max(...reported.map(({ memory }) => memory.length * 32)))
    expect(peakMemory(byStacks)).toBe(1_024)
  })
})
