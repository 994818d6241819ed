/**
 * How fast an Ethereum node is reached, beside what one would write without a library: `npm run bench:ethereum`.
 *
 * The node is anvil, one for each setting. Every client is a process of its own, pinned to the core of its node or
 * free; clients take turns, and each round is a new process that warms up first.
 */

import { runBenchProgram } from './bench-program.ts'
import { nodeCalls } from './cases/node-calls.ts'
import { nodeTrace } from './cases/node-trace.ts'

await runBenchProgram({ name: 'ethereum', cases: [nodeCalls, nodeTrace] })
