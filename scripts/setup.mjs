// All that `npm start` and `npm test` need after a clone: the right Node, the locked dependencies, a fresh build of the
// native addon and the library.
// Plain Node and no dependency, since it runs before anything is installed. It writes to stderr only, and nothing at
// all when everything is up to date.
//
//   node scripts/setup.mjs [--rebuild]

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The oldest Node that Postern supports; the same number stands in `engines`. */
const OLDEST_NODE = [20, 19]

const root = fileURLToPath(new URL('..', import.meta.url))
const library = join(root, 'packages', 'postern')
const dist = join(library, 'dist')

function say(text) {
  process.stderr.write(`setup: ${text}\n`)
}

function fail(text, status = 1) {
  say(text)
  process.exit(status)
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [oldMajor, oldMinor] = OLDEST_NODE
  if (major > oldMajor || (major === oldMajor && minor >= oldMinor)) return
  fail(
    `Postern needs Node ${OLDEST_NODE.join('.')} or newer; this is Node ${process.versions.node} (${process.execPath})`,
  )
}

/** Runs a program with its output on stderr; ends this process with its status when it fails. */
function run(what, command, args, options = {}) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options })
  if (status !== 0) fail(`${what} failed (${error?.message ?? signal ?? `exit status ${status}`})`, status ?? 1)
}

/** npm as it was started: by its own path where npm runs us (no shell, no .cmd), else the one on PATH. */
function runNpm(what, args, options = {}) {
  const npm = process.env.npm_execpath
  if (npm?.endsWith('.js')) run(what, process.execPath, [npm, ...args], options)
  else run(what, 'npm', args, { ...options, shell: process.platform === 'win32' })
}

function hash(parts) {
  const sum = createHash('sha256')
  for (const part of parts) sum.update(part).update('\0')
  return sum.digest('hex')
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

/** Installs what the lockfile says, once for every content of the lockfile. */
function install() {
  const lockfile = join(root, 'package-lock.json')
  const stamp = join(root, 'node_modules', '.postern-installed')
  const wanted = hash([`${process.platform}-${process.arch}`, readFileSync(lockfile)])
  if (read(stamp) === wanted) return
  if (!installedByHand(lockfile)) {
    say('installing dependencies (npm ci)')
    // Nothing here needs its install scripts: every binary comes inside a platform package.
    runNpm('npm ci', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'])
  }
  writeFileSync(stamp, wanted)
}

/** npm writes its own copy of the lockfile at the end of an install: newer than ours, somebody ran `npm install`. */
function installedByHand(lockfile) {
  const copy = join(root, 'node_modules', '.package-lock.json')
  return existsSync(copy) && statSync(copy).mtimeMs >= statSync(lockfile).mtimeMs
}

function filesUnder(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
}

/** Everything that the build reads. */
function buildInputs() {
  const sources = filesUnder(join(library, 'src')).filter((path) => !/\.test(-d)?\.ts$/.test(path))
  const settings = [join(library, 'tsconfig.json'), join(root, 'tsconfig.base.json'), join(root, 'package-lock.json')]
  return [...sources, ...settings]
}

/** Builds the library when the content of a source changed. The stamp lies in dist, so that they go together. */
function build(forced) {
  const stamp = join(dist, '.built')
  const inputs = buildInputs()
  const wanted = hash(inputs.flatMap((path) => [relative(root, path), readFileSync(path)]))
  if (!forced && read(stamp) === wanted) return
  say('building packages/postern')
  // tsc trusts its own notes, not the disk: after a forced or half-deleted build they must not count.
  if (forced || !existsSync(stamp)) rmSync(join(dist, '.tsbuildinfo'), { force: true })
  run('the build', process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', library])
  dropOrphans()
  linkCommand()
  mkdirSync(dist, { recursive: true })
  writeFileSync(stamp, wanted)
}

/** Whether there is a C compiler; on Debian it is installed where we may. */
function hasCompiler() {
  const compiler = process.env.CC ?? 'cc'
  const runs = () => spawnSync(compiler, ['--version'], { stdio: 'ignore' }).status === 0
  if (runs()) return true
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status !== 0) return false
  say('installing a C compiler (apt-get install gcc libc6-dev)')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  spawnSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 2, 2], env })
  const packages = ['--no-install-recommends', 'gcc', 'libc6-dev']
  spawnSync('apt-get', ['install', '-y', '-qq', ...packages], { stdio: ['ignore', 2, 2], env })
  return runs()
}

/** Builds the native addon. Without a compiler everything else works, and what needs it says so. */
function buildNative() {
  if (process.platform === 'win32') return
  if (hasCompiler())
    run('the native build', process.execPath, [join(root, 'packages', 'native', 'scripts', 'build.mjs')])
  else say('no C compiler (cc): @postern/native is not built; "allow" and shm: addresses need it')
}

/** Makes `npx postern` work: npm links a command when it installs, but then this one was not built yet. */
function linkCommand() {
  const command = join(dist, 'cli', 'main.js')
  if (!existsSync(command)) return
  chmodSync(command, 0o755)
  if (existsSync(join(root, 'node_modules', '.bin', 'postern'))) return
  runNpm('npm rebuild', ['rebuild', 'postern', '--ignore-scripts'], { stdio: ['ignore', 'ignore', 2] })
}

/** Removes what was built from sources that are gone; dist itself stays, since others may be running from it. */
function dropOrphans() {
  for (const path of filesUnder(dist)) {
    const inside = relative(dist, path)
    if (inside.startsWith('.') && !inside.includes(sep)) continue
    const source = inside.replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts')
    if (!existsSync(join(library, 'src', source))) rmSync(path)
  }
}

checkNode()
install()
buildNative()
build(process.argv.includes('--rebuild'))
