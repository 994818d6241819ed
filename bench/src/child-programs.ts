/**
 * The programs of children as plain JavaScript, which is what users run. tsx looks at every module that a program
 * loads, those of packages too, which makes a start several times as long; and it writes names into functions.
 */

import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const roles = fileURLToPath(new URL('roles', import.meta.url))

/** Bundles every role into a directory, but for the packages that it uses. */
export async function buildChildPrograms(directory: string): Promise<void> {
  await build({
    entryPoints: readdirSync(roles).map((name) => join(roles, name)),
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // What they say of their place is still true of where they were written.
    define: { 'import.meta.url': JSON.stringify(new URL('roles/role.ts', import.meta.url).href) },
    plugins: [
      {
        name: 'packages stay where they are',
        setup(bundling) {
          bundling.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
            kind === 'entry-point' || path.startsWith('node:')
              ? undefined
              : { path: import.meta.resolve(path), external: true },
          )
        },
      },
    ],
  })
}

/** Where the program of a role lies. */
export function childProgram(directory: string, module: URL): string {
  return join(directory, basename(fileURLToPath(module)).replace(/\.ts$/, '.mjs'))
}
