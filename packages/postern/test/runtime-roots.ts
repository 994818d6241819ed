import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { RuntimeRoots } from '../src/os/runtime-dir.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** Places for runtime directories as a system has them, in which there are none yet. */
export async function freshRoots(): Promise<Required<RuntimeRoots> & { xdg: string }> {
  const directory = await temporaryDirectory()
  const roots = { xdg: join(directory, 'xdg'), runUser: join(directory, 'run-user'), tmp: join(directory, 'tmp') }
  await mkdir(roots.xdg, { mode: 0o700 })
  await mkdir(join(roots.runUser, String(process.geteuid?.())), { recursive: true, mode: 0o700 })
  await mkdir(roots.tmp)
  await chmod(roots.tmp, 0o1777)
  return roots
}
