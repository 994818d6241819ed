/** Handlers whose worker ends by itself when its file says so: at once, or when it is asked. */

import { readFileSync } from 'node:fs'
import { threadId } from 'node:worker_threads'

export const handlers = {
  where: (): number => threadId,
  end: (): never => process.exit(4),
}

const order = process.env['POSTERN_WORKER_ENDS']
if (order !== undefined && readFileSync(order, 'utf8') === 'at once') setImmediate(() => process.exit(5))
