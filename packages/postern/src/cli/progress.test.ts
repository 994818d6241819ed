import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Progress } from './progress.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }))
afterEach(() => void vi.useRealTimers())

function start(): { progress: Progress; written: string[] } {
  const written: string[] = []
  const stream = { write: (text: string) => written.push(text) }
  return { progress: new Progress(stream as unknown as NodeJS.WriteStream), written }
}

test('Progress shows nothing of an answer that comes soon', () => {
  const { progress, written } = start()
  progress.update(1_000_000)
  vi.advanceTimersByTime(250)
  progress.stop()
  vi.advanceTimersByTime(1_000)
  expect(written).toEqual([])
})

test('Progress shows nothing before the first byte', () => {
  const { progress, written } = start()
  vi.advanceTimersByTime(5_000)
  progress.stop()
  expect(written).toEqual([])
})

test('Progress tells what has arrived, and takes its line and its signal handlers back', () => {
  const listeners = process.listenerCount('SIGINT')
  const { progress, written } = start()
  progress.update(1_230_000)
  vi.advanceTimersByTime(400)
  expect(written.at(-1)).toBe('\r\u001b[2K1.2 MB received')
  expect(process.listenerCount('SIGINT')).toBe(listeners + 1)
  progress.update(19_000_000)
  vi.advanceTimersByTime(100)
  expect(written.at(-1)).toBe('\r\u001b[2K19.0 MB received')
  progress.stop()
  progress.stop()
  const count = written.length
  expect(written.at(-1)).toBe('\r\u001b[2K')
  vi.advanceTimersByTime(1_000)
  expect(written).toHaveLength(count)
  expect(process.listenerCount('SIGINT')).toBe(listeners)
})
