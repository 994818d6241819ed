/** The middle one of several times, or the mean of the two in the middle. */
export function median(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2
}

/** Median and range: `5.2 [4.9-6.1]`, in milliseconds. */
export function withSpread(times: readonly number[]): string {
  return `${ms(median(times))} [${ms(Math.min(...times))}-${ms(Math.max(...times))}]`
}

function ms(time: number): string {
  return time.toFixed(time < 10 ? 1 : 0)
}
