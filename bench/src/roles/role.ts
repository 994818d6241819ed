/** The child's end of `startChild`: a role is a server, which says that it listens, or a client, which says its result. */

/** Stops what was started. */
export type Stop = () => Promise<void>

/** Starts a server with the task that the parent gave, and stops it when the parent says so or is gone. */
export async function serveAs<Task>(start: (task: Task) => Promise<Stop>): Promise<void> {
  const started = start(readTask())
  process.once('disconnect', () => void started.then((stop) => stop()).finally(() => process.exit()))
  await started
  await say('listening')
}

/** Measures with the task that the parent gave, and hands over the result. */
export async function measureAs<Task>(measure: (task: Task) => Promise<unknown>): Promise<void> {
  process.once('disconnect', () => process.exit())
  await say(await measure(readTask()))
  process.disconnect()
}

function readTask<Task>(): Task {
  return JSON.parse(process.argv[2] ?? '') as Task
}

function say(message: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    if (process.send === undefined) throw new Error('this program is started by the bench, not by hand')
    process.send(message, (error: Error | null) => (error === null ? resolve() : reject(error)))
  })
}
