/** The Markdown pages of the repository: their code blocks, links and headings. */

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The top of the repository, with a slash behind it. */
export const root: string = fileURLToPath(new URL('../../../..', import.meta.url))

/** Code between two fences. */
export interface Block {
  /** The page or source file, relative to the root. */
  readonly path: string
  /** The line on which the code begins, from 1. */
  readonly line: number
  /** The word behind the opening fence. */
  readonly language: string
  readonly code: string
}

/** Folders that hold nothing of ours. */
const foreignFolders: ReadonlySet<string> = new Set(['node_modules', 'dist', 'coverage', '.git'])

/** The files of the repository whose names match, relative to its root, with slashes. */
export function filesMatching(pattern: RegExp): string[] {
  const found: string[] = []
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory() && !foreignFolders.has(entry.name)) visit(path)
      else if (entry.isFile() && pattern.test(entry.name)) found.push(relative(root, path).split(sep).join('/'))
    }
  }
  visit(root)
  return found.sort()
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** Every Markdown page. */
export const pages: readonly string[] = filesMatching(/\.md$/)

/** The code blocks of a page. */
export function blocksOf(path: string): Block[] {
  return blocksIn(path, read(path).split('\n'))
}

/** The code blocks in the doc comments of a source file. */
export function commentBlocksOf(path: string): Block[] {
  const comments = read(path)
    .split('\n')
    .map((line) => /^\s*\* ?(.*)$/.exec(line)?.[1] ?? '')
  return blocksIn(path, comments)
}

function blocksIn(path: string, lines: readonly string[]): Block[] {
  const blocks: Block[] = []
  let open: { readonly index: number; readonly language: string } | undefined
  for (const [index, line] of lines.entries()) {
    const fence = /^```(\w*)$/.exec(line)
    if (fence === null) continue
    if (open === undefined) open = { index, language: fence[1] ?? '' }
    else {
      const code = lines.slice(open.index + 1, index).join('\n')
      blocks.push({ path, line: open.index + 2, language: open.language, code })
      open = undefined
    }
  }
  if (open !== undefined) throw new Error(`${path}:${open.index + 1}: a fence is never closed`)
  return blocks
}

/** The name in the comment that a block begins with, as in `// server.ts`. */
export function fileNameOf({ code }: Block): string | undefined {
  return /^\/\/ ([\w-]+\.(?:ts|js))\n/.exec(code)?.[1]
}

/** The page without its code. */
function proseOf(path: string): string {
  return read(path).replace(/^```[^]*?^```$/gm, '')
}

/** Where the links of a page lead, without those to other sites. */
export function linksOf(path: string): string[] {
  const targets = [...proseOf(path).matchAll(/(?:\]\(|^\[[^\]]+\]: )([^)\s]+)/gm)].map(([, target = '']) => target)
  return targets.filter((target) => !/^[a-z]+:/.test(target))
}

/** The names by which links reach the headings of a page, as GitHub makes them. */
export function anchorsOf(path: string): string[] {
  const headings = [...proseOf(path).matchAll(/^#+ (.+)$/gm)].map(([, text = '']) => text)
  return headings.map((text) =>
    text
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replace(/ /g, '-'),
  )
}
