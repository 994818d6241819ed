/** `postern completion`, in the shells themselves. */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'
import { contract, method, serve, stream } from '../../src/index.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { runCli } from './run-cli.ts'
import { type ShellName, startShell, whyNoShell } from './shell-session.ts'

const node = contract('node', {
  info: method(),
  transfer: method({ params: z.object({ to: z.string(), amount: z.int() }) }),
  blocks: stream(),
})

/** Serves it at `local:node` in a runtime directory of its own, until the test is over. Returns the directory. */
async function startNode(): Promise<string> {
  const runtime = await temporaryDirectory()
  await mkdir(join(runtime, 'postern'), { mode: 0o700 })
  const handlers = { info: () => 1, transfer: () => 2, blocks: () => [3] }
  const server = await serve(node, handlers, { at: `unix:${join(runtime, 'postern/node')}`, onError: () => undefined })
  onTestFinished(() => server.close())
  return runtime
}

/** What stands on the line before Tab, and after it. */
const lines: readonly (readonly [before: string, after: string])[] = [
  ['postern pi', 'postern ping '],
  ['postern help cle', 'postern help clean '],
  ['postern call --verb', 'postern call --verbose '],
  ['postern completion z', 'postern completion zsh '],
  ['postern call loc', 'postern call local:node '],
  ['postern call local:', 'postern call local:node '],
  ['postern call un', 'postern call unix:'],
  ['postern serve x --at=loc', 'postern serve x --at=local:node '],
  ['postern call local:node node.tr', 'postern call local:node node.transfer '],
  ['postern call -v local:node node.transfer to=x ', 'postern call -v local:node node.transfer to=x amount='],
  ['postern sub local:node ', 'postern sub local:node node.blocks '],
  ['postern call local:node node.info --limit maxCa', 'postern call local:node node.info --limit maxCallBytes='],
  ['postern call ./dir', 'postern call ./directory/'],
  ['postern call ~/bi', 'postern call ~/bin/'],
  ['postern call unix:./directory/so', 'postern call unix:./directory/socket '],
  ['postern call local:node node.info @par', 'postern call local:node node.info @params.json '],
  ['postern serve mod', 'postern serve module\\ 1.mjs '],
  ['postern nothing ', 'postern nothing '],
]

describe.skipIf(process.platform === 'win32')('postern completion', () => {
  test.for<ShellName>(['bash', 'zsh', 'fish'])('completes in %s', { timeout: 60_000 }, async (name, { skip }) => {
    const why = whyNoShell(name)
    if (why !== undefined) skip(why)
    const shell = await startShell(name, await startNode())
    await mkdir(join(shell.directory, 'directory'))
    for (const file of ['directory/socket', 'params.json', 'module 1.mjs'])
      await writeFile(join(shell.directory, file), '')
    const completed: [string, string][] = []
    for (const [before] of lines) completed.push([before, await shell.complete(before)])
    expect(completed).toEqual(lines)
  })

  test('needs the name of a shell', async () => {
    for (const args of [[], ['tcsh'], ['bash', 'zsh'], ['constructor']]) {
      const { status, stderr } = await runCli(['completion', ...args])
      expect({ status, stderr }).toEqual({
        status: 2,
        stderr: expect.stringContaining('completion takes the name of a shell, one of bash, zsh, fish') as string,
      })
    }
  })
})
