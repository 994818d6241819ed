/**
 * What `JSON.stringify` would drop, round or turn into something else without a word.
 */

import { shorten } from './json-numbers.ts'

/** Where in a value is something that JSON cannot carry; or a number that it can, but `JSON.stringify` changes. */
export type Loss = 'changed number' | { readonly path: string; readonly what: string }

/** Deeper than any value should be, and well below where the recursion ends the stack. */
const maxWalkDepth = 2_000

type Found = { readonly path: string; readonly what: string }

/**
 * The first loss in a value, or undefined when all of it would arrive. Members are what `JSON.stringify` takes for
 * them: own, enumerable and not named by a symbol.
 */
export function findLoss(value: unknown): Loss | undefined {
  const walk: Walk = { depth: 0, changedNumber: false }
  const found = lossOf(value, '', walk)
  if (found !== undefined) return found
  return walk.changedNumber ? 'changed number' : undefined
}

interface Walk {
  depth: number
  changedNumber: boolean
}

/** `key` is where the value stands, for its `toJSON`. */
function lossOf(value: unknown, key: string | number, walk: Walk): Found | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined
    case 'number':
      if (!Number.isFinite(value)) return { path: '', what: String(value) }
      walk.changedNumber ||= isChangedNumber(value)
      return undefined
    case 'object':
      return value === null ? undefined : lossInObject(value, key, walk)
    case 'undefined':
      return { path: '', what: 'undefined' }
    case 'bigint':
      return { path: '', what: `the bigint ${shorten(String(value))}` }
    case 'symbol':
      return { path: '', what: 'a symbol' }
    case 'function':
      return { path: '', what: 'a function' }
  }
}

/**
 * -0, which is written as 0, and what is no safe integer but written as one: 2 ** 60 as 1152921504606847000, which is
 * another number to all who read integers.
 */
export function isChangedNumber(value: number): boolean {
  if (value === 0) return Object.is(value, -0)
  const size = Math.abs(value)
  return size > Number.MAX_SAFE_INTEGER && size < writtenWithExponent
}

/** From here on `JSON.stringify` writes an exponent itself. */
const writtenWithExponent = 1e21

function lossInObject(value: object, key: string | number, walk: Walk): Found | undefined {
  // A cycle has no end, so it is found here too; JSON.stringify would go round it only once, but names no place.
  if (walk.depth >= maxWalkDepth) {
    return { path: '', what: `nested deeper than ${maxWalkDepth}, or contains itself (a cycle)` }
  }
  // What toJSON gives stands for the value, and is not asked for its own toJSON.
  const contents: unknown = hasToJson(value) ? value.toJSON(String(key)) : value
  if (contents === null && value instanceof Date) return { path: '', what: 'an invalid Date' }
  if (typeof contents !== 'object' || contents === null) return lossOf(contents, key, walk)
  walk.depth++
  const found = Array.isArray(contents) ? lossInArray(contents, walk) : lossInMembers(contents, walk)
  walk.depth--
  return found
}

function lossInArray(array: readonly unknown[], walk: Walk): Found | undefined {
  for (let index = 0; index < array.length; index++) {
    const found = lossOf(array[index], index, walk)
    if (found !== undefined) return at(`[${index}]`, found)
  }
  return undefined
}

function lossInMembers(value: object, walk: Walk): Found | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  const isPlain = prototype === Object.prototype || prototype === null
  if (!isPlain && !isRecord(value)) return { path: '', what: `a ${Object.prototype.toString.call(value).slice(8, -1)}` }
  for (const key in value) {
    if (!isPlain && !Object.hasOwn(value, key)) continue
    const item = (value as Record<string, unknown>)[key]
    // An undefined member is the same as none; everywhere else undefined is a loss.
    if (item === undefined) continue
    const found = lossOf(item, key, walk)
    if (found !== undefined) return at(key, found)
  }
  return undefined
}

/** Instances of the user's own classes travel as their members; of built-in ones (Map, Error, Uint8Array) nothing would. */
function isRecord(value: object): boolean {
  return Object.prototype.toString.call(value) === '[object Object]'
}

/** Bytes have a `toJSON` in Node, which makes a list of numbers of them. */
function hasToJson(value: object): value is { toJSON(key: string): unknown } {
  const { toJSON } = value as { toJSON?: unknown }
  return typeof toJSON === 'function' && !ArrayBuffer.isView(value)
}

/** Puts a step before the path of what was found; the end of a very long path says enough. */
function at(step: string, { path, what }: Found): Found {
  if (path.length > 200) return { path, what }
  return { path: path === '' || path.startsWith('[') ? `${step}${path}` : `${step}.${path}`, what }
}
