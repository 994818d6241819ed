/** Does with messages what the client orders, over one mechanism. */

import { loadMechanism } from '../mechanisms/all-mechanisms.ts'
import { obeyOrders } from '../mechanisms/line-order.ts'
import { serveAs } from './role.ts'

/** Which mechanism, and where. */
export interface LineServerTask {
  readonly mechanism: string
  readonly path: string
}

await serveAs<LineServerTask>(async ({ mechanism: key, path }) => {
  const { name, listen } = await loadMechanism(key)
  if (listen === undefined) throw new TypeError(`${name} has its server in its client`)
  return await listen(path, obeyOrders)
})
