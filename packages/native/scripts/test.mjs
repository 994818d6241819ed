// Tests the files that need no Node, each by a program of its own under sanitizers. Exits with 1 when one fails.
//
//   node scripts/test.mjs [NAME...]
//   CC=COMPILER RUNNER=PROGRAM node scripts/test.mjs --plain    for other platforms, without sanitizers: by an emulator

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { compiler, sanitized, strict } from './flags.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const addresses = [...sanitized, '-fsanitize=address,undefined']
// It does not see fences, which order nothing here but the marks of sleepers, and those are atomic.
const threads = [...sanitized, '-fsanitize=thread', '-Wno-tsan']

/** Each test, the sources that it is linked with, and the flags it is compiled with. */
const programs = [
  { test: 'ring', sources: ['ring'], flags: addresses },
  { test: 'ring-threads', sources: ['ring', 'wake'], flags: threads },
  // As it is released: what is reordered then, no sanitizer shows.
  { test: 'ring-threads', sources: ['ring', 'wake'], flags: ['-O2'] },
  { test: 'wake', sources: ['wake'], flags: addresses },
  { test: 'descriptors', sources: ['descriptors'], flags: addresses },
  { test: 'records', sources: ['records', 'descriptors'], flags: addresses },
  { test: 'memory', sources: ['memory'], flags: addresses },
  { test: 'guard', sources: ['guard', 'memory'], flags: addresses },
]

// The guard's own test raises SIGBUS, which else is the sanitizer's to report.
const env = { ...process.env, ASAN_OPTIONS: 'handle_sigbus=0:allow_user_segv_handler=1:detect_leaks=1' }

// gcc's thread sanitizer of before 2024 runs only where addresses are less random than newer kernels make them.
const fixedAddresses = spawnSync('setarch', ['-R', 'true']).status === 0 ? ['setarch', '-R'] : []

const runner = process.env.RUNNER === undefined ? [] : [process.env.RUNNER]

function run(command, args) {
  const { status, signal, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env })
  if (status === 0) return true
  process.stdout.write(`${command}: ${error?.message ?? signal ?? `exit status ${status}`}\n`)
  return false
}

function compileAndRun({ test, sources, flags: usual }, folder) {
  const flags = values.plain ? ['-O2', '-static'] : usual
  const output = join(folder, test)
  const inputs = [`test/${test}.test.c`, 'test/check.c', ...sources.map((name) => `src/${name}.c`)]
  const kind = flags.find((flag) => flag.startsWith('-fsanitize')) ?? flags[0]
  process.stdout.write(`${test} (${kind})\n`)
  const paths = inputs.map((path) => join(root, path))
  if (!run(compiler, [...strict, ...flags, `-I${join(root, 'src')}`, '-o', output, ...paths])) return false
  const [command, ...args] = [...(flags === threads ? fixedAddresses : runner), output]
  return run(command, args)
}

const { values, positionals: wanted } = parseArgs({ options: { plain: { type: 'boolean' } }, allowPositionals: true })
const folder = mkdtempSync(join(tmpdir(), 'postern-native-'))
try {
  const chosen = programs.filter(({ test }) => wanted.length === 0 || wanted.includes(test))
  const failed = chosen.filter((program) => !compileAndRun(program, folder))
  process.stdout.write(`${chosen.length - failed.length} passed, ${failed.length} failed\n`)
  process.exitCode = failed.length === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true })
}
