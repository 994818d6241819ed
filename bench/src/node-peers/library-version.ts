import { readFileSync } from 'node:fs'

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
}

/** A dependency of the bench with its version, all of which are pinned exactly: `viem 2.57.1`. */
export function libraryVersion(name: string): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const version = (JSON.parse(manifest) as Manifest).dependencies[name]
  if (version === undefined) throw new TypeError(`the bench does not depend on ${name}`)
  return `${name} ${version}`
}
