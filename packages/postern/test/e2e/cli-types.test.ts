/** `postern types`. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { contractModule } from '../../src/cli/contract-module.ts'
import { readService } from '../../src/cli/service-description.ts'
import { connect, isDeclaredError } from '../../src/index.ts'
import { until } from '../../src/testing/until.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { compileFaults } from './compile.ts'
import { type described, startDescribedServer } from './described-server.ts'
import { cliPath, runCli } from './run-cli.ts'

/** The module for a document, without a server. */
const moduleOf = (document: unknown): string => contractModule(readService(document, 'local:x'), 'local:x')

describe.skipIf(process.platform === 'win32')('postern types', () => {
  test('prints a module that compiles and has the types of the contract', async () => {
    const { path } = await startDescribedServer()
    const { status, stdout, stderr } = await runCli(['types', path])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(
      stdout,
    ).toBe(`// What unix:${path} offers, as it described itself. Made by postern types; make it anew when that changes.

import { contract, event, method, stream, type StandardSchema } from 'postern'

/** Gives a type and checks nothing: what arrives is believed to be of it. */
function typed<T>(): StandardSchema<T> {
  return { '~standard': { version: 1, vendor: 'postern', validate: (value) => ({ value: value as T }) } }
}

export type NodeTree = { name: string; kids: NodeTree[] }

export type Block = {
  number: number
  /** Of the header. */
  hash: string
}

export const node = contract('node', {
  /** Tells what the node is */
  info: method({ returns: typed<{ version: string; peers: number }>() }),
  transfer: method({
    params: typed<{ to: string; amount: number; memo?: string }>(),
    returns: typed<{ kind: 'done'; receipt: string } | { kind: 'later'; at: number | null }>(),
    errors: { insufficient_funds: typed<{ missing: number }>(), closed_account: null },
  }),
  add: method({
    params: typed<[param1: number, param2: number]>(),
    positional: true,
    returns: typed<number>(),
  }),
  double: method({ params: typed<number>(), returns: typed<number>() }),
  tree: method({
    params: typed<{ depth?: number }>(),
    returns: typed<{ name: string; kids: NodeTree[] }>(),
  }),
  anything: method(),
  /** Blocks as they come */
  blocks: stream({ params: typed<{ from: number }>(), yields: typed<Block>() }),
  joined: event({ payload: typed<[string, 'in' | 'out']>() }),
})
`)
    const use = `
import { connect, isDeclaredError } from 'postern'
import { type Block, node } from './node.ts'

export async function use(): Promise<Block[]> {
  const { api, on } = await connect('local:node', node)
  const version: string = (await api.info()).version
  const transfer = await api.transfer({ to: version, amount: 1 })
  const receipt: string = transfer.kind === 'done' ? transfer.receipt : String(transfer.at?.toFixed())
  const sum: number = await api.add([await api.double(2), 3])
  const tree = await api.tree({ depth: sum })
  const kid: string | undefined = tree.kids[0]?.kids[0]?.name
  on.joined(([name, direction]) => console.assert(direction === 'in', name, receipt, kid))
  const blocks: Block[] = []
  for await (const block of api.blocks({ from: 1 })) blocks.push(block)
  // @ts-expect-error: it takes a number
  await api.transfer({ to: 'x', amount: '1' }).catch((error) => isDeclaredError(error, node.members.transfer))
  // @ts-expect-error: there is no such method
  await api.shutdown()
  return blocks
}
declare const console: { assert(holds: boolean, ...rest: unknown[]): void }
`
    expect(compileFaults({ 'node.ts': stdout, 'use.ts': use })).toEqual([])
  })

  test('prints a module that works', async () => {
    const server = await startDescribedServer()
    const { stdout } = await runCli(['types', server.path])
    const file = join(await temporaryDirectory(), 'node.mjs')
    const { target, module } = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }
    const { outputText } = ts.transpileModule(stdout, {
      compilerOptions: { target, module, verbatimModuleSyntax: true },
    })
    const library = pathToFileURL(join(cliPath, '../../index.js')).href
    await writeFile(file, outputText.replace("'postern'", JSON.stringify(library)))
    const { node } = (await import(pathToFileURL(file).href)) as { readonly node: typeof described }
    const connection = await connect(`unix:${server.path}`, node)
    const { api, on } = connection
    expect(await api.add([2, 3])).toBe(5)
    expect(await api.double(4)).toBe(8)
    const failure: unknown = await api.transfer({ to: 'bob', amount: 107 }).catch((error: unknown) => error)
    expect(isDeclaredError(failure, node.members.transfer, 'insufficient_funds') && failure.details).toEqual({
      missing: 7,
    })
    for await (const block of api.blocks({ from: 7 })) {
      expect(block).toEqual({ number: 7, hash: '0x7' })
      break
    }
    const joined: unknown[] = []
    await on.joined((payload) => joined.push(payload)).ready
    server.join('alice')
    await until(() => joined.length > 0)
    expect(joined).toEqual([['alice', 'in']])
    await connection.close()
  })

  test('takes the contracts from the names where the server names none', () => {
    const methods = ['eth_chainId', 'eth_getBalance', 'net_version', 'echo', 'eth_then', 'clock.now', 'rpc.x', 'a.b.c']
    const document = { methods: methods.map((name) => ({ name, params: [], result: { schema: { type: 'string' } } })) }
    document.methods[1] = {
      name: 'eth_getBalance',
      params: [
        { name: 'account', required: true, schema: { type: 'string' } },
        { name: 'block', schema: { $ref: '#/components/schemas/Tag' } },
      ],
      result: { schema: { type: 'string' } },
    } as never
    const stdout = moduleOf({ ...document, components: { schemas: { Tag: { enum: ['latest', 'pending'] } } } })
    expect(compileFaults({ 'eth.ts': stdout })).toEqual([])
    expect(stdout.slice(stdout.indexOf('export'))).toBe(`export type Tag = 'latest' | 'pending'

export const eth = contract('eth', {
  chainId: method({ returns: typed<string>() }),
  getBalance: method({
    params: typed<[account: string, block?: Tag]>(),
    positional: true,
    returns: typed<string>(),
  }),
}, { separator: '_' })

export const net = contract('net', {
  version: method({ returns: typed<string>() }),
}, { separator: '_' })

export const clock = contract('clock', {
  now: method({ returns: typed<string>() }),
})

// No contract can have these, whose members are called NAME.MEMBER; connection.call() takes any name:
//   'echo'
//   'eth_then'
//   'rpc.x'
//   'a.b.c'
`)
  })

  test('prints a module that compiles for nothing at all', () => {
    const documents = [{ methods: [] }, { methods: [{ name: 'echo' }] }, { methods: [{ name: 'a.b' }] }]
    const modules = documents.map((document, index) => [`x${index}.ts`, moduleOf(document)] as const)
    expect(compileFaults(Object.fromEntries(modules))).toEqual([])
  })

  test('prints a module that compiles for every name there is, and obeys none', () => {
    const evils = [
      '*/ import { writeFileSync } from "node:fs"; /*',
      '\n@ts-ignore',
      '@ts-expect-error',
      "'); throw 1; ('",
      '"',
      '`${process.exit()}`',
      '\\',
      '\u2028alert()\u2029',
      '\u001b[2J\r\n// x',
      '__proto__',
      'constructor',
      '@import { a } from "b"',
      '</script>',
      'then',
      'subscribe',
      'default',
      'await',
      'typed',
      'method',
      'arguments',
    ]
    const schemaOf = (evil: string): unknown => ({
      type: 'object',
      description: evil,
      properties: {
        [evil]: { description: evil, enum: [evil, 1] },
        again: { $ref: `#/definitions/${encodeURIComponent(evil).replaceAll('~', '~0').replaceAll('/', '~1')}` },
      },
      required: [evil],
      definitions: { [evil]: { type: 'object', properties: { [evil]: { $ref: '#' } } } },
    })
    const member = (name: string, evil: string): unknown => ({
      name,
      summary: evil,
      paramStructure: evil.length % 2 === 0 ? 'by-name' : 'by-position',
      params: [
        { name: evil, summary: evil, schema: schemaOf(evil) },
        { name: evil, schema: schemaOf(evil) },
      ],
      result: { schema: schemaOf(evil) },
      errors: [{ code: -32000, message: evil, data: { code: evil, details: schemaOf(evil) } }],
      item: schemaOf(evil),
      payload: schemaOf(evil),
    })
    const methods = evils.flatMap((evil) => [
      member(evil, evil),
      member(`node.${evil}`, evil),
      member(`${evil}.m`, evil),
      member('node.same', evil),
    ])
    const streams = {
      'x-streams': evils.map((evil) => member(`node.s${evil}`, evil)),
      'x-events': evils.map((evil) => member(`node.${evil}`, evil)),
    }
    const documents = [
      { methods, info: { title: '*/' } },
      { methods, ...streams },
      ...evils.map((name) => ({ methods, ...streams, 'x-contract': { name, separator: '.' } })),
      ...evils.map((separator) => ({ methods, 'x-contract': { name: 'node', separator } })),
    ]
    const modules: Record<string, string> = {}
    for (const [index, document] of documents.entries()) modules[`hostile-${index}.ts`] = moduleOf(document)
    expect(compileFaults(modules)).toEqual([])
    for (const text of Object.values(modules)) {
      expect(text).not.toMatch(/^(?:import .*node:fs|alert|throw)/m)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal would obey
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/)
    }
  })
})
