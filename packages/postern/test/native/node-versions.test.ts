import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { nativePath, runToEnd, whyNoAddon } from './native-program.ts'

/** The program of a version of Node, which `packages/native/scripts/nodes.mjs` has put there. */
function nodeOf(major: string): string {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath
  const name = `node-${process.platform}-${process.arch}`
  return nativePath(`build/nodes/${major}/node_modules/${name}/bin/node`)
}

/** Why a version is skipped; undefined: it is not. */
function whySkipped(node: string, major: string): string | undefined {
  if (existsSync(node)) return whyNoAddon()
  return `Node ${major} is not there (node packages/native/scripts/nodes.mjs)`
}

for (const major of ['20', '22', '24']) {
  test(`the addon does all that it should on Node ${major}`, { timeout: 60_000 }, async ({ skip }) => {
    const node = nodeOf(major)
    const why = whySkipped(node, major)
    if (why !== undefined) skip(why)
    const program = [nativePath('test/addon.mjs'), nativePath('build/postern.node')]
    const { status, output } = await runToEnd(node, ['--expose-gc', ...program])
    expect(status, output).toBe(0)
    expect(output).toContain(`all hold on Node ${major}.`)
  })
}
