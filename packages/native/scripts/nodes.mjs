// Puts the other versions of Node that are supported into build/nodes/, so that the addon is tested on each of them.
//
//   node scripts/nodes.mjs

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const versions = ['22.23.3', '24.21.0']

/** npm has each Node as a package of its own, which holds the program and runs no script. */
const name = `node-${process.platform}-${process.arch}`

for (const version of versions) {
  const folder = join(root, 'build', 'nodes', version.split('.')[0])
  const stamp = join(folder, 'version')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === version) continue
  mkdirSync(folder, { recursive: true })
  const quiet = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const args = ['install', ...quiet, '--prefix', folder, `${name}@${version}`]
  const { status, error } = spawnSync('npm', args, { cwd: folder, stdio: ['ignore', 2, 2] })
  if (status === 0) writeFileSync(stamp, version)
  else {
    process.stderr.write(
      `nodes: Node ${version} could not be installed (${error?.message ?? `exit status ${status}`})\n`,
    )
    process.exitCode = 1
  }
}
