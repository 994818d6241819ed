import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { Answers } from './answers.ts'

/** A stand-in for stdout whose writes end as the test says. */
function stdout(finish: (chunk: Buffer, done: (error?: Error) => void) => void) {
  const stream = new Writable({ highWaterMark: 10, write: (chunk: Buffer, _, done) => finish(chunk, done) })
  return { stream, answers: new Answers(stream as unknown as NodeJS.WriteStream) }
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: of the test`), { code })
}

test('Answers.write waits while stdout is full, and flush for all of it', async () => {
  const waiting: (() => void)[] = []
  const written: string[] = []
  const { answers } = stdout((chunk, done) => {
    waiting.push(() => {
      written.push(String(chunk))
      done()
    })
  })
  await answers.write('a')
  let full = true
  const second = answers.write('b'.repeat(20)).then(() => {
    full = false
  })
  await Promise.resolve()
  expect(full).toBe(true)
  waiting.shift()?.()
  waiting.shift()?.()
  await second
  const flushed = answers.flush()
  expect(written).toEqual(['a', 'b'.repeat(20)])
  waiting.shift()?.()
  await flushed
})

test.each(['EPIPE', 'ECONNRESET'])('Answers are no failure when their reader has gone (%s)', async (code) => {
  const { answers } = stdout((_, done) => done(failure(code)))
  await answers.write('x'.repeat(100))
  await answers.flush()
  expect(answers.ended.aborted).toBe(true)
  await answers.write('dropped')
  await answers.flush()
})

test('Answers say when they cannot be written', async () => {
  const { answers } = stdout((_, done) => done(failure('ENOSPC')))
  await answers.write('x')
  await expect(answers.flush()).rejects.toThrow('[internal] cannot write the answer to stdout: ENOSPC: of the test')
})
