import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { openSocketOptions } from './reachable-directory.ts'
import { makeRuntimeDirectory } from './runtime-dir.ts'

test('openSocketOptions lets all connect where others get to', async () => {
  const directory = await temporaryDirectory()
  for (const mode of [0o711, 0o755, 0o710]) {
    await chmod(directory, mode)
    expect(await openSocketOptions(join(directory, 's'))).toEqual({ mode: 0o666 })
  }
})

test('openSocketOptions refuses a directory, or one above it, that nobody else enters', async () => {
  const directory = await temporaryDirectory()
  const refusal = `[permission_denied] directory ${directory} has mode 0700, so that no other user gets through it`
  await expect(openSocketOptions(join(directory, 's'))).rejects.toThrow(refusal)
  await mkdir(join(directory, 'open'))
  await chmod(join(directory, 'open'), 0o755)
  await expect(openSocketOptions(join(directory, 'open', 's'))).rejects.toThrow(refusal)
})

test('openSocketOptions refuses the directory of local: names, and one that is not there', async () => {
  const runtime = await makeRuntimeDirectory()
  await expect(openSocketOptions(join(runtime, 's'))).rejects.toThrow('the directory of local: names')
  const missing = join(await temporaryDirectory(), 'missing', 's')
  await expect(openSocketOptions(missing)).rejects.toMatchObject({ code: 'bad_address' })
})
