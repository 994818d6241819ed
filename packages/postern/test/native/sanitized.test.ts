import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { compiler, nativePath, runToEnd, sanitizerReport, whyNoCompiler } from './native-program.ts'

/** The sanitizer's own part, which has to be there before Node's; where the compiler has none, a bare name. */
function sanitizerLibrary(): string {
  return spawnSync(compiler, ['-print-file-name=libasan.so'], { encoding: 'utf8' }).stdout?.trim() ?? ''
}

const library = sanitizerLibrary()
const why = whyNoCompiler() ?? (existsSync(library) ? undefined : `${compiler} has no address sanitizer`)

test('the addon in Node gives no sanitizer anything to report', { timeout: 90_000 }, async ({ skip }) => {
  if (why !== undefined) skip(why)
  const built = await runToEnd(process.execPath, [nativePath('scripts/build.mjs'), '--sanitize'])
  expect(built.status, built.output).toBe(0)
  const program = [nativePath('test/addon.mjs'), nativePath('build/sanitized/postern.node')]
  const { status, output } = await runToEnd(process.execPath, ['--expose-gc', ...program], {
    LD_PRELOAD: library,
    // V8 frees little when it ends; what of ours is left the program counts itself.
    ASAN_OPTIONS: 'detect_leaks=0',
  })
  expect(output).toContain('all hold')
  expect(output).not.toMatch(sanitizerReport)
  expect(status, output).toBe(0)
})
