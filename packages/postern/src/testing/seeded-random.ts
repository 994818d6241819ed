/** Numbers that look random and are the same for the same seed, so that a failure can be run again. */
export interface SeededRandom {
  readonly seed: number
  /** From 0 to below 1. */
  fraction(): number
  /** A whole number from 0 to below `end`. */
  below(end: number): number
  /** One of the items, of which there is at least one. */
  pick<T>(items: readonly T[]): T
  /** That many bytes. */
  bytes(length: number): Buffer
}

/** The generator "mulberry32". */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (end: number): number => Math.floor(fraction() * end)
  return {
    seed,
    fraction,
    below,
    pick: <T>(items: readonly T[]): T => items[below(items.length)] as T,
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  }
}
