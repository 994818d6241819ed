/**
 * One TypeScript program over the library and every example of its documentation.
 *
 * Each block is a module. A page's blocks lie in a folder that exists only here; one that begins with the comment
 * `// contract.ts` has that name in it, so that the page's other blocks can import it.
 */

import { dirname, join } from 'node:path'
import ts from 'typescript'
import { type Block, fileNameOf, root } from './pages.ts'

/**
 * What an example may use without saying where it comes from: what the library exports, and the names that the pages
 * give to things made elsewhere. A block that declares or imports such a name uses its own.
 */
const globals = `
import * as postern from 'postern'
import * as zod from 'zod'

const nodeContract = postern.contract('node', {
  info: postern.method({ returns: zod.object({ version: zod.string() }) }),
})
const bankContract = postern.contract('bank', {
  balance: postern.method({ params: zod.object({ of: zod.string() }), returns: zod.int() }),
  transfer: postern.method({
    params: zod.object({ to: zod.string(), amount: zod.int() }),
    returns: zod.object({ receipt: zod.string() }),
    errors: { insufficient_funds: zod.object({ missing: zod.int() }) },
  }),
})

declare global {
  const z: typeof zod.z
  const serve: typeof postern.serve
  const connect: typeof postern.connect
  const contract: typeof postern.contract
  const method: typeof postern.method
  const stream: typeof postern.stream
  const event: typeof postern.event
  const isDeclaredError: typeof postern.isDeclaredError
  const parseAddress: typeof postern.parseAddress
  const isPosternError: typeof postern.isPosternError
  type CallContext = postern.CallContext
  /** Contracts. */
  const node: typeof nodeContract
  const bank: typeof bankContract
  /** A connection with a contract, and one without. */
  const connection: postern.Connection<typeof bankContract['members']>
  const geth: postern.Connection
  const handlers: postern.Handlers
  /** An account of an Ethereum node. */
  const account: string
  /** What was caught. */
  const error: unknown
  const signal: AbortSignal
}
`

const globalsPath = join(root, 'docs-globals.ts')

/** A program, and the blocks that its modules came from. */
export interface Workspace {
  readonly program: ts.Program
  readonly door: ts.SourceFile
  readonly blocks: ReadonlyMap<string, Block>
}

/** Makes the program. Throws when two blocks of a page have the same name. */
export function openWorkspace(blocks: readonly Block[]): Workspace {
  const byPath = new Map<string, Block>()
  for (const block of blocks) {
    const path = join(root, `${block.path}.d`, fileNameOf(block) ?? `${block.line}.ts`)
    if (byPath.has(path)) throw new Error(`${block.path}:${block.line}: an earlier block of the page has this name`)
    byPath.set(path, block)
  }
  const library = join(root, 'packages/postern/src')
  const options = optionsOf(library)
  const doorPath = join(library, 'index.ts')
  const program = ts.createProgram([doorPath, globalsPath, ...byPath.keys()], options, hostOf(options, byPath))
  return { program, door: program.getSourceFile(doorPath) as ts.SourceFile, blocks: byPath }
}

function optionsOf(library: string): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), (path) => ts.sys.readFile(path))
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  const paths = { postern: [join(library, 'index.ts')], 'postern/*': [join(library, '*', 'index.ts')] }
  return { ...options, noEmit: true, moduleDetection: ts.ModuleDetectionKind.Force, paths }
}

function hostOf(options: ts.CompilerOptions, blocks: ReadonlyMap<string, Block>): ts.CompilerHost {
  const host = ts.createCompilerHost(options)
  const folders = new Set([...blocks.keys()].map(dirname))
  const textOf = (path: string): string | undefined => (path === globalsPath ? globals : blocks.get(path)?.code)
  return {
    ...host,
    fileExists: (path) => textOf(path) !== undefined || host.fileExists(path),
    directoryExists: (path) => folders.has(path) || (host.directoryExists?.(path) ?? true),
    readFile: (path) => textOf(path) ?? host.readFile(path),
    getSourceFile: (path, languageVersion, ...rest) => {
      const text = textOf(path)
      if (text === undefined) return host.getSourceFile(path, languageVersion, ...rest)
      return ts.createSourceFile(path, text, languageVersion)
    },
  }
}

/** What is wrong with the examples, as `README.md:12: why`. The library itself is the build's business. */
export function faultsOf({ program, blocks }: Workspace): string[] {
  return [globalsPath, ...blocks.keys()].flatMap((path) => {
    const file = program.getSourceFile(path) as ts.SourceFile
    const { path: page, line: first } = blocks.get(path) ?? { path: 'test/docs/workspace.ts', line: 1 }
    const diagnostics = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
    return diagnostics.map(({ start = 0, messageText }) => {
      const { line } = file.getLineAndCharacterOfPosition(start)
      return `${page}:${first + line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
    })
  })
}

/** Something that is documented: what its comment says, and its examples. */
export interface Documented {
  readonly name: string
  readonly text: string
  readonly examples: number
}

/** Everything that the library exports. */
export function exportsOf({ program, door }: Workspace): Documented[] {
  const checker = program.getTypeChecker()
  const module = checker.getSymbolAtLocation(door)
  if (module === undefined) throw new Error('src/index.ts exports nothing')
  return checker.getExportsOfModule(module).map((symbol) => documentedOf(target(symbol, checker), checker))
}

/** The members of an exported class, interface or object. */
export function membersOf({ program, door }: Workspace, name: string, file = door): Documented[] {
  const checker = program.getTypeChecker()
  const module = checker.getSymbolAtLocation(file)
  const found = module === undefined ? undefined : checker.getExportsOfModule(module).find((one) => one.name === name)
  if (found === undefined) throw new Error(`${file.fileName} exports no ${name}`)
  const symbol = target(found, checker)
  const isType = (symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface)) !== 0
  const type = isType ? checker.getDeclaredTypeOfSymbol(symbol) : checker.getTypeOfSymbol(symbol)
  return checker.getPropertiesOfType(type).map((member) => documentedOf(member, checker))
}

function target(symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol {
  return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol)
}

function documentedOf(symbol: ts.Symbol, checker: ts.TypeChecker): Documented {
  return {
    name: symbol.name,
    text: ts.displayPartsToString(symbol.getDocumentationComment(checker)),
    examples: symbol.getJsDocTags(checker).filter((tag) => tag.name === 'example').length,
  }
}
