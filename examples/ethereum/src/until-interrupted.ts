/** What a shell says of a program that such a signal has ended. */
const statuses = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** Runs a job that has a node of its own: a signal of the system stops both, and is the exit status. */
export async function untilInterrupted(name: string, job: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const interrupted = new AbortController()
  for (const [signal, status] of Object.entries(statuses)) {
    process.on(signal, () => {
      // The second time nothing is waited for, but even then the node goes with us.
      if (interrupted.signal.aborted) process.exit(status)
      process.exitCode = status
      interrupted.abort(new Error(`${signal} came`))
    })
  }
  try {
    await job(interrupted.signal)
  } catch (error) {
    // The node was stopped under the job's feet.
    if (!interrupted.signal.aborted) throw error
    process.stderr.write(`\n${name}: interrupted; the node is stopped\n`)
  }
}
