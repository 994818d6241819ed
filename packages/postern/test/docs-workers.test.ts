/** The example of docs/workers.md, compiled and run with the library as it is published. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, it, onTestFinished } from 'vitest'
import { type Block, blocksOf, fileNameOf, root } from './docs/pages.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** A directory with the blocks as JavaScript. */
async function compiled(blocks: readonly Block[]): Promise<string> {
  const directory = await temporaryDirectory()
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
  await writeFile(join(directory, 'package.json'), '{"type":"module"}')
  await mkdir(join(directory, 'run'), { mode: 0o700 })
  const compilerOptions = {
    module: ts.ModuleKind.ESNext,
    target: ts.ScriptTarget.ES2022,
    verbatimModuleSyntax: true,
    rewriteRelativeImportExtensions: true,
  }
  for (const block of blocks) {
    const { outputText } = ts.transpileModule(block.code, { compilerOptions })
    await writeFile(join(directory, fileNameOf(block)?.replace('.ts', '.js') ?? ''), outputText)
  }
  return directory
}

function start(directory: string, name: string): ReturnType<typeof spawn> {
  const env = { ...process.env, XDG_RUNTIME_DIR: join(directory, 'run'), NO_COLOR: '1' }
  const child = spawn(process.execPath, [name], { cwd: directory, env, stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

it('docs/workers.md shows what happens', async () => {
  const blocks = blocksOf('docs/workers.md')
  const client = blocks.find((block) => fileNameOf(block) === 'client.ts')
  const expected = [...(client?.code ?? '').matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, text]) => text)
  expect(expected).toHaveLength(2)
  const directory = await compiled(blocks)
  const server = start(directory, 'server.js')
  const ended = once(server, 'exit')
  await Promise.race([once(server.stdout as NodeJS.ReadableStream, 'data'), ended])
  const asking = start(directory, 'client.js')
  let output = ''
  asking.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  expect(await once(asking, 'close')).toEqual([0, null])
  expect(output.trimEnd().split('\n')).toEqual(expected)
  server.kill('SIGTERM')
  expect(await ended).toEqual([null, 'SIGTERM'])
  expect(existsSync(join(directory, 'run/postern/primes'))).toBe(false)
})
