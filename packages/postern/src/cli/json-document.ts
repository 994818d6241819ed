/**
 * Looking into JSON that somebody else wrote: nothing is taken for granted, and nothing inherited is taken for its own.
 */

/** A JSON object, of which nothing is known. */
export type JsonObject = Readonly<Record<string, unknown>>

/** The value where it is an object. */
export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
}

/** The value where it is a string. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** What a reference object (`{"$ref":"#/a/b"}`) leads to within the document; any other value is itself. */
export function followReference(value: unknown, document: JsonObject): unknown {
  const reference = asText(asObject(value)?.['$ref'])
  return reference === undefined ? value : valueAt(document, reference)
}

/** The value that a JSON Pointer in a URI fragment means (RFC 6901 section 6), or undefined. */
export function valueAt(root: unknown, reference: string): unknown {
  if (reference === '#') return root
  if (!reference.startsWith('#/')) return undefined
  let value = root
  for (const segment of reference.slice(2).split('/')) {
    const key = decodeSegment(segment)
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as JsonObject)[key]
  }
  return value
}

/** The last segment of a JSON Pointer, as it was before it was escaped. */
export function lastSegment(reference: string): string {
  return decodeSegment(reference.slice(reference.lastIndexOf('/') + 1))
}

function decodeSegment(segment: string): string {
  const text = segment.replaceAll('~1', '/').replaceAll('~0', '~')
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
