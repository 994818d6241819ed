import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/** The version of a package that this installation would load; undefined when it finds none. */
export function installedVersion(name: string): string | undefined {
  for (const directory of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    const version = versionIn(join(directory, name, 'package.json'))
    if (version !== undefined) return version
  }
  return undefined
}

function versionIn(path: string): string | undefined {
  try {
    const { version } = JSON.parse(readFileSync(path, 'utf8')) as { readonly version?: string }
    return version
  } catch {
    return undefined
  }
}
