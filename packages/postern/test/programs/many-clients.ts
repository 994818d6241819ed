/** Many clients of one server, which come back to it whenever it does; they count their attempts to. */

import { subscribe } from 'node:diagnostics_channel'
import { connect, defaultLimits } from '../../src/index.ts'
import { takeOrders } from './orders.ts'

/** First `connect`; then, for each restart, `back` once the server is up again. */
export type ClientsOrder =
  | { readonly do: 'connect'; readonly address: string; readonly clients: number }
  | { readonly do: 'back' }

/** What happened since the last report, in milliseconds since 1970. */
export interface ClientsReport {
  readonly attempts: readonly number[]
  /** When each client was connected again. */
  readonly backs: readonly number[]
}

const nowMs = (): number => performance.timeOrigin + performance.now()

let clients = 0
let attempts: number[] = []
let backs: number[] = []
let tellAllBack: () => void = () => undefined

subscribe('net.client.socket', () => attempts.push(nowMs()))

function onReconnect(): void {
  backs.push(nowMs())
  if (backs.length === clients) tellAllBack()
}

async function connectAll(address: string): Promise<void> {
  // None of it differs from the defaults, but that a call may wait for as long as the longest pause.
  const limits = { connectMs: 2 * defaultLimits.retryMaxMs }
  await Promise.all(Array.from({ length: clients }, () => connect(address, { limits, onReconnect })))
  attempts = []
}

async function allBack(): Promise<ClientsReport> {
  if (backs.length < clients) {
    await new Promise<void>((resolve) => {
      tellAllBack = resolve
    })
  }
  const report = { attempts, backs }
  attempts = []
  backs = []
  return report
}

takeOrders(async (order: ClientsOrder) => {
  if (order.do === 'back') return await allBack()
  clients = order.clients
  return await connectAll(order.address)
})
