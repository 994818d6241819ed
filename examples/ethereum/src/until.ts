import { setTimeout as pause } from 'node:timers/promises'

/** Resolves when the condition holds; rejects when it does not within a time that a machine under load needs too. */
export async function until(what: string, condition: () => boolean, boundMs = 20_000): Promise<void> {
  const endMs = performance.now() + boundMs
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`${what} did not come about within ${boundMs} ms`)
    await pause(5)
  }
}
