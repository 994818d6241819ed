/**
 * What happens to open servers when the process ends: their names are given back, and the exit status stays what it
 * would have been.
 *
 * Signal handlers exist only while a server is open. Where the program handles a signal itself, that decides, and only
 * the names are given back at the exit. Else the servers drain and the signal then ends the process as it would have.
 */

/** The part of a server that matters at the end. */
export interface Closeable {
  close(): Promise<void>
  closeSync(): void
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
type Signal = (typeof signals)[number]

const open = new Set<Closeable>()
let draining = false

/** Makes sure that the server is closed when the process ends. Returns how to take that back. */
export function closeAtExit(server: Closeable): () => void {
  if (open.size === 0) {
    process.on('exit', closeAllSync)
    for (const signal of signals) process.on(signal, onSignal)
  }
  open.add(server)
  return () => {
    if (!open.delete(server) || open.size > 0) return
    process.off('exit', closeAllSync)
    if (!draining) removeSignalHandlers()
  }
}

function removeSignalHandlers(): void {
  for (const signal of signals) process.off(signal, onSignal)
}

function closeAllSync(): void {
  for (const server of open) server.closeSync()
}

function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return
  if (draining) {
    // The second one means now.
    closeAllSync()
    dieOf(signal as Signal)
    return
  }
  draining = true
  const closing = [...open].map((server) => server.close())
  void Promise.allSettled(closing).then(() => dieOf(signal as Signal))
}

/** Ends the process by the signal itself, so that whoever started it sees what it would have seen without us. */
function dieOf(signal: Signal): void {
  removeSignalHandlers()
  process.kill(process.pid, signal)
}
