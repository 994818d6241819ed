/**
 * What a codec cannot carry: where in a value it stands, and what to send in its place.
 */

import { shorten } from './json-numbers.ts'

/** Something in a value that would not arrive. */
export interface Loss {
  /** Empty for the value itself. */
  readonly path: string
  readonly what: string
  /** What would carry it; a string where nothing is said. */
  readonly advice?: string
}

/** The message of the error for a loss; `format` is what the codec writes. */
export function describeLoss({ path, what, advice }: Loss, format: string): string {
  const where = path === '' ? 'the value' : path
  return `${where} is ${what}, which ${format} cannot carry; ${advice ?? 'send it as a string'}`
}

/** The loss of what is nested deeper than that. A cycle has no end, so it is found so too. */
export function tooDeep(maxDepth: number): Loss {
  return { path: '', what: `nested deeper than ${maxDepth}, or contains itself (a cycle)` }
}

/** The loss of a value that is neither a number nor an object. */
export function lossOfScalar(value: unknown): Loss {
  return { path: '', what: value === undefined ? 'undefined' : `a ${typeof value}` }
}

/** The loss of a bigint. */
export function lossOfBigInt(value: bigint, advice: string): Loss {
  return { path: '', what: `the bigint ${shorten(String(value))}`, advice }
}

/** The loss of an object whose kind is not carried. */
export function lossOfKind(value: object, advice?: string): Loss {
  const what = `a ${Object.prototype.toString.call(value).slice(8, -1)}`
  return { path: '', what, ...(advice === undefined ? {} : { advice }) }
}

/** Bytes have a `toJSON` in Node, which makes a list of numbers of them. */
export function hasToJson(value: object): value is { toJSON(key: string): unknown } {
  const { toJSON } = value as { toJSON?: unknown }
  return typeof toJSON === 'function' && !ArrayBuffer.isView(value)
}

/** Instances of the user's own classes travel as their members; of built-in ones (Map, Error) nothing would. */
export function isRecord(value: object): boolean {
  return Object.prototype.toString.call(value) === '[object Object]'
}

/** Puts a step before the path of what was found; the end of a very long path says enough. */
export function at(step: string, loss: Loss): Loss {
  const { path } = loss
  if (path.length > 200) return loss
  return { ...loss, path: path === '' || path.startsWith('[') ? `${step}${path}` : `${step}.${path}` }
}
