/** Handlers of a contract that is only an interface. */

import { threadId } from 'node:worker_threads'

export const handlers = {
  where: (): number => threadId,
  double: (n: number): number => n * 2,
}
