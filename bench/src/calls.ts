/**
 * How fast calls are, beside peers of the same job: `npm run bench:calls`.
 *
 * Every figure is a ratio taken in one run on one machine. Server and client are processes of their own, pinned to one
 * core or free; peers take turns, and each round is a new pair of processes that warms up first.
 */

import { runBenchProgram } from './bench-program.ts'
import { idleConnections } from './cases/idle-connections.ts'
import { integerCheck } from './cases/integer-check.ts'
import { largeAnswer } from './cases/large-answer.ts'
import { largeCall } from './cases/large-call.ts'
import { peerAnswers } from './cases/peer-answers.ts'
import { smallCalls } from './cases/small-calls.ts'
import { tracingCost } from './cases/tracing-cost.ts'

await runBenchProgram({
  name: 'calls',
  cases: [smallCalls, largeAnswer, peerAnswers, largeCall, integerCheck, idleConnections, tracingCost],
})
