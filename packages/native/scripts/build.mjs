// Builds the addon with the C compiler of this machine (`CC`, else cc), and nothing else: no node-gyp, no download.
//
//   node scripts/build.mjs               build/postern.node, if a source has changed
//   node scripts/build.mjs --sanitize    build/sanitized/postern.node, with address and undefined-behaviour sanitizers
//   node scripts/build.mjs --prebuild    prebuilds/*/postern.node, for every platform whose compiler is here

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compiler, sanitized, strict } from './flags.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const headers = join(dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')), 'include')

const addon = ['-fPIC', '-fvisibility=hidden', '-DNAPI_VERSION=8', ...strict]
/** Never unloaded, with the last worker that has it: the handler of a signal may be in it (guard.c). */
const staysLoaded = '-Wl,-z,nodelete'
const link = process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared', staysLoaded]

/** The platforms that are released, and the usual names of their compilers on Debian. */
const platforms = [
  { name: 'linux-x64-glibc', compiler: 'x86_64-linux-gnu-gcc' },
  { name: 'linux-x64-musl', compiler: 'x86_64-linux-musl-gcc' },
  { name: 'linux-arm64-glibc', compiler: 'aarch64-linux-gnu-gcc' },
  { name: 'linux-arm64-musl', compiler: 'aarch64-linux-musl-gcc' },
]

function sources() {
  const folder = join(root, 'src')
  return readdirSync(folder)
    .filter((name) => name.endsWith('.c') || name.endsWith('.h'))
    .sort()
    .map((name) => join(folder, name))
}

function hashOf(parts) {
  const sum = createHash('sha256')
  for (const part of parts) sum.update(part).update('\0')
  return sum.digest('hex')
}

function hasCompiler(compiler) {
  return spawnSync(compiler, ['--version'], { stdio: 'ignore' }).status === 0
}

/** Compiles when the sources, the flags or the compiler differ from the last time. */
function build(compiler, flags, output) {
  const files = sources()
  const wanted = hashOf([compiler, ...flags, ...files.flatMap((path) => [path, readFileSync(path)])])
  const stamp = `${output}.built`
  if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  process.stderr.write(`native: building ${output.slice(root.length)} with ${compiler}\n`)
  mkdirSync(dirname(output), { recursive: true })
  const unfinished = `${output}.${process.pid}`
  const inputs = files.filter((path) => path.endsWith('.c'))
  const arguments_ = [...flags, ...link, `-I${headers}`, '-o', unfinished, ...inputs]
  const { status, error } = spawnSync(compiler, arguments_, { stdio: ['ignore', 2, 2] })
  if (status !== 0) {
    process.stderr.write(`native: ${compiler} failed (${error?.message ?? `exit status ${status}`})\n`)
    process.exit(1)
  }
  // Who has loaded the old one keeps it.
  renameSync(unfinished, output)
  writeFileSync(stamp, wanted)
}

const [mode] = process.argv.slice(2)
if (mode === '--prebuild') {
  for (const { name, compiler: cross } of platforms) {
    if (hasCompiler(cross)) build(cross, ['-O2', '-s', ...addon], join(root, 'prebuilds', name, 'postern.node'))
    else process.stderr.write(`native: no ${cross} here; ${name} is left for a machine that has it\n`)
  }
} else if (mode === '--sanitize')
  build(
    compiler,
    [...sanitized, '-fsanitize=address,undefined', ...addon],
    join(root, 'build', 'sanitized', 'postern.node'),
  )
else build(compiler, ['-O2', ...addon], join(root, 'build', 'postern.node'))
