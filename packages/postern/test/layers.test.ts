import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

/**
 * The floors of the house, from the ground up: an import may go down, or sideways within a folder, never up.
 *
 * `door` is the files directly in `src`, such as `index.ts`; `testing` holds the contract suites, which nothing in the
 * library may import.
 */
const floors = [
  'core',
  'framing',
  'codecs',
  'protocols',
  'os',
  'transports',
  'rpc',
  'service',
  'engines',
  'testing',
  'app',
  'inspect',
  'ethereum',
  'door',
  'cli',
]

/** Packages that the library may import: optional peers, and for the contract suites their runner. */
const allowedPackages: Record<string, readonly string[]> = {
  '@grpc/grpc-js': ['engines'],
  '@nats-io/transport-node': ['engines'],
  '@postern/native': ['os', 'transports'],
  'capnp-es': ['engines'],
  'cbor-x': ['codecs'],
  msgpackr: ['codecs'],
  viem: ['ethereum'],
  vitest: ['testing'],
  zeromq: ['transports'],
}

/** What may import by a computed name: the CLI and a worker load the user's own modules. */
const computedImports = ['cli', 'app/worker-host.ts']

interface Import {
  /** What is imported, or undefined when it is computed at run time. */
  readonly specifier: string | undefined
  readonly line: number
}

/** Every import of a file: static, type-only, re-exported, dynamic, in a type (`import('x').T`) and by `require`. */
function importsOf(path: string, text: string): Import[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext)
  const found: Import[] = []
  const add = (at: ts.Node, name: ts.Node | undefined): void => {
    const specifier = name !== undefined && ts.isStringLiteralLike(name) ? name.text : undefined
    found.push({ specifier, line: file.getLineAndCharacterOfPosition(at.getStart(file)).line + 1 })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier)
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) add(node, node.moduleSpecifier)
    else if (ts.isExternalModuleReference(node)) add(node, node.expression)
    else if (ts.isImportTypeNode(node))
      add(node, ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined)
    else if (ts.isCallExpression(node) && importsByCall(node)) add(node, node.arguments[0])
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

function importsByCall(node: ts.CallExpression): boolean {
  const called = node.expression
  return called.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(called) && called.text === 'require')
}

function floorOf(path: string): string {
  const slash = path.indexOf('/')
  return slash < 0 ? 'door' : path.slice(0, slash)
}

/** What is wrong with importing `specifier` in the file at `path` (relative to `src`), or undefined. */
function faultOf(path: string, specifier: string | undefined): string | undefined {
  const from = floorOf(path)
  if (specifier === undefined) {
    return computedImports.includes(from) || computedImports.includes(path)
      ? undefined
      : 'an import by a computed name hides where it goes'
  }
  if (specifier.startsWith('.')) return relativeFault(from, posix.join(posix.dirname(path), specifier))
  if (specifier.startsWith('node:')) return undefined
  if (isBuiltin(specifier)) return `write 'node:${specifier}'`
  return packageFault(from, specifier)
}

function relativeFault(from: string, target: string): string | undefined {
  if (target.startsWith('..')) return 'leaves src'
  const to = floorOf(target)
  if (from === to) return undefined
  if (!floors.includes(to)) return `'${to}' is no floor of the house: add it to the list in this test, or move the file`
  if (to === 'testing') return 'the contract suites are for tests, not for the library'
  return floors.indexOf(to) < floors.indexOf(from) ? undefined : `'${from}' stands below '${to}'`
}

function packageFault(from: string, specifier: string): string | undefined {
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  const places = allowedPackages[name]
  if (places === undefined) return `package '${name}' is not on the list of optional peers in this test`
  return places.includes(from) ? undefined : `package '${name}' belongs in ${places.join(' or ')}`
}

/** Every fault in the files, as `file:line imports 'x': why`. Paths are relative to `src`, with slashes. */
function faults(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([path, text]) => {
    if (!floors.includes(floorOf(path))) return [`${path}: its folder is no floor of the house`]
    return importsOf(path, text).flatMap(({ specifier, line }) => {
      const fault = faultOf(path, specifier)
      return fault === undefined ? [] : [`${path}:${line} imports '${specifier ?? '(computed)'}': ${fault}`]
    })
  })
}

function librarySources(): Map<string, string> {
  const src = fileURLToPath(new URL('../src', import.meta.url))
  const paths = readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name) && !/\.test(-d)?\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
  return new Map(paths.map((path) => [relative(src, path).split(sep).join('/'), readFileSync(path, 'utf8')]))
}

describe('the house', () => {
  test('has no import that goes up, and no package but optional peers', () => {
    const sources = librarySources()
    expect(sources.size).toBeGreaterThan(5)
    expect(faults(sources)).toEqual([])
  })
})

describe('the check of imports', () => {
  const check = (path: string, text: string): string[] => faults(new Map([[path, text]]))

  test.each([
    ["import { serve } from '../app/serve.ts'"],
    ["import type { Server } from '../app/serve.ts'"],
    ["import '../app/serve.ts'"],
    ["export { serve } from '../app/serve.ts'"],
    ["export type { Server } from '../app/serve.ts'"],
    ["const later = () => import('../app/serve.ts')"],
    ['const later = () => import(`../app/serve.ts`)'],
    ["const later: import('../app/serve.ts').Server = 1"],
    ["const now = require('../app/serve.ts')"],
  ])('catches the upward import in: %s', (text) => {
    expect(check('rpc/session.ts', `\n${text}\n`)).toEqual([
      "rpc/session.ts:2 imports '../app/serve.ts': 'rpc' stands below 'app'",
    ])
  })

  test('lets imports go down, sideways, and to Node itself', () => {
    const text = [
      "import { a } from '../core/errors.ts'",
      "import { b } from './pending-calls.ts'",
      "import { c } from './inner/deep.ts'",
      "import { d } from 'node:net'",
      "// import { e } from '../app/serve.ts'",
      'const f = "import(\'../app/serve.ts\')"',
    ].join('\n')
    expect(check('rpc/session.ts', text)).toEqual([])
    expect(check('rpc/inner/deep.ts', "import { a } from '../../core/errors.ts'")).toEqual([])
  })

  test('holds public doors to their own floor', () => {
    expect(check('index.ts', "export { serve } from './app/serve.ts'")).toEqual([])
    expect(check('index.ts', "export { main } from './cli/main.ts'")).toHaveLength(1)
    expect(check('framing/index.ts', "export { json } from '../codecs/json.ts'")).toHaveLength(1)
    expect(check('rpc/session.ts', "import { serve } from '../index.ts'")).toHaveLength(1)
  })

  test('keeps the contract suites below app and out of the library', () => {
    expect(check('testing/channel-contract.ts', "import { memory } from '../transports/memory.ts'")).toEqual([])
    expect(check('testing/channel-contract.ts', "import { serve } from '../app/serve.ts'")).toHaveLength(1)
    expect(check('app/serve.ts', "import { suite } from '../testing/index.ts'")).toHaveLength(1)
  })

  test.each([
    ['transports/zmq.ts', "import('zeromq')", 0],
    ['codecs/json.ts', "import 'zeromq'", 1],
    ['codecs/json.ts', "import 'lodash'", 1],
    ['codecs/json.ts', "import '@scope/name/deep'", 1],
    ['codecs/json.ts', "import 'postern'", 1],
    ['codecs/json.ts', "import 'fs'", 1],
    ['codecs/json.ts', "import '../../test/x.ts'", 1],
    ['codecs/json.ts', "import '../cellar/x.ts'", 1],
    ['cellar/x.ts', '', 1],
    ['app/mechanisms.ts', 'import(name)', 1],
    ['cli/serve.ts', 'import(name)', 0],
  ])('in %s finds of %s faults: %i', (path, text, count) => {
    expect(check(path, text)).toHaveLength(count)
  })
})

describe('package-lock.json', () => {
  interface Locked {
    readonly resolved?: string
    readonly optionalDependencies?: Readonly<Record<string, string>>
  }
  const text = readFileSync(new URL('../../../package-lock.json', import.meta.url), 'utf8')
  const packages = (JSON.parse(text) as { packages: Record<string, Locked> }).packages

  test('does not hold node-ipc, whose releases were stolen', () => {
    expect(Object.keys(packages).filter((path) => /(^|\/)(?<!@achrinza\/)node-ipc$/.test(path))).toEqual([])
    expect(text).not.toContain('"node-ipc"')
  })

  test('names no registry', () => {
    expect(Object.entries(packages).filter(([, { resolved }]) => resolved?.includes('://'))).toEqual([])
  })

  test('has the platform packages of every platform (else run scripts/complete-lockfile.mjs)', () => {
    const missing = Object.values(packages)
      .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
      .filter((name) => name.includes('/') && packages[`node_modules/${name}`] === undefined)
    expect(missing).toEqual([])
  })
})
