/**
 * How fast an Ethereum node is reached, beside viem, ethers, web3 and what one would write without a library:
 * `npm run bench:ethereum`.
 *
 * The node is anvil, one for each setting. Every client is a process of its own, pinned to the core of its node or
 * free; clients take turns, and each round is a new process that warms up first. A client that takes seconds for a
 * trace does not: it is asked for one, in the first rounds only.
 */

import { runBenchProgram } from './bench-program.ts'
import { nodeCalls } from './cases/node-calls.ts'
import { nodeTrace } from './cases/node-trace.ts'

await runBenchProgram({ name: 'ethereum', cases: [nodeCalls, nodeTrace] })
