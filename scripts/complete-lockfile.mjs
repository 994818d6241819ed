// Adds to package-lock.json the platform packages (esbuild's, anvil's, ...) that npm left out because the registry it
// asked did not have them: without their entries `npm ci` on that platform installs the tool but not its binary. The
// entries carry no integrity, which npm adds when it installs them for the first time.
//
//   node scripts/complete-lockfile.mjs      after an `npm install` that changed package-lock.json

import { readFileSync, writeFileSync } from 'node:fs'

const CPU = new Map([['amd64', 'x64']])

/** What a platform package says of itself, read from its name: `@scope/binding-linux-arm64-musl`. */
function platformOf(name) {
  const [os, cpu, abi = ''] = name
    .replace(/^@.*?\//, '')
    .replace(/^(cli|binding|anvil)-/, '')
    .split('-')
  const libc = os !== 'linux' ? [] : abi.startsWith('musl') ? ['musl'] : abi.startsWith('gnu') ? ['glibc'] : []
  return { os: [os], cpu: [CPU.get(cpu) ?? cpu], libc }
}

/** An entry in npm's own order of fields, with what it shares with its brothers on other platforms. */
function entryFor(name, version, parent, packages) {
  const scope = `node_modules/${name.split('/')[0]}/`
  const brother = Object.entries(packages).find(([path, entry]) => path.startsWith(scope) && entry.os)?.[1] ?? {}
  const { os, cpu, libc } = platformOf(name)
  return {
    version,
    cpu,
    ...(parent.dev && { dev: true }),
    ...(libc.length > 0 && { libc }),
    ...(brother.license && { license: brother.license }),
    optional: true,
    os,
    ...(brother.engines && { engines: brother.engines }),
  }
}

const file = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(file, 'utf8'))
const packages = lock.packages
for (const parent of Object.values(packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    if (!name.includes('/') || packages[`node_modules/${name}`]) continue
    packages[`node_modules/${name}`] = entryFor(name, version, parent, packages)
    console.error(`added ${name}`)
  }
}
const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'))
writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`)
