import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { temporaryDirectory } from '../temporary-directory.ts'

/** One call as it arrived. */
export interface ScriptedCall {
  readonly id: number
  readonly method: string
  readonly params?: unknown
}

/** Answers a call with whatever it likes to write. */
export type Script = (call: ScriptedCall, socket: Socket) => void

/** A server that says what the test says, to the byte, until the test is over. Returns the path of its socket. */
export async function startScriptedServer(script: Script, path?: string): Promise<string> {
  const at = path ?? join(await temporaryDirectory(), 's')
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    const lines = createInterface(socket)
    lines.on('line', (line) => script(JSON.parse(line) as ScriptedCall, socket))
    lines.on('error', () => undefined)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(at, resolve)
  })
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return at
}

/** A script that answers every call with this text of JSON for a result. */
export function answerWith(result: string): Script {
  return ({ id }, socket) => void socket.write(`{"jsonrpc":"2.0","id":${id},"result":${result}}\n`)
}

/** A script that answers every call with this error. */
export function failWith(error: unknown): Script {
  return ({ id }, socket) => void socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, error })}\n`)
}

/** A script that answers a subscribe call and then sends these items, each a text of JSON. */
export function publish(items: readonly string[]): Script {
  return ({ id }, socket) => {
    const notes = items.map(
      (item) => `{"jsonrpc":"2.0","method":"t_subscription","params":{"subscription":"0x1","result":${item}}}\n`,
    )
    socket.write(`{"jsonrpc":"2.0","id":${id},"result":"0x1"}\n${notes.join('')}`)
  }
}
