/** What has been done to counted bytes. */
export interface Looks {
  /** Bytes read one by one, searched through, compared or turned into text. */
  looked: number
  /** Bytes copied elsewhere. */
  copied: number
}

/**
 * A buffer that counts how many of its bytes are looked at, so that a test can tell work without a clock. Its
 * subarrays count too. Only code that treats it as a `Buffer` can be counted: natives that take a whole buffer as an
 * argument refuse it.
 */
export function countedBuffer(bytes: Buffer, looks: Looks): Buffer {
  return new Proxy(bytes, {
    get: (target, key) => {
      if (typeof key === 'string' && /^\d+$/.test(key)) {
        looks.looked++
        return target[Number(key)]
      }
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? (counted(target, key, looks) ?? value.bind(target)) : value
    },
  })
}

type Method = (...given: never[]) => unknown

/** The method with its work counted, or undefined where it does none that counts. */
function counted(target: Buffer, key: string | symbol, looks: Looks): Method | undefined {
  switch (key) {
    case 'subarray':
      return (start?: number, end?: number) => countedBuffer(target.subarray(start, end), looks)
    case 'indexOf':
      return (what: string | number | Uint8Array, from = 0, encoding: BufferEncoding = 'utf8') => {
        const found = target.indexOf(what, from, encoding)
        looks.looked += (found < 0 ? target.length : found + 1) - Math.min(from, target.length)
        return found
      }
    case 'copy':
      return (to: Uint8Array, toStart?: number, start?: number, end?: number) => {
        const copied = target.copy(to, toStart, start, end)
        looks.copied += copied
        return copied
      }
    case 'includes':
    case 'lastIndexOf':
    case 'equals':
    case 'compare':
    case 'toString':
      return (...given: never[]) => {
        looks.looked += target.length
        return (target[key] as Method)(...given)
      }
    default:
      return undefined
  }
}
