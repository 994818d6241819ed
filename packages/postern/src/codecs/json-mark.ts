/**
 * A text that stands before a number while it passes `JSON.parse` or `JSON.stringify` as a string. Random, so that no
 * text of a peer can be taken for it; made when first needed, as loading the random numbers takes longer than the rest
 * of the library.
 */

let made: string | undefined

/** The mark of this process. */
export function numberMark(): string {
  made ??= `number:${crypto.randomUUID()}:`
  return made
}
