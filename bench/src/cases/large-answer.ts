/** Large JSON answers at a client: Postern's beside thirty lines that scan nothing, and whether the cost stays linear. */

import type { Setting } from '../pinned.ts'
import type { AnswerClientResult, AnswerClientTask } from '../roles/answer-client.ts'
import { groupRows, type Row, type Target } from '../table.ts'
import {
  type BenchCase,
  type CaseRun,
  type Contender,
  costKinds,
  exposeGc,
  interleave,
  measurePair,
  megabytes,
} from './bench-case.ts'

export const largeAnswer: BenchCase = { name: 'large-answer', measure }

const serverModule = new URL('../roles/answer-server.ts', import.meta.url)
const clientModule = new URL('../roles/answer-client.ts', import.meta.url)

const answerTarget: Target = { sign: '<=', limit: 1.25 }
const doublingTarget: Target = { sign: '<', limit: 2.6 }

type ClientKind = AnswerClientTask['client']
const names: Readonly<Record<ClientKind, string>> = { 'thirty-line': 'thirty-line client', postern: 'postern' }
const kinds: readonly ClientKind[] = ['thirty-line', 'postern']

interface AnswerContender extends Contender<AnswerClientResult> {
  readonly kind: ClientKind
}

/** What each kind of client measured in one setting. */
type Results = ReadonlyMap<ClientKind, readonly AnswerClientResult[]>

async function measure(run: CaseRun): Promise<Row[]> {
  const bytes = run.quick ? 1_000_000 : 20_000_000
  // The order matters below: whole, half in small pieces, whole in small pieces.
  const answers = [
    { bytes, pieceBytes: 64 * 1024 },
    { bytes: bytes / 2, pieceBytes: 4 * 1024 },
    { bytes, pieceBytes: 4 * 1024 },
  ]
  const contenders = run.settings.flatMap((setting) => kinds.map((kind) => contend(run, kind, setting, answers)))
  const samples = await interleave(run, contenders)
  return run.settings.flatMap((setting) => {
    const here = contenders.filter((contender) => contender.setting === setting)
    const results: Results = new Map(here.map((contender) => [contender.kind, samples.get(contender) ?? []]))
    return [
      ...wholeRows(results, setting, bytes),
      ...kinds.flatMap((kind) => pieceRows(results, setting, bytes, kind)),
      ...readRows(results, setting),
    ]
  })
}

function contend(
  run: CaseRun,
  kind: ClientKind,
  setting: Setting,
  answers: AnswerClientTask['answers'],
): AnswerContender {
  const client = { module: clientModule, task: { client: kind, answers, repeats: run.quick ? 1 : 3 } }
  const pair = { setting, server: { module: serverModule, task: {} }, client, nodeArgs: exposeGc }
  return { kind, name: names[kind], setting, sample: async () => (await measurePair(run, pair)) as AnswerClientResult }
}

function wholeRows(results: Results, setting: Setting, bytes: number): Row[] {
  return costKinds.flatMap(({ what, key }) => {
    const measured = kinds.map((kind) => ({
      name: names[kind],
      samples: costsOf(results, kind, 0, key),
      target: kind === 'postern' && setting === 'pinned' ? answerTarget : undefined,
    }))
    const group = `${megabytes(bytes)} answer, ${what} of the client, ${setting}`
    return groupRows({ group, unit: 'ms', base: names['thirty-line'] }, measured)
  })
}

function pieceRows(results: Results, setting: Setting, bytes: number, kind: ClientKind): Row[] {
  const half = `${names[kind]}, ${megabytes(bytes / 2)}`
  const whole = `${names[kind]}, ${megabytes(bytes)}`
  const target = kind === 'postern' ? doublingTarget : undefined
  return costKinds.flatMap(({ what, key }) =>
    groupRows(
      { group: `answer in 4 KB pieces, ${what} of the client, ${setting}, ${names[kind]}`, unit: 'ms', base: half },
      [
        { name: half, samples: costsOf(results, kind, 1, key) },
        { name: whole, samples: costsOf(results, kind, 2, key), target },
      ],
    ),
  )
}

/** How large the pieces were on arrival: a reader that is slower than the writer gets several at once. */
function readRows(results: Results, setting: Setting): Row[] {
  const ours = results.get('postern') ?? []
  const arrived = (answer: number): number[] => ours.map(({ bytesPerRead }) => bytesPerRead?.[answer] ?? Number.NaN)
  return groupRows({ group: `bytes in one read of postern, ${setting}`, unit: 'bytes' }, [
    { name: 'answer in 64 KB pieces', samples: arrived(0) },
    { name: 'answer in 4 KB pieces', samples: arrived(2) },
  ])
}

function costsOf(results: Results, kind: ClientKind, answer: number, key: 'wallMs' | 'cpuMs'): number[] {
  return (results.get(kind) ?? []).map(({ costs }) => costs[answer]?.[key] ?? Number.NaN)
}
