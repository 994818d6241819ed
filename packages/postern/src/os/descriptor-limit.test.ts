import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { descriptorLimit, parseDescriptorLimit } from './descriptor-limit.ts'

test('parseDescriptorLimit reads the soft limit', () => {
  const head = 'Limit                     Soft Limit           Hard Limit           Units     \n'
  expect(
    parseDescriptorLimit(`${head}Max open files            1024                 524288               files     \n`),
  ).toBe(1024)
  expect(
    parseDescriptorLimit(`${head}Max open files            unlimited            unlimited            files     \n`),
  ).toBeUndefined()
  expect(parseDescriptorLimit('')).toBeUndefined()
})

test('descriptorLimit is what the shell says on Linux', ({ skip }) => {
  skip(process.platform !== 'linux', 'only Linux has /proc/self/limits')
  // Node raises its own soft limit to the hard one.
  expect(descriptorLimit()).toBe(Number(execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' })))
})
