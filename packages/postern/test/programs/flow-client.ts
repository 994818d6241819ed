/** Consumes `flow`, a hundred times slower than it is produced, and counts what it holds of it. */

import { connect as connectSocket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { connect, isPosternError, type Limits } from '../../src/index.ts'
import { consumerUnits, flow, foreignFlow, itemText, type ProducerFigures, work } from './flow.ts'
import { takeOrders } from './orders.ts'

/** What is consumed, and how. */
export interface FlowOrder {
  /** Of the server's socket. */
  readonly path: string
  /** A stream of a contract, with credit; the same without; or the lines of a socket, without Postern. */
  readonly form: 'credit' | 'no credit' | 'raw socket'
  readonly items: number
  readonly limits?: Partial<Limits>
}

/** What consumer and producer have done. */
export interface FlowFigures {
  readonly taken: number
  /** Most items that had arrived and were not taken. */
  readonly peakHeld: number
  /** The code of the error that ended it. */
  readonly code?: string
  readonly seconds: number
  readonly maxRssBytes: number
  readonly producer: ProducerFigures
}

let received = 0
let taken = 0
let peakHeld = 0
/** The subscription has been given up: what still arrives is dropped. */
let over = false

function arrived(items: number): void {
  if (over) return
  received += items
  peakHeld = Math.max(peakHeld, received - taken)
}

/** Items come in order, each once. Work is done while others may arrive; when all have, nothing more is to be seen. */
async function take(item: unknown, items: number): Promise<void> {
  if (item !== itemText(++taken)) throw new Error(`item ${taken} is ${JSON.stringify(item)}`)
  if (received >= items) return
  work(consumerUnits)
  await turn()
}

const tap = {
  frame: (direction: 'in' | 'out', frame: Uint8Array | string): void => {
    if (direction === 'out') over ||= String(frame).includes('flow.unsubscribe')
    else if (Buffer.from(frame as Uint8Array).includes('flow.subscription')) arrived(1)
  },
  close: (): void => undefined,
}

async function consumeStream({ path, form, items, limits = {} }: FlowOrder): Promise<void> {
  await using connection = await connect(`unix:${path}`, form === 'credit' ? flow : foreignFlow, { limits, tap })
  for await (const item of connection.api.items({ count: items })) await take(item, items)
}

async function consumeLines({ path, items }: FlowOrder): Promise<void> {
  const socket = connectSocket(path)
  socket.write(`{"jsonrpc":"2.0","id":1,"method":"flow.subscribe","params":["items",{"count":${items}}]}\n`)
  let rest = ''
  for await (const chunk of socket) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    const notes = lines.map((line) => JSON.parse(line) as { params?: { result?: string } }).filter(isItem)
    arrived(notes.length)
    for (const { params } of notes) await take(params?.result, items)
    if (taken === items) return
  }
}

const isItem = ({ params }: { params?: { result?: string } }): boolean => params?.result !== undefined

async function consume(order: FlowOrder): Promise<string | undefined> {
  try {
    await (order.form === 'raw socket' ? consumeLines(order) : consumeStream(order))
    return undefined
  } catch (error) {
    if (isPosternError(error)) return error.code
    throw error
  }
}

takeOrders(async (order: FlowOrder): Promise<FlowFigures> => {
  const startMs = performance.now()
  const code = await consume(order)
  const seconds = (performance.now() - startMs) / 1_000
  await using connection = await connect(`unix:${order.path}`, flow)
  const producer = await connection.api.figures()
  const maxRssBytes = process.resourceUsage().maxRSS * 1024
  return { taken, peakHeld, ...(code === undefined ? {} : { code }), seconds, maxRssBytes, producer }
})
