/** What the documentation says must be so. `npx vitest run packages/postern/test/docs.test.ts -u` writes its tables. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import {
  anchorsOf,
  type Block,
  blocksOf,
  commentBlocksOf,
  fileNameOf,
  filesMatching,
  linksOf,
  pages,
  read,
  root,
} from './docs/pages.ts'
import { errorTable, limitTable, withTables } from './docs/tables.ts'
import { type Documented, exportsOf, faultsOf, membersOf, openWorkspace, type Workspace } from './docs/workspace.ts'
import { errorCodes } from '../src/core/errors.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const library = 'packages/postern/src'
/** The files from which the library's doors export something. */
const doorways = ['', '/ethereum'].flatMap((folder) => {
  const exported = read(`${library}${folder}/index.ts`).matchAll(/from '\.\/(.+)'/g)
  return [...exported].map(([, path]) => `${library}${folder}/${path}`)
})

/** What one calls, and therefore wants to see called. */
const called = ['serve', 'connect', 'contract', 'method', 'parseAddress', 'isPosternError', 'PosternError']

describe('the examples', () => {
  let workspace: Workspace
  beforeAll(() => {
    const blocks = [...pages.flatMap(blocksOf), ...doorways.flatMap(commentBlocksOf)]
    workspace = openWorkspace(blocks.filter(({ language }) => language === 'ts'))
    // It compiles every page, which takes long where much else runs.
  }, 180_000)

  it('are found in pages and in comments', () => {
    const paths = new Set([...workspace.blocks.values()].map(({ path }) => path))
    expect(paths).toContain('README.md')
    expect(paths).toContain('docs/calling.md')
    expect(paths).toContain('packages/postern/src/app/connect.ts')
  })

  it('compile', () => {
    expect(faultsOf(workspace)).toEqual([])
  })

  it('stand at everything that is called, and a comment at everything that is exported', () => {
    const names = (all: readonly Documented[]): string[] => all.map(({ name }) => name)
    const exported = exportsOf(workspace)
    expect(names(exported)).toEqual(expect.arrayContaining(called))
    expect(names(exported.filter(({ text }) => text === ''))).toEqual([])
    expect(names(exported.filter(({ name, examples }) => called.includes(name) && examples === 0))).toEqual([])
    const methods = membersOf(workspace, 'Connection').filter(({ name }) => /^[a-z]/.test(name))
    expect(names(methods)).toEqual(expect.arrayContaining(['call', 'notify', 'batch', 'subscribe', 'close', 'abort']))
    expect(names(methods.filter(({ text }) => text === ''))).toEqual([])
    const values = ['api', 'on', 'emit', 'closed', 'connected', 'peer', 'unmatchedAnswers']
    expect(names(methods.filter(({ name, examples }) => examples === 0 && !values.includes(name)))).toEqual([])
  })

  it.each(['docs/errors.md', 'docs/limits.md'])('of %s stand beside tables that equal the code', async (path) => {
    const errors = workspace.program.getSourceFile(join(root, 'packages/postern/src/core/errors.ts'))
    const tables = {
      errors: errorTable(membersOf(workspace, 'errorCodes', errors)),
      limits: limitTable(membersOf(workspace, 'Limits')),
    }
    const page = read(path)
    expect(page).toContain('<!-- table: ')
    await expect(withTables(page, tables)).toMatchFileSnapshot(join(root, path))
  })

  it('of the package page are those of the README', () => {
    const codeOf = (path: string): string[] => blocksOf(path).map(({ code }) => code)
    expect(codeOf('README.md')).toEqual(expect.arrayContaining(codeOf('packages/postern/README.md')))
  })
})

describe('the quick start of the README', () => {
  it('does what its comments say', async () => {
    const files = new Map(blocksOf('README.md').map((block) => [fileNameOf(block), block]))
    const directory = await quickStart([...files.values()])
    await startServer(directory)
    for (const name of ['client.ts', 'client.js']) {
      const expected = printedBy(files.get(name))
      expect(expected.length, name).toBeGreaterThan(0)
      expect(await outputOf(directory, name), name).toEqual(expected)
    }
  })
})

/** What the comments behind `console.log` say that a block prints. */
function printedBy(block: Block | undefined): string[] {
  return [...(block?.code ?? '').matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, text = '']) => text)
}

/** A directory as a newcomer has it, but that `postern` is the source of this repository. */
async function quickStart(blocks: readonly Block[]): Promise<string> {
  const directory = await temporaryDirectory()
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
  const paths = { postern: [join(root, 'packages/postern/src/index.ts')] }
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions: { target: 'es2023', paths } }))
  await writeFile(join(directory, 'package.json'), '{"type":"module"}')
  await mkdir(join(directory, 'run'), { mode: 0o700 })
  for (const block of blocks) {
    const name = fileNameOf(block)
    if (name !== undefined) await writeFile(join(directory, name), block.code)
  }
  return directory
}

function start(directory: string, name: string): ReturnType<typeof spawn> {
  const env = { ...process.env, XDG_RUNTIME_DIR: join(directory, 'run'), NO_COLOR: '1' }
  const args = ['--import', 'tsx', name]
  return spawn(process.execPath, args, { cwd: directory, env, stdio: ['ignore', 'pipe', 'inherit'] })
}

async function startServer(directory: string): Promise<void> {
  const server = start(directory, 'server.ts')
  const exited = once(server, 'exit')
  onTestFinished(async () => {
    server.kill()
    await exited
    expect(existsSync(join(directory, 'run/postern/bank'))).toBe(false)
  })
  const ended = exited.then(([status]) => {
    throw new Error(`server.ts ended with ${status} before it served`)
  })
  ended.catch(() => undefined)
  await Promise.race([once(server.stdout as NodeJS.ReadableStream, 'data'), ended])
}

async function outputOf(directory: string, name: string): Promise<string[]> {
  const client = start(directory, name)
  onTestFinished(() => void client.kill('SIGKILL'))
  let output = ''
  client.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const [status] = await once(client, 'close')
  expect(status, name).toBe(0)
  return output.trimEnd().split('\n')
}

describe('the pages', () => {
  it.each(pages)('%s has no dead link', (path) => {
    const dead = linksOf(path).filter((link) => {
      const [target = '', anchor] = link.split('#')
      const page = target === '' ? path : join(dirname(path), target)
      if (!existsSync(join(root, page))) return true
      return anchor !== undefined && !anchorsOf(page).includes(anchor)
    })
    expect(dead).toEqual([])
  })

  it('mention every option, environment variable and exit status of the command line', () => {
    const text = read('docs/command-line.md')
    const files = filesMatching(/(?<!\.test)\.ts$/).filter((path) => path.startsWith(`${library}/cli/`))
    const commands = files.map(read).join('\n')
    const options = [...commands.matchAll(/^ {2}(\w+): \{\s+type: '(?:string|boolean)'/gm)].map(
      ([, name]) => `--${name}`,
    )
    const variables = [...commands.matchAll(/process\.env\['(\w+)'\]/g)].map(([, name]) => name)
    expect([...options, ...variables].filter((word) => !text.includes(word as string))).toEqual([])
    const statuses = [...new Set(Object.values(errorCodes).map(({ exit }) => exit))]
    expect(statuses.filter((status) => !new RegExp(`^\\| ${status}\\b`, 'm').test(text))).toEqual([])
  })

  it('and the code name no path of somebody’s machine, and node-ipc only where it is ruled out', () => {
    const machinePath = /(?<![\w.$}])\/(?:home|Users|root|work|workspace)\/\w/
    const mayNameIt = ['CONTRIBUTING.md', 'packages/postern/test/layers.test.ts', 'packages/postern/test/docs.test.ts']
    const files = filesMatching(/\.(?:md|[cm]?[jt]s|json|wire)$|^run$/).filter((path) => path !== 'package-lock.json')
    const bad = files.filter((path) => {
      const text = read(path)
      // Its clean fork is one of the peers that the bench compares with.
      const named = text.replaceAll(/achrinza[/-]node-ipc|node-ipc\.ts|nodeIpc/g, '').includes('node-ipc')
      return machinePath.test(text) || (named && !mayNameIt.includes(path))
    })
    expect(bad).toEqual([])
  })
})
