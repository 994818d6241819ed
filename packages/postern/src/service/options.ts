/**
 * Wrong use is told at once: an option that nobody knows is a slip of the pen, and must not be ignored.
 */

/** Throws `TypeError` unless `options` is an object with none but the allowed names. */
export function checkOptions(where: string, options: unknown, allowed: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`${where} takes an object of options, not ${options === null ? 'null' : typeof options}`)
  }
  for (const name of Object.keys(options)) {
    if (!allowed.includes(name))
      throw new TypeError(`${where} has no option ${JSON.stringify(name)}; there are ${allowed.join(', ')}`)
  }
}
