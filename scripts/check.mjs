// All that must hold before a change lands, cheapest first, stopping at the first step that fails.
//
//   node scripts/check.mjs                   every step
//   node scripts/check.mjs format lint       only these
//   node scripts/check.mjs --without tests   all but these

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Each step by its name: the commands it runs. The library's own sources are type-checked by the build in `setup`. */
const steps = new Map([
  ['setup', [['node', 'scripts/setup.mjs']]],
  ['format', [['biome', 'format']]],
  ['lint', [['oxlint', '--type-aware']]],
  [
    'types',
    [
      ['tsc', '-p', 'packages/postern/tsconfig.test.json'],
      ['tsc', '-p', 'examples/ethereum'],
      ['tsc', '-p', 'examples/daemon'],
      ['tsc', '-p', 'examples/python'],
      ['tsc', '-p', 'examples/camera'],
      ['tsc', '-p', 'bench'],
    ],
  ],
  ['tests', [['vitest', 'run']]],
  [
    'publint',
    [
      ['publint', 'run', 'packages/postern', '--strict'],
      ['publint', 'run', 'packages/native', '--strict'],
    ],
  ],
  [
    'attw',
    [
      ['attw', '--pack', 'packages/postern', '--profile', 'esm-only', '--no-emoji'],
      ['attw', '--pack', 'packages/native', '--profile', 'esm-only', '--no-emoji'],
    ],
  ],
  ['knip', [['knip', '--no-config-hints', '--no-progress']]],
])

/** The steps asked for; set-up always runs, since every other step stands on it. */
function chosen(args) {
  const without = args[0] === '--without'
  const names = without ? args.slice(1) : args
  const unknown = names.filter((name) => !steps.has(name))
  if (unknown.length > 0) stop(`no step named ${unknown.join(', ')}; there are ${[...steps.keys()].join(', ')}`, 2)
  if (names.length === 0) return [...steps.keys()]
  return [...steps.keys()].filter((name) => name === 'setup' || names.includes(name) !== without)
}

function stop(text, status) {
  process.stderr.write(`check: ${text}\n`)
  process.exit(status)
}

function run([name, ...args]) {
  const windows = process.platform === 'win32'
  const command =
    name === 'node' ? process.execPath : join(root, 'node_modules', '.bin', windows ? `${name}.cmd` : name)
  const { status, signal, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: windows && name !== 'node',
  })
  if (status !== 0)
    throw new Error(`${[name, ...args].join(' ')}: ${error?.message ?? signal ?? `exit status ${status}`}`)
}

for (const step of chosen(process.argv.slice(2))) {
  process.stdout.write(`\n== ${step}\n`)
  const startMs = performance.now()
  try {
    for (const command of steps.get(step)) run(command)
  } catch (error) {
    stop(`${step} FAILED (${error.message})`, 1)
  }
  process.stdout.write(`== ${step}: ok, ${((performance.now() - startMs) / 1000).toFixed(1)} s\n`)
}
process.stdout.write('\ncheck: all steps passed\n')
