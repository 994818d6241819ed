/** What a bench says of a handful of samples. All throw `RangeError` for none. */

/** The smallest and the largest sample. */
export interface Spread {
  readonly min: number
  readonly max: number
}

/** The middle sample; of an even number, the mean of the middle two. */
export function median(samples: readonly number[]): number {
  const sorted = inOrder(samples)
  const upper = Math.floor(sorted.length / 2)
  const lower = sorted.length % 2 === 0 ? upper - 1 : upper
  return ((sorted[lower] as number) + (sorted[upper] as number)) / 2
}

export function spread(samples: readonly number[]): Spread {
  const sorted = inOrder(samples)
  return { min: sorted[0] as number, max: sorted[sorted.length - 1] as number }
}

/** The sample that `percent` of all samples do not exceed (nearest rank): `percentile(samples, 99)`. */
export function percentile(samples: ArrayLike<number>, percent: number): number {
  const sorted = inOrder(samples)
  const rank = Math.ceil((percent / 100) * sorted.length)
  return sorted[Math.min(Math.max(rank, 1), sorted.length) - 1] as number
}

function inOrder(samples: ArrayLike<number>): Float64Array {
  if (samples.length === 0) throw new RangeError('no samples')
  return Float64Array.from(samples).sort()
}
