import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

let why: string | undefined | null = null

/** Why there is no Python to test with, or undefined when there is. */
export function whyNoPython(): string | undefined {
  if (why === null) {
    const { status } = spawnSync('python3', ['-c', 'import struct, sys; sys.exit(struct.calcsize("P") != 8)'])
    why = status === 0 ? undefined : 'python3 of 64 bits is missing'
  }
  return why
}

/** The path of a Python program in this folder. */
export function pythonProgram(name: `${string}.py`): string {
  return fileURLToPath(new URL(name, import.meta.url))
}
