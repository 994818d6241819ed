/** A module that is none for workers: it exports its handlers one by one. */

export function where(): number {
  return 1
}
