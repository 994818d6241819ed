import { link } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'

/** Leaves at `path` what a killed server leaves: a socket file behind which nobody listens. */
export async function leaveDeadSocket(path: string): Promise<void> {
  const bound = `${path}~`
  const server = await listenPlainly(bound)
  await link(bound, path)
  // Closing unlinks the name that was bound, and only that.
  await new Promise((resolve) => server.close(resolve))
}

/** A server without any of our care, as others write them. */
export async function listenPlainly(path: string): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  return server
}
