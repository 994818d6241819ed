/** Resolves when the condition holds, looking once each turn of the event loop; rejects when it does not for `boundMs`. */
export async function until(condition: () => boolean, boundMs = 10_000): Promise<void> {
  const end = performance.now() + boundMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`did not come about within ${boundMs} ms: ${condition.toString()}`)
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
}
