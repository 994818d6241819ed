/**
 * After every test, what it opened must be closed: descriptors, sockets, servers, children, and nothing may stand on
 * the prototypes that everybody shares. Runs behind the test's own cleaning up.
 */

import { readdirSync, readlinkSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { beforeEach, expect, onTestFinished } from 'vitest'

const watched = /^(Pipe|PipeServer|TCPSocket|TCPServer|Process|FSEvent)Wrap$/
const prototypes = [Object.prototype, Array.prototype, Function.prototype, String.prototype, Promise.prototype]

/** How long what was closed may take to be gone. */
const boundMs = 2_000

interface Snapshot {
  /** By number, with what each is open to. */
  readonly descriptors: ReadonlyMap<string, string>
  readonly handles: Readonly<Record<string, number>>
  readonly prototypes: readonly (readonly PropertyKey[])[]
}

function snapshot(): Snapshot {
  const handles: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) if (watched.test(name)) handles[name] = (handles[name] ?? 0) + 1
  return {
    descriptors: process.platform === 'linux' ? openDescriptors() : new Map(),
    handles,
    prototypes: prototypes.map((prototype) => Reflect.ownKeys(prototype)),
  }
}

function openDescriptors(): Map<string, string> {
  const open = new Map<string, string>()
  for (const number of readdirSync('/proc/self/fd')) {
    try {
      open.set(number, readlinkSync(`/proc/self/fd/${number}`))
    } catch {
      // The one by which the directory was read, or closed by another thread.
    }
  }
  return open
}

/** What is there now and was not before; descriptors that were closed meanwhile are no leak. */
function leaked(before: Snapshot, now: Snapshot): string[] {
  const found: string[] = []
  if (now.descriptors.size > before.descriptors.size) {
    for (const [number, target] of now.descriptors)
      if (before.descriptors.get(number) !== target) found.push(`descriptor ${number}: ${target}`)
  }
  for (const [name, count] of Object.entries(now.handles)) {
    const more = count - (before.handles[name] ?? 0)
    if (more > 0) found.push(`${more} ${name}`)
  }
  return found
}

// Node opens these descriptors when they are first needed, and keeps them.
watch(tmpdir(), { persistent: false }).close()
const ignore = (): void => undefined
process.on('SIGUSR2', ignore).off('SIGUSR2', ignore)

beforeEach(() => {
  const before = snapshot()
  // Registered first, so called last.
  onTestFinished(async () => {
    const end = performance.now() + boundMs
    while (leaked(before, snapshot()).length > 0 && performance.now() < end) {
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    }
    const now = snapshot()
    expect(leaked(before, now), 'left open by this test').toEqual([])
    expect(now.prototypes, 'shared prototypes').toEqual(before.prototypes)
  })
})
