/**
 * How much memory the EVM held at most, by the steps of a trace.
 *
 * Each call into a contract has its own memory, which begins empty, grows in words of 32 bytes to the end of the
 * highest range that an instruction touches, never shrinks, and goes with the call (Ethereum Yellow Paper, appendix H).
 * So the stacks of a trace tell all of it; where a node also gave the memory itself, its words are counted.
 */

import type { TraceStep } from './answers.ts'

const wordBytes = 32

/** A range of memory: where its offset stands on the stack, and where its size does, or how many bytes it is. */
type TouchedRange = { readonly offset: number } & ({ readonly size: number } | { readonly bytes: number })

const offsetAndSize: readonly TouchedRange[] = [{ offset: 0, size: 1 }]
const copyTarget: readonly TouchedRange[] = [{ offset: 0, size: 2 }]
const created: readonly TouchedRange[] = [{ offset: 1, size: 2 }]

/** Positions are counted from the top of the stack. */
const touchedRanges: ReadonlyMap<string, readonly TouchedRange[]> = new Map([
  ['MLOAD', [{ offset: 0, bytes: wordBytes }]],
  ['MSTORE', [{ offset: 0, bytes: wordBytes }]],
  ['MSTORE8', [{ offset: 0, bytes: 1 }]],
  [
    'MCOPY',
    [
      { offset: 0, size: 2 },
      { offset: 1, size: 2 },
    ],
  ],
  ['KECCAK256', offsetAndSize],
  ['SHA3', offsetAndSize],
  ['RETURN', offsetAndSize],
  ['REVERT', offsetAndSize],
  ['LOG0', offsetAndSize],
  ['LOG1', offsetAndSize],
  ['LOG2', offsetAndSize],
  ['LOG3', offsetAndSize],
  ['LOG4', offsetAndSize],
  ['CALLDATACOPY', copyTarget],
  ['CODECOPY', copyTarget],
  ['RETURNDATACOPY', copyTarget],
  ['EXTCODECOPY', [{ offset: 1, size: 3 }]],
  ['CREATE', created],
  ['CREATE2', created],
  ['CALL', inputAndOutput(3)],
  ['CALLCODE', inputAndOutput(3)],
  ['DELEGATECALL', inputAndOutput(2)],
  ['STATICCALL', inputAndOutput(2)],
])

function inputAndOutput(first: number): TouchedRange[] {
  return [
    { offset: first, size: first + 1 },
    { offset: first + 2, size: first + 3 },
  ]
}

/** The most bytes that all calls under way had together. */
export function peakMemory(steps: readonly TraceStep[]): number {
  /** One entry for each call under way, the outermost first. */
  const sizes: number[] = []
  let peak = 0
  for (const step of steps) {
    sizes.length = Math.min(sizes.length, step.depth)
    while (sizes.length < step.depth) sizes.push(0)
    const before = sizes[step.depth - 1] ?? 0
    const after = Math.max(before, memoryAfter(step))
    if (after === before) continue
    sizes[step.depth - 1] = after
    peak = Math.max(
      peak,
      sizes.reduce((sum, size) => sum + size, 0),
    )
  }
  return peak
}

function memoryAfter(step: TraceStep): number {
  const before = (step.memory?.length ?? 0) * wordBytes
  // A step that could not be paid for has touched nothing.
  if (step.error != null || step.gasCost > step.gas) return before
  const ends = (touchedRanges.get(step.op) ?? []).map((range) => endOf(range, step.stack ?? []))
  return Math.max(before, ...ends.map((end) => Math.ceil(end / wordBytes) * wordBytes))
}

function endOf(range: TouchedRange, stack: readonly string[]): number {
  const size = 'bytes' in range ? range.bytes : at(stack, range.size)
  return size === 0 ? 0 : at(stack, range.offset) + size
}

function at(stack: readonly string[], position: number): number {
  return Number(stack.at(-1 - position) ?? 0)
}
