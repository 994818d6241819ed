/**
 * What `JSON.stringify` would drop, round or turn into something else without a word.
 */

import { isUint8Array } from 'node:util/types'
import { at, hasToJson, isRecord, type Loss, lossOfBigInt, lossOfKind, lossOfScalar, tooDeep } from './loss.ts'

/** Where in a value is something that JSON cannot carry; or a number that it can, but `JSON.stringify` changes. */
export type JsonLoss = 'changed number' | Loss

/** Deeper than any value should be, and well below where the recursion ends the stack. */
const maxWalkDepth = 2_000

/** What carries bytes and bigints. */
const otherCodecs = 'use codec=msgpack or codec=cbor, or send it as a string'

/**
 * The first loss in a value, or undefined when all of it would arrive. Members are what `JSON.stringify` takes for
 * them: own, enumerable and not named by a symbol.
 */
export function findLoss(value: unknown): JsonLoss | undefined {
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
function lossOf(value: unknown, key: string | number, walk: Walk): Loss | undefined {
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
    case 'bigint':
      return lossOfBigInt(value, otherCodecs)
    case 'undefined':
    case 'symbol':
    case 'function':
      return lossOfScalar(value)
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

function lossInObject(value: object, key: string | number, walk: Walk): Loss | undefined {
  // JSON.stringify would go round a cycle only once, but names no place.
  if (walk.depth >= maxWalkDepth) return tooDeep(maxWalkDepth)
  // What toJSON gives stands for the value, and is not asked for its own toJSON.
  const contents: unknown = hasToJson(value) ? value.toJSON(String(key)) : value
  if (contents === null && value instanceof Date) return { path: '', what: 'an invalid Date' }
  if (typeof contents !== 'object' || contents === null) return lossOf(contents, key, walk)
  walk.depth++
  const found = Array.isArray(contents) ? lossInArray(contents, walk) : lossInMembers(contents, walk)
  walk.depth--
  return found
}

function lossInArray(array: readonly unknown[], walk: Walk): Loss | undefined {
  for (let index = 0; index < array.length; index++) {
    const found = lossOf(array[index], index, walk)
    if (found !== undefined) return at(`[${index}]`, found)
  }
  return undefined
}

function lossInMembers(value: object, walk: Walk): Loss | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  const isPlain = prototype === Object.prototype || prototype === null
  if (!isPlain && !isRecord(value)) return lossOfKind(value, isUint8Array(value) ? otherCodecs : undefined)
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
