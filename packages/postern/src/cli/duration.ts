import { maxTimerMs } from '../core/deadline.ts'
import { UsageError } from './usage-error.ts'

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** A time as people write it, `500ms`, `5s`, `2m`, `1h`, or a number of seconds; in milliseconds. */
export function parseDuration(text: string, option: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? []
  const ms = Math.round(Number(number) * (unitMs[unit] ?? Number.NaN))
  if (ms >= 1 && ms <= maxTimerMs) return ms
  throw new UsageError(`${option} takes a time from 1ms to 596h, as 5s, 500ms or 2m, not ${JSON.stringify(text)}`)
}
