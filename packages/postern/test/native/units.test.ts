import { expect, test } from 'vitest'
import { nativePath, runToEnd, sanitizerReport, whyNoCompiler } from './native-program.ts'

const why = whyNoCompiler()

// Each case has a bound of its own, of 60 s.
test('the native files hold without Node, and no sanitizer reports', { timeout: 120_000 }, async ({ skip }) => {
  if (why !== undefined) skip(why)
  const { status, output } = await runToEnd(process.execPath, [nativePath('scripts/test.mjs')])
  expect(output).toMatch(/\b8 passed, 0 failed\b/)
  expect(output).not.toMatch(sanitizerReport)
  expect(status).toBe(0)
})
