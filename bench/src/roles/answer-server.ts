/** Answers with prepared bytes, in pieces of the size that the call asks for, each in a write and a tick of its own. */

import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { listenPlainly } from '../peers/listen-plainly.ts'
import { traceJson } from '../trace-json.ts'
import { serveAs } from './role.ts'

/** The parameters of the method `trace`. */
export interface TraceParams {
  readonly bytes: number
  readonly pieceBytes: number
}

/** Where to listen. */
export interface AnswerServerTask {
  readonly path: string
}

const prepared = new Map<number, Buffer>()

await serveAs<AnswerServerTask>(({ path }) => listenPlainly(path, answerCalls))

/** A client here has one call under way at a time, and a call fits one chunk. */
function answerCalls(socket: Socket): void {
  socket.on('data', (line) => {
    const { id, params } = JSON.parse(line.toString()) as { id: number; params: TraceParams }
    void answer(socket, id, params)
  })
}

async function answer(socket: Socket, id: number, { bytes, pieceBytes }: TraceParams): Promise<void> {
  const body = bodyOf(bytes)
  const head = Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":`)
  let end = pieceBytes - head.length
  await write(socket, Buffer.concat([head, body.subarray(0, end)]))
  for (; end < body.length && !socket.destroyed; end += pieceBytes)
    await write(socket, body.subarray(end, end + pieceBytes))
}

function bodyOf(bytes: number): Buffer {
  const body = prepared.get(bytes) ?? Buffer.from(`${traceJson(bytes)}}\n`)
  prepared.set(bytes, body)
  return body
}

async function write(socket: Socket, piece: Buffer): Promise<void> {
  await new Promise((resolve) => socket.write(piece, resolve))
  await setImmediate()
}
