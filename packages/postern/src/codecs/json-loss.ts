/**
 * What `JSON.stringify` would drop, round or turn into something else without a word.
 */

/** Where in a value is something that JSON cannot carry; or -0, which it can but `JSON.stringify` does not write. */
export type Loss = 'negative zero' | { readonly path: string; readonly what: string }

/** Deeper than any value should be, and well below where the recursion ends the stack. */
const maxWalkDepth = 2_000

/** The first loss in a value, or undefined when all of it would arrive. */
export function findLoss(value: unknown): Loss | undefined {
  if (value === undefined) return { path: '', what: 'undefined' }
  const walk: Walk = { ancestors: [], negativeZero: false }
  const what = lossOf(value, walk)
  if (what !== undefined) return what
  return walk.negativeZero ? 'negative zero' : undefined
}

interface Walk {
  readonly ancestors: object[]
  negativeZero: boolean
}

function lossOf(value: unknown, walk: Walk): { path: string; what: string } | undefined {
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

function lossInObject(value: object, walk: Walk): { path: string; what: string } | undefined {
  const { ancestors } = walk
  if (ancestors.includes(value)) return { path: '', what: 'a reference to an object that contains it (a cycle)' }
  if (ancestors.length >= maxWalkDepth) return { path: '', what: `nested deeper than ${maxWalkDepth}` }
  if (hasToJson(value)) return undefined
  ancestors.push(value)
  const loss = Array.isArray(value) ? lossInArray(value, walk) : lossInMembers(value, walk)
  ancestors.pop()
  return loss
}

function lossInArray(array: readonly unknown[], walk: Walk): { path: string; what: string } | undefined {
  for (let index = 0; index < array.length; index++) {
    const loss = lossOf(array[index], walk)
    if (loss !== undefined) return { path: `[${index}]${joinPath(loss.path)}`, what: loss.what }
  }
  return undefined
}

function lossInMembers(value: object, walk: Walk): { path: string; what: string } | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null && !isRecord(value)) {
    return { path: '', what: `a ${Object.prototype.toString.call(value).slice(8, -1)}` }
  }
  for (const key in value) {
    if (!Object.hasOwn(value, key)) continue
    const item = (value as Record<string, unknown>)[key]
    // An undefined member is the same as none; everywhere else undefined is a loss.
    if (item === undefined) continue
    const loss = lossOf(item, walk)
    if (loss !== undefined) return { path: `${key}${joinPath(loss.path)}`, what: loss.what }
  }
  return undefined
}

/** Instances of the user's own classes travel as their members; of built-in ones (Map, Error, Uint8Array) nothing would. */
function isRecord(value: object): boolean {
  return Object.prototype.toString.call(value) === '[object Object]'
}

function hasToJson(value: object): boolean {
  return 'toJSON' in value && typeof value.toJSON === 'function' && !ArrayBuffer.isView(value)
}

function joinPath(path: string): string {
  return path === '' || path.startsWith('[') ? path : `.${path}`
}
