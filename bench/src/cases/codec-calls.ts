/** A whole call with each payload, there and back, in each conversation that a server of ours takes. */

import { codecPayloads } from '../codec-payloads.ts'
import type { Setting } from '../pinned.ts'
import type { CodecClientResult, CodecConversation } from '../roles/codec-client.ts'
import { groupRows, type Row } from '../table.ts'
import { type BenchCase, type CaseRun, type Contender, interleave, measurePair } from './bench-case.ts'

export const codecCalls: BenchCase = { name: 'codec-calls', measure }

const serverModule = new URL('../roles/codec-server.ts', import.meta.url)
const clientModule = new URL('../roles/codec-client.ts', import.meta.url)

/** In the order of the payloads. */
const fullTask = { largeMb: 1, calls: [5_000, 1_000, 20, 20, 100] }
const quickTask = { largeMb: 0.1, calls: [20, 1, 1, 1, 1] }

interface NamedConversation extends CodecConversation {
  readonly name: string
}

/** The base first. */
const conversations: readonly NamedConversation[] = [
  { name: 'JSON, newlines', parameters: '', textOnly: true },
  { name: 'JSON, length-prefix', parameters: '?framing=length-prefix', textOnly: true },
  { name: 'JSON, content-length', parameters: '?framing=content-length', textOnly: true },
  { name: 'MessagePack', parameters: '?codec=msgpack', textOnly: false },
  { name: 'CBOR', parameters: '?codec=cbor', textOnly: false },
]

interface CallContender extends Contender<CodecClientResult> {
  readonly spoken: readonly NamedConversation[]
}

async function measure(run: CaseRun): Promise<Row[]> {
  const amounts = run.quick ? quickTask : fullTask
  const contenders = run.settings.flatMap((setting) => contendersIn(run, setting, amounts))
  const samples = await interleave(run, contenders)
  return run.settings.flatMap((setting) => {
    const here = contenders.filter((contender) => contender.setting === setting)
    const results = here.flatMap((contender) =>
      contender.spoken.map(({ name }, index) => ({
        name,
        rounds: (samples.get(contender) ?? []).map((result) => result[index] ?? []),
      })),
    )
    return codecPayloads(amounts.largeMb).flatMap(({ title }, payload) =>
      groupRows(
        { group: `echo call with ${title}, p50, ${setting}`, unit: 'us', base: conversations[0]?.name },
        results.map(({ name, rounds }) => ({ name, samples: rounds.map((p50s) => p50s[payload] ?? Number.NaN) })),
      ),
    )
  })
}

/** A server and a client for each conversation, so that both know only this one. */
function contendersIn(run: CaseRun, setting: Setting, amounts: typeof fullTask): CallContender[] {
  const pairs = run.quick ? [conversations] : conversations.map((one) => [one])
  return pairs.map((spoken) => {
    const client = { module: clientModule, task: { conversations: spoken, ...amounts } }
    const pair = { setting, server: { module: serverModule, task: {} }, client }
    const sample = async (): Promise<CodecClientResult> => (await measurePair(run, pair)) as CodecClientResult
    return { name: spoken.map(({ name }) => name).join('; '), setting, spoken, sample }
  })
}
