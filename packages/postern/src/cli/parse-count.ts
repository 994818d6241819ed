import { UsageError } from './usage-error.ts'

/** The number behind `--count`, from 1; without one the usual. */
export function parseCount(text: string | undefined, usual: number): number {
  if (text === undefined) return usual
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw new UsageError(`--count takes a whole number from 1, not ${JSON.stringify(text)}`)
  return Number(text)
}
