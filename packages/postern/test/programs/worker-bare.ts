/** Handlers of a contract that is only an interface. */

import { threadId } from 'node:worker_threads'
import type { Client } from '../../src/service/handlers.ts'
import type { BareMembers } from '../../src/service/contract.ts'

/** What their clients serve: methods that take positional parameters. */
export interface Counter {
  add(pair: readonly [number, number]): number
  last(): number
}

export const handlers = {
  where: (): number => threadId,
  double: (n: number): number => n * 2,
  /** Waits no longer than it is told to for the client. */
  asks: async (waitMs: number, { client }: { client: Client<BareMembers<Counter>> }): Promise<number[]> => [
    await client.api.add([20, 22], { timeoutMs: waitMs }),
    await client.api.last(),
  ],
}
