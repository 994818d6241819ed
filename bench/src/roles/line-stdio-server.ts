/** The same as `line-server.ts`, for who has started this program. */

import { listenStdio } from '../../../packages/postern/src/transports/stdio.ts'
import { framedLine } from '../mechanisms/channel-line.ts'
import { obeyOrders } from '../mechanisms/line-order.ts'

await listenStdio((stream) => obeyOrders(framedLine('server', stream)))
