/** A real language server, spoken to as editors do: headers, JSON-RPC 2.0, and calls in both directions. */

import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { connect } from '../../src/index.ts'
import { until } from '../../src/testing/until.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const { resolve } = createRequire(import.meta.url)
const server = resolve('typescript-language-server/lib/cli.mjs')
const tsserver = resolve('typescript/lib/tsserver.js')

const text = `const answer = { question: 'six by nine', value: 42 }
answer.
`

/** It loads all of TypeScript, twice. */
const boundMs = 100_000

test(
  'a language server completes, calls back, and ends when it is told to',
  async () => {
    const directory = await temporaryDirectory()
    const uri = pathToFileURL(join(directory, 'main.ts')).href
    await writeFile(join(directory, 'main.ts'), text)
    await writeFile(join(directory, 'tsconfig.json'), '{}')

    const asked: string[] = []
    const told: string[] = []
    const answer =
      (method: string, result: (params: unknown) => unknown) =>
      (params: unknown): unknown => {
        asked.push(method)
        return result(params)
      }
    const note = (params: unknown): void => void told.push(JSON.stringify(params))
    const connection = await connect(
      { spawn: [process.execPath, server, '--stdio'], cwd: directory, over: 'stdio', framing: 'content-length' },
      {
        // A language server that has gone knows nothing of what was opened.
        reconnect: false,
        limits: { callMs: boundMs },
        handlers: {
          'client/registerCapability': answer('client/registerCapability', () => null),
          'window/workDoneProgress/create': answer('window/workDoneProgress/create', () => null),
          'workspace/configuration': answer('workspace/configuration', (params) =>
            (params as { items: unknown[] }).items.map(() => null),
          ),
          '$/progress': note,
          '$/typescriptVersion': note,
          'window/logMessage': note,
          'window/showMessage': note,
          'textDocument/publishDiagnostics': note,
        },
      },
    )
    const { pid = 0 } = connection.peer

    const initialized = await connection.call('initialize', {
      processId: process.pid,
      rootUri: pathToFileURL(directory).href,
      workspaceFolders: [{ uri: pathToFileURL(directory).href, name: 'main' }],
      initializationOptions: {
        tsserver: { path: tsserver, useClientFileWatcher: true },
        disableAutomaticTypingAcquisition: true,
      },
      capabilities: {
        window: { workDoneProgress: true },
        workspace: {
          configuration: true,
          didChangeWatchedFiles: { dynamicRegistration: true, relativePatternSupport: true },
        },
        textDocument: { completion: { completionItem: { snippetSupport: false } } },
      },
    })
    expect(initialized).toMatchObject({
      capabilities: { completionProvider: { triggerCharacters: expect.any(Array) } },
    })
    await connection.notify('initialized', {})
    await connection.notify('textDocument/didOpen', {
      textDocument: { uri, languageId: 'typescript', version: 1, text },
    })

    const completed = (await connection.call('textDocument/completion', {
      textDocument: { uri },
      position: { line: 1, character: 'answer.'.length },
    })) as { items: { label: string }[] }
    expect(completed.items.map(({ label }) => label)).toEqual(expect.arrayContaining(['question', 'value']))
    await until(() => new Set(asked).size === 3)
    expect(told.join()).toContain('Using Typescript version')

    expect(await connection.call('shutdown')).toBeNull()
    await connection.notify('exit')
    await connection.close()
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  },
  boundMs,
)
