/**
 * A node over HTTP, by Node's own `fetch`: what a program does today without a library.
 *
 * HTTP cannot push, so new blocks are polled for, with a filter that the node keeps for us.
 */

import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { Hex, read } from './answers.ts'
import type { EthereumNode, NodeCall } from './ethereum-node.ts'

/** How often a filter is asked for new blocks. */
export const pollMs = 100

/** A node at an `http:` or `https:` URL. */
export function connectHttpNode(url: string): EthereumNode {
  return new HttpNode(url)
}

const Answer = z.object({
  id: z.number(),
  result: z.unknown(),
  error: z.object({ code: z.number(), message: z.string() }).optional(),
})

class HttpNode implements EthereumNode {
  readonly transport = 'HTTP'
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  async call(...call: NodeCall): Promise<unknown> {
    const response = await this.#post(request(call, 1))
    return resultOf(call, await response.json())
  }

  async batch(calls: readonly NodeCall[]): Promise<unknown[]> {
    const response = await this.#post(calls.map((call, id) => request(call, id)))
    const answers = read(z.array(Answer), await response.json(), 'a batch')
    return calls.map((call, id) =>
      resultOf(
        call,
        answers.find((answer) => answer.id === id),
      ),
    )
  }

  async callRaw(call: NodeCall, onProgress: (bytes: number) => void): Promise<Uint8Array> {
    const { body } = await this.#post(request(call, 1))
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of body ?? []) {
      chunks.push(chunk)
      bytes += chunk.length
      onProgress(bytes)
    }
    return rawResultOf(call, Buffer.concat(chunks, bytes))
  }

  async newBlocks(): Promise<AsyncIterableIterator<string>> {
    const filter = read(Hex, await this.call('eth_newBlockFilter'), 'the id of a filter')
    return this.#poll(filter)
  }

  /** Nothing to do: `fetch` ends the connections that it keeps by itself. */
  async [Symbol.asyncDispose](): Promise<void> {}

  /** Asks in a steady beat, however long its consumer takes between two blocks. */
  async *#poll(filter: string): AsyncGenerator<string> {
    let dueMs = performance.now()
    try {
      while (true) {
        yield* read(z.array(Hex), await this.call('eth_getFilterChanges', filter), 'hashes of blocks')
        while (dueMs <= performance.now()) dueMs += pollMs
        await pause(dueMs - performance.now())
      }
    } finally {
      // A node forgets a filter that nobody asks for, so it does not matter whether this succeeds.
      await this.call('eth_uninstallFilter', filter).catch(() => undefined)
    }
  }

  async #post(body: unknown): Promise<Response> {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(this.#url, { method: 'POST', headers, body: JSON.stringify(body) }).catch(
      (error: unknown) => {
        throw new Error(`no answer from ${this.#url}: is a node listening there?`, { cause: error })
      },
    )
    if (!response.ok) throw new Error(`${this.#url} answered with HTTP status ${response.status}`)
    return response
  }
}

function request([method, ...params]: NodeCall, id: number): unknown {
  return { jsonrpc: '2.0', id, method, params }
}

function resultOf([method]: NodeCall, value: unknown): unknown {
  const { error, result } = read(Answer, value, 'a JSON-RPC answer')
  if (error !== undefined) throw new Error(`${method}: ${error.message} (code ${error.code})`)
  return result
}

/** Nodes write the result last, so its text is what stands between this and the closing brace. */
const beforeResult = Buffer.from('{"jsonrpc":"2.0","id":1,"result":')

function rawResultOf(call: NodeCall, body: Buffer): Uint8Array {
  const end = body.lastIndexOf('}')
  if (body.subarray(0, beforeResult.length).equals(beforeResult)) return body.subarray(beforeResult.length, end)
  return Buffer.from(JSON.stringify(resultOf(call, JSON.parse(body.toString()))))
}
