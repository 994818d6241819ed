/**
 * Worker threads that read TypeScript: what the tests run on as it stands in the repository. Node 20 reads JavaScript
 * alone, and what vitest makes of TypeScript it does for its own thread.
 *
 * @example
 * ```ts
 * vi.mock('node:worker_threads', async () => await import('../typescript-worker.ts'))
 * ```
 */

import type { WorkerOptions } from 'node:worker_threads'

const threads = process.getBuiltinModule('node:worker_threads')
const tsx = import.meta.resolve('tsx/esm/api')
const register = `data:text/javascript,${encodeURIComponent(`import { register } from '${tsx}'; register()`)}`

export class Worker extends threads.Worker {
  constructor(url: URL, options: WorkerOptions = {}) {
    super(url, { ...options, execArgv: ['--import', register] })
  }
}

export const { MessageChannel, isMainThread, parentPort, threadId, workerData } = threads
