/**
 * How fast the mechanisms are below and with calls, beside raw `net` and a C program: `npm run bench:mechanisms`.
 *
 * The same messages travel over each, from 64 B to 64 MB. They take turns, and each round is a new pair of processes that
 * warms up first. The C program is compiled when the bench begins, and needs Linux and a C compiler.
 */

import { runBenchProgram } from './bench-program.ts'
import { mechanismBlobs } from './cases/mechanism-blobs.ts'
import { mechanismCalls } from './cases/mechanism-calls.ts'
import { mechanismEcho } from './cases/mechanism-echo.ts'
import { mechanismFlow } from './cases/mechanism-flow.ts'

await runBenchProgram({ name: 'mechanisms', cases: [mechanismEcho, mechanismFlow, mechanismCalls, mechanismBlobs] })
