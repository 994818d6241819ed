import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../../../..', import.meta.url))

/** The strictness of a careful project. */
const options: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noUnusedLocals: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleDetection: ts.ModuleDetectionKind.Force,
  types: [],
  skipLibCheck: true,
  allowImportingTsExtensions: true,
  paths: { postern: [join(root, 'packages/postern/dist/index.d.ts')] },
}

/** What TypeScript has against modules that import the built library and one another, as `name: why: line`. */
export function compileFaults(modules: Readonly<Record<string, string>>): string[] {
  const paths = Object.keys(modules).map((name) => join(root, name))
  const host = ts.createCompilerHost(options)
  const textOf = (path: string): string | undefined => modules[path.slice(root.length)]
  const program = ts.createProgram(paths, options, {
    ...host,
    fileExists: (path) => textOf(path) !== undefined || host.fileExists(path),
    readFile: (path) => textOf(path) ?? host.readFile(path),
    getSourceFile: (path, version, ...rest) => {
      const text = textOf(path)
      return text === undefined ? host.getSourceFile(path, version, ...rest) : ts.createSourceFile(path, text, version)
    },
  })
  return paths.flatMap((path) => {
    const file = program.getSourceFile(path)
    if (file === undefined) throw new Error(`${path} was not compiled`)
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map((one) => {
      const line = file.text.split('\n')[file.getLineAndCharacterOfPosition(one.start ?? 0).line]
      return `${path.slice(root.length)}: ${ts.flattenDiagnosticMessageText(one.messageText, ' ')}: ${line?.trim()}`
    })
  })
}
