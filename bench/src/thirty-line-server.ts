/**
 * A JSON-RPC server as one would write it in thirty lines, linear at any size: the floor for large calls.
 *
 * Like the thirty-line client it looks for nothing but the newline. It bounds neither size nor nesting.
 */

import { isUtf8 } from 'node:buffer'
import type { Socket } from 'node:net'
import { listenPlainly } from './peers/listen-plainly.ts'
import type { Stop } from './roles/role.ts'

type Handlers = Readonly<Record<string, (params: unknown) => unknown>>

export function serveThirtyLine(path: string, handlers: Handlers): Promise<Stop> {
  return listenPlainly(path, (socket) => serveLines(socket, handlers))
}

function serveLines(socket: Socket, handlers: Handlers): void {
  let pieces: Buffer[] = []
  socket.on('data', (chunk) => {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      pieces.push(chunk.subarray(start, end))
      answerLine(socket, handlers, Buffer.concat(pieces))
      pieces = []
      start = end + 1
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start))
  })
}

function answerLine(socket: Socket, handlers: Handlers, line: Buffer): void {
  if (!isUtf8(line)) throw new Error('the call is not UTF-8')
  const { id, method, params } = JSON.parse(line.toString()) as { id: number; method: string; params: unknown }
  const result = handlers[method]?.(params)
  socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`)
}
