import { describe, expect, test } from 'vitest'
import { ProgressBar } from './progress-bar.ts'

function draw(totalBytes: number | undefined, isTTY: boolean, arrived: readonly number[]): string {
  let text = ''
  const bar = new ProgressBar('IPC', totalBytes, { isTTY, write: (more) => (text += more) })
  for (const bytes of arrived) bar.update(bytes)
  bar.finish(arrived.at(-1) ?? 0, 'in 1 s')
  return text
}

const arrived = [1_000_000, 10_000_000, 10_000_100, 30_000_000, 40_000_000]

describe('ProgressBar', () => {
  test('ProgressBar draws a bar again and again on a terminal', () => {
    const drawn = draw(40_000_000, true, arrived).split('\r')
    expect(drawn).toHaveLength(6)
    expect(drawn[2]).toBe('IPC #######....................... 10.0 MB')
    expect(drawn.at(-1)).toBe('IPC ############################## 40.0 MB in 1 s\n')
  })

  test('ProgressBar writes one line elsewhere', () => {
    expect(draw(40_000_000, false, arrived)).toBe('IPC 25 % ... 75 % ... 40.0 MB in 1 s\n')
  })

  test('ProgressBar counts where the total is not known', () => {
    expect(draw(undefined, false, arrived)).toBe('IPC 10.0 MB ... 30.0 MB ... 40.0 MB ... 40.0 MB in 1 s\n')
  })
})
