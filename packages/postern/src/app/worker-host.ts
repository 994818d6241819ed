/**
 * The program of a worker: loads the module with the handlers and answers the calls of each connection, as a server
 * does. Middleware and schemas stay in the main thread.
 */

import { parentPort, workerData } from 'node:worker_threads'
import type { CallHandler } from '../rpc/incoming-call.ts'
import { Session } from '../rpc/session.ts'
import { Events } from '../service/events.ts'
import type { AnyHandlers, Handler } from '../service/handlers.ts'
import { router } from '../service/router.ts'
import { type Service, serviceOfContract } from '../service/routes.ts'
import { messagePortChannel } from '../transports/message-port.ts'
import { WorkerClient } from './worker-client.ts'
import {
  type Boxed,
  type FromWorker,
  maxThreadFrameBytes,
  plainError,
  threadLimits,
  threadProtocol,
  type ToWorker,
  uncheckedContract,
  type WorkerStart,
} from './worker-link.ts'

const start = workerData as WorkerStart
const limits = threadLimits(start.limits)
const clientContract = start.client && uncheckedContract(start.client)

const tell = (news: FromWorker): void => parentPort?.postMessage(news)
const fail = (error: unknown, wrongUse: boolean): void => tell({ kind: 'failed', error: plainError(error), wrongUse })
const onError = (error: unknown, context: string): void => tell({ kind: 'error', error: plainError(error), context })

async function run(): Promise<void> {
  let exports: Readonly<Record<string, unknown>>
  try {
    exports = (await import(start.module)) as Readonly<Record<string, unknown>>
  } catch (error) {
    fail(error, false)
    return
  }
  let handlers: AnyHandlers
  let service: Service
  try {
    handlers = handlersIn(exports)
    service = serviceOfContract(uncheckedContract(start.contract), unboxing(handlers))
  } catch (error) {
    fail(error, true)
    return
  }
  const handler = router(service, { access: [], use: [], events: new Events(() => undefined) })
  parentPort?.on('message', (order: ToWorker) => {
    if (order.kind === 'end') parentPort?.close()
    else converse(order, handler)
  })
  tell({ kind: 'ready', names: Object.keys(handlers) })
}

function handlersIn(exports: Readonly<Record<string, unknown>>): AnyHandlers {
  const { handlers } = exports
  if (typeof handlers === 'object' && handlers !== null) return handlers as AnyHandlers
  const names = Object.keys(exports)
  const found = names.length === 0 ? 'it exports nothing' : `it exports ${names.join(', ')}`
  throw new TypeError(
    `it must export handlers, an object of functions by the names of the contract's members; ${found}`,
  )
}

/** Handlers that take their value out of the box it comes in. What is no function is left for the service to refuse. */
function unboxing(handlers: AnyHandlers): AnyHandlers {
  const unboxed = Object.entries(handlers).map(([key, handler]) => {
    if (typeof handler !== 'function') return [key, handler]
    return [key, ({ value }: Boxed, ctx: unknown) => (handler as Handler<unknown, unknown, unknown>)(value, ctx)]
  })
  return Object.fromEntries(unboxed) as AnyHandlers
}

function converse({ port, peer }: ToWorker & { kind: 'connect' }, handler: CallHandler): void {
  const session = new Session(messagePortChannel(port, { limits, maxFrameBytes: maxThreadFrameBytes, peer }), {
    side: 'server',
    address: 'the client',
    protocol: threadProtocol,
    limits,
    integers: 'bigint',
    handler,
    postern: true,
    clientOf: (link) => new WorkerClient(link, clientContract, onError),
    onError,
  })
  session.start()
}

void run()
