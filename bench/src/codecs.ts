/**
 * What JSON, MessagePack and CBOR cost, by themselves and in whole calls: `npm run bench:codecs`.
 *
 * Each library is measured alone and behind our codec, so that the price of the checks can be read from the table. Ways
 * and conversations take turns, and each round is a new process, or pair of processes, that warms up first.
 */

import { runBenchProgram } from './bench-program.ts'
import { codecCalls } from './cases/codec-calls.ts'
import { codecValues } from './cases/codec-values.ts'

await runBenchProgram({ name: 'codecs', cases: [codecValues, codecCalls] })
