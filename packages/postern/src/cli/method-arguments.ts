/**
 * What the commands that name a method have in common: METHOD, and where its PARAMS come from.
 */

import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import type { ParamSources } from './parse-params.ts'
import { say } from './terminal.ts'
import { UsageError } from './usage-error.ts'

/** The METHOD behind ADDRESS. */
export function takeMethod([method]: readonly string[], command: string): string {
  if (method !== undefined && method !== '') return method
  throw new UsageError(`${command} needs a METHOD behind ADDRESS; see postern ${command} --help`)
}

/** Where the params of this process come from, and whether a likely slip is told. */
export function paramSources(news: boolean): ParamSources {
  return {
    readFile: (path) => readFile(path),
    readStdin: () => buffer(process.stdin),
    warn: news ? say : () => undefined,
  }
}
