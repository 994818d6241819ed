/** `postern serve`. */

import { lstat, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../temporary-directory.ts'
import { cliPath, runCli, startCli } from './run-cli.ts'

const postern = pathToFileURL(join(cliPath, '../../index.js')).href

/** A directory with this module in it. */
async function writeModule(source: string, name = 'service.mjs'): Promise<string> {
  const directory = await temporaryDirectory()
  await writeFile(join(directory, name), source)
  return directory
}

const handlers = `
  const late = () => {
    console.error('late called')
    return new Promise((resolve) => setTimeout(resolve, 300, 'done'))
  }
  export const handlers = { echo: (params) => params, late }
`

describe.skipIf(process.platform === 'win32')('postern serve', () => {
  test('serves handlers, says where, and dies of SIGTERM with its socket gone', async () => {
    const cwd = await writeModule(handlers)
    const path = join(cwd, 'a.sock')
    const server = startCli(['serve', 'service.mjs', '--at', './a.sock', '--at', `unix:${cwd}/b.sock`], { cwd })
    await server.written('b.sock\n')
    expect((await runCli(['call', path, 'echo', '1'])).stdout).toBe('1\n')
    expect((await runCli(['call', join(cwd, 'b.sock'), 'echo', '2'])).stdout).toBe('2\n')
    server.child.kill('SIGTERM')
    expect(await server.result).toMatchObject({
      signal: 'SIGTERM',
      stdout: '',
      stderr: `postern: serving at unix:${path}\npostern: serving at unix:${cwd}/b.sock\n`,
    })
    await expect(lstat(path)).rejects.toThrow('ENOENT')
  })

  test('shows each frame with -v', async () => {
    const cwd = await writeModule(`${handlers}\nexport const at = './s'`)
    const server = startCli(['serve', 'service.mjs', '-v'], { cwd })
    await server.written('serving at')
    await runCli(['call', join(cwd, 's'), 'echo', '1'])
    server.child.kill('SIGTERM')
    const { stderr } = await server.result
    expect(stderr).toContain('\n<-- {"jsonrpc":"2.0","id":1,"method":"echo","params":[1]}\n')
    expect(stderr).toContain('\n--> {"jsonrpc":"2.0","id":1,"result":1}\n')
  })

  test('lets a call finish before it dies of SIGINT', async () => {
    const cwd = await writeModule(`${handlers}\nexport const at = './s'`)
    const server = startCli(['serve', 'service.mjs'], { cwd })
    await server.written('serving at')
    const call = startCli(['call', join(cwd, 's'), 'late'])
    await server.written('late called')
    server.child.kill('SIGINT')
    expect(await call.result).toMatchObject({ status: 0, stdout: '"done"\n' })
    expect((await server.result).signal).toBe('SIGINT')
  })

  test('serves a contract at a local: name', async () => {
    const cwd = await writeModule(`
      import { contract, method } from ${JSON.stringify(postern)}
      const clock = contract('clock', { now: method() })
      export { clock as contract }
      export const handlers = { now: () => 12 }
      export const at = ['local:clock']
    `)
    const env = { XDG_RUNTIME_DIR: await temporaryDirectory() }
    const server = startCli(['serve', './service.mjs'], { cwd, env })
    await server.written('serving at')
    expect((await runCli(['call', 'local:clock', 'clock.now'], { env })).stdout).toBe('12\n')
    expect((await runCli(['call', 'local:clock', 'clock.then'], { env })).status).toBe(7)
  })

  test('-q says nothing, and --at goes before what the module exports', async () => {
    const cwd = await writeModule(`${handlers}\nexport const at = './exported'`)
    const first = startCli(['serve', 'service.mjs', '--at', './given'], { cwd })
    await first.written('/given\n')
    const second = startCli(['serve', 'service.mjs', '-q'], { cwd })
    while ((await runCli(['call', './exported', 'echo', '1'], { cwd })).status !== 0) continue
    second.child.kill('SIGTERM')
    expect(await second.result).toMatchObject({ signal: 'SIGTERM', stderr: '' })
  })

  test('ends with 3 where a live server has the name', async () => {
    const cwd = await writeModule(`${handlers}\nexport const at = './s'`)
    const first = startCli(['serve', 'service.mjs'], { cwd })
    await first.written('serving at')
    const second = await runCli(['serve', 'service.mjs'], { cwd })
    expect(second).toMatchObject({ status: 3, stdout: '' })
    expect(second.stderr).toMatch(/^postern: \[address_in_use\] /)
    expect((await runCli(['call', './s', 'echo', '1'], { cwd })).status).toBe(0)
  })

  test('a call ends with 3 when the server is killed in its middle', async () => {
    const cwd = await writeModule(
      `export const handlers = { never: () => { console.error('called'); return new Promise(() => {}) } }\nexport const at = './s'`,
    )
    const server = startCli(['serve', 'service.mjs'], { cwd })
    await server.written('serving at')
    const call = startCli(['call', './s', 'never', '--json'], { cwd })
    await server.written('called')
    server.child.kill('SIGKILL')
    const { status, stderr } = await call.result
    expect(status).toBe(3)
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'unknown_outcome' } })
  })

  test.each<[string, string, RegExp]>([
    [
      'that throws',
      `throw new RangeError('no\\n\\u001b[31mdatabase')`,
      /importing it failed: RangeError: no\\u000a\\u001b\[31mdatabase \(at file:.*service\.mjs:1:7\)/,
    ],
    ['that throws what is no error', `throw 'nothing'`, /importing it failed: it threw nothing/],
    [
      'that is not JavaScript',
      'export const = 1',
      /importing it failed: SyntaxError: Unexpected token '='; node --check service\.mjs shows where/,
    ],
    [
      'that imports what is not there',
      `import './nope.mjs'`,
      /importing it failed: Error: Cannot find module .*nope\.mjs/,
    ],
    ['without exports', '', /must export handlers, an object of functions by method; it exports nothing/],
    ['without handlers', 'export const handler = {}', /must export handlers.*it exports handler/],
    ['whose handlers are none', 'export const handlers = { a: 1 }', /the handler of a must be a function/],
    ['whose contract is none', 'export const handlers = {}, contract = {}', /contract must be made with contract\(\)/],
    [
      'whose contract has no handler',
      `import { contract as c, method } from ${JSON.stringify(postern)}\nexport const contract = c('x', { y: method() }), handlers = {}, at = './s'`,
      /has a method y, but no handler/,
    ],
    [
      'whose at is none',
      'export const handlers = {}, at = 5',
      /an address in "at" takes an object of options, not number/,
    ],
    ['without an address', 'export const handlers = {}', /say where to serve/],
    ['at a bad address', `export const handlers = {}, at = 'nix:/x'`, /\[bad_address\].*"nix:" is not a scheme/],
  ])('ends with 2 and one line for a module %s', async (_, source, message) => {
    const cwd = await writeModule(source)
    const { status, stdout, stderr } = await runCli(
      ['serve', 'service.mjs', ...(source.includes('a: 1') ? ['--at', './s'] : [])],
      { cwd },
    )
    expect({ status, stdout, lines: stderr.split('\n').length }, stderr).toEqual({ status: 2, stdout: '', lines: 2 })
    expect(stderr).toMatch(message)
  })

  test('ends with 2 for no module, too many, one that is not there and one that Node does not read', async () => {
    const cwd = await writeModule('x', 'service.txt')
    await mkdir(join(cwd, 'directory'))
    const cases: [string[], RegExp][] = [
      [[], /serve needs a MODULE/],
      [['a', 'b'], /"b" is too many/],
      [['nope.mjs'], /cannot serve nope\.mjs: ENOENT/],
      [['directory'], /it is not a file/],
      [['service.txt'], /Unknown file extension/],
    ]
    for (const [args, message] of cases) {
      const { status, stderr } = await runCli(['serve', ...args], { cwd })
      expect(status, stderr).toBe(2)
      expect(stderr).toMatch(message)
    }
  })
})
