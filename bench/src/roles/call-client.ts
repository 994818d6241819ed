/** Writes large calls, prepared as bytes, and waits for their small answers. */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { traceJson } from '../trace-json.ts'
import { type Cost, medianCost } from './cost.ts'
import { measureAs } from './role.ts'

/** What to measure. */
export interface CallClientTask {
  readonly path: string
  readonly bytes: number
  readonly repeats: number
}

const warmUpCalls = 2

await measureAs<CallClientTask>(measure)

/** The time on the clock is the client's, that on a core the server's. */
async function measure({ path, bytes, repeats }: CallClientTask): Promise<Cost> {
  const socket = connect(path)
  await once(socket, 'connect')
  const begin = callOf('begin', '{}')
  const store = callOf('store', traceJson(bytes))
  const costs: Cost[] = []
  for (let call = 0; call < warmUpCalls + repeats; call++) {
    const cpuBeforeMs = await ask(socket, begin)
    const startMs = performance.now()
    const cpuAfterMs = await ask(socket, store)
    costs.push({ wallMs: performance.now() - startMs, cpuMs: cpuAfterMs - cpuBeforeMs })
  }
  socket.destroy()
  return medianCost(costs.slice(warmUpCalls))
}

function callOf(method: string, params: string): Buffer {
  return Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}\n`)
}

/** The answers are small, and come in one chunk. */
async function ask(socket: Socket, call: Buffer): Promise<number> {
  const answered = once(socket, 'data')
  socket.write(call)
  const [line] = (await answered) as [Buffer]
  const { result, error } = JSON.parse(line.toString()) as { result?: number; error?: { message: string } }
  if (result === undefined) throw new Error(`the call failed: ${error?.message}`)
  return result
}
