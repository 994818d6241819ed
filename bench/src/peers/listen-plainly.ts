import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { Stop } from '../roles/role.ts'

/** Listens at a Unix socket with nothing but `node:net`. */
export async function listenPlainly(path: string, onSocket: (socket: Socket) => void): Promise<Stop> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // A client that is killed resets its connection.
    socket.on('error', () => socket.destroy())
    onSocket(socket)
  })
  server.listen(path)
  await once(server, 'listening')
  return async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  }
}
