/** Echo calls with each payload, one after the other, in each of the conversations. */

import { connect } from 'postern'
import {
  type Attachment,
  asText,
  type CodecPayload,
  codecPayloads,
  fromText,
  type TextAttachment,
} from '../codec-payloads.ts'
import { percentile } from '../stats.ts'
import { measureAs } from './role.ts'

/** What to measure. */
export interface CodecClientTask {
  readonly path: string
  readonly conversations: readonly CodecConversation[]
  readonly largeMb: number
  /** How many calls are measured with each payload, in their order; half as many come before, to warm up. */
  readonly calls: readonly number[]
}

/** How a client speaks. */
export interface CodecConversation {
  /** Of its address. */
  readonly parameters: string
  /** It has no bytes, so that they travel as text. */
  readonly textOnly: boolean
}

/** Of each conversation, the p50 with each payload, in microseconds. */
export type CodecClientResult = readonly (readonly number[])[]

await measureAs<CodecClientTask>(measure)

async function measure({ path, conversations, largeMb, calls }: CodecClientTask): Promise<CodecClientResult> {
  const results: number[][] = []
  for (const { parameters, textOnly } of conversations) {
    const connection = await connect(`unix:${path}${parameters}`)
    const call: Call = (method, params) => connection.call(method, params)
    const p50s: number[] = []
    for (const [index, payload] of codecPayloads(largeMb).entries()) {
      const count = calls[index] ?? 1
      const ask = askWith(payload, textOnly, call)
      await timeOneByOne(ask, Math.ceil(count / 2))
      p50s.push(percentile(await timeOneByOne(ask, count), 50))
    }
    await connection.close()
    results.push(p50s)
  }
  return results
}

type Call = (method: string, params: unknown) => Promise<unknown>

/** One call, from a value to the same value. */
function askWith({ value, bytes }: CodecPayload, textOnly: boolean, call: Call): () => Promise<unknown> {
  if (bytes !== true || !textOnly) return () => call('echo', value)
  return async () => fromText((await call('echoText', asText(value as Attachment))) as TextAttachment)
}

async function timeOneByOne(ask: () => Promise<unknown>, count: number): Promise<Float64Array> {
  const timesUs = new Float64Array(count)
  for (let index = 0; index < count; index++) {
    const start = performance.now()
    await ask()
    timesUs[index] = (performance.now() - start) * 1_000
  }
  return timesUs
}
