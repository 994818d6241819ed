/**
 * What `JSON.stringify` would drop, round or turn into something else without a word.
 */

/** Where in a value is something that JSON cannot carry; or -0, which it can but `JSON.stringify` does not write. */
export type Loss = 'negative zero' | { readonly path: string; readonly what: string }

/** Deeper than any value should be, and well below where the recursion ends the stack. */
const maxWalkDepth = 2_000

type Found = { readonly path: string; readonly what: string }

/** The first loss in a value, or undefined when all of it would arrive. */
export function findLoss(value: unknown): Loss | undefined {
  const walk: Walk = { depth: 0, negativeZero: false }
  const found = lossOf(value, walk)
  if (found !== undefined) return found
  return walk.negativeZero ? 'negative zero' : undefined
}

interface Walk {
  depth: number
  negativeZero: boolean
}

function lossOf(value: unknown, walk: Walk): Found | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined
    case 'number':
      if (value === 0) walk.negativeZero ||= Object.is(value, -0)
      else if (!Number.isFinite(value)) return { path: '', what: String(value) }
      return undefined
    case 'object':
      return value === null ? undefined : lossInObject(value, walk)
    case 'undefined':
      return { path: '', what: 'undefined' }
    case 'bigint':
      return { path: '', what: `the bigint ${value}` }
    case 'symbol':
      return { path: '', what: 'a symbol' }
    case 'function':
      return { path: '', what: 'a function' }
  }
}

function lossInObject(value: object, walk: Walk): Found | undefined {
  // A cycle has no end, so it is found here too; JSON.stringify would go round it only once, but names no place.
  if (walk.depth >= maxWalkDepth) {
    return { path: '', what: `nested deeper than ${maxWalkDepth}, or contains itself (a cycle)` }
  }
  if (hasToJson(value)) return undefined
  walk.depth++
  const found = Array.isArray(value) ? lossInArray(value, walk) : lossInMembers(value, walk)
  walk.depth--
  return found
}

function lossInArray(array: readonly unknown[], walk: Walk): Found | undefined {
  for (let index = 0; index < array.length; index++) {
    const found = lossOf(array[index], walk)
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
    const found = lossOf(item, walk)
    if (found !== undefined) return at(key, found)
  }
  return undefined
}

/** Instances of the user's own classes travel as their members; of built-in ones (Map, Error, Uint8Array) nothing would. */
function isRecord(value: object): boolean {
  return Object.prototype.toString.call(value) === '[object Object]'
}

function hasToJson(value: object): boolean {
  const { toJSON } = value as { toJSON?: unknown }
  return typeof toJSON === 'function' && !ArrayBuffer.isView(value)
}

/** Puts a step before the path of what was found; the end of a very long path says enough. */
function at(step: string, { path, what }: Found): Found {
  if (path.length > 200) return { path, what }
  return { path: path === '' || path.startsWith('[') ? `${step}${path}` : `${step}.${path}`, what }
}
