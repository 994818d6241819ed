/** Asks for large answers and says what they cost: Postern, or the thirty-line client. */

import { connect } from 'postern'
import { connectThirtyLine } from '../thirty-line-client.ts'
import { traceJson } from '../trace-json.ts'
import type { TraceParams } from './answer-server.ts'
import { type Cost, costOf, medianCost } from './cost.ts'
import { measureAs } from './role.ts'

/** What to measure. */
export interface AnswerClientTask {
  readonly client: 'postern' | 'thirty-line'
  readonly path: string
  /** The answers to ask for, in turn. */
  readonly answers: readonly TraceParams[]
  readonly repeats: number
}

/** What was measured. */
export interface AnswerClientResult {
  /** Of each answer. */
  readonly costs: readonly Cost[]
  /** Mean size of what of each arrived at once: a slow reader gets several pieces together. Only Postern's client tells. */
  readonly bytesPerRead?: readonly number[]
}

interface TraceClient {
  trace(params: TraceParams): Promise<unknown>
  readsOf?(params: TraceParams): Promise<number>
  close(): void
}

await measureAs<AnswerClientTask>(measure)

async function measure({ client: kind, path, answers, repeats }: AnswerClientTask): Promise<AnswerClientResult> {
  const client = await (kind === 'postern' ? connectPostern(path) : connectBare(path))
  for (const params of answers) await warmUp(client, params)
  const samples = answers.map((): Cost[] => [])
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const [index, params] of answers.entries()) samples[index]?.push(await costOf(() => client.trace(params)))
  }
  const bytesPerRead: number[] = []
  if (client.readsOf !== undefined) {
    for (const params of answers) bytesPerRead.push(params.bytes / (await client.readsOf(params)))
  }
  client.close()
  return { costs: samples.map(medianCost), ...(bytesPerRead.length === 0 ? {} : { bytesPerRead }) }
}

/** Of the client, and of the server, which prepares the answer now. */
async function warmUp(client: TraceClient, params: TraceParams): Promise<void> {
  const answer = await client.trace(params)
  if (JSON.stringify(answer) !== traceJson(params.bytes))
    throw new Error(`an answer of ${params.bytes} bytes came back changed`)
  await client.trace(params)
}

async function connectBare(path: string): Promise<TraceClient> {
  const client = await connectThirtyLine(path)
  return { trace: (params) => client.call('trace', params), close: () => client.close() }
}

async function connectPostern(path: string): Promise<TraceClient> {
  const connection = await connect(`unix:${path}`)
  return {
    trace: (params) => connection.call('trace', params),
    async readsOf(params): Promise<number> {
      // The last read brings the answer itself and no progress.
      let reads = 1
      await connection.call('trace', params, { onProgress: () => reads++ })
      return reads
    },
    close: () => connection.abort(),
  }
}
