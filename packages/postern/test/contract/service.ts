/** What the suite of the service runs on: the same cases over whole messages and over bytes. */

import { onTestFinished } from 'vitest'
import { connect, type ConnectOptions } from '../../src/app/connect.ts'
import type { Connection } from '../../src/app/connection.ts'
import { type ServeOptions, type Server, serve } from '../../src/app/serve.ts'
import { isPosternError } from '../../src/core/errors.ts'
import type { Tap } from '../../src/core/tap.ts'
import type { Contract } from '../../src/service/contract.ts'
import type { HandlersOf } from '../../src/service/handlers.ts'
import type { Members, NoErrors } from '../../src/service/members.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

/** One mechanism, as its addresses, and one conversation over it. */
export interface ServiceHarness {
  readonly name: string
  readonly address: () => Promise<string>
  /** What a client puts behind the address. */
  readonly parameters?: string
}

/** What the client's address says. */
export function codecIn({ parameters = '' }: ServiceHarness): string {
  return /codec=(\w+)/.exec(parameters)?.[1] ?? 'json'
}

/** Whether the frames are JSON text. */
export function isText(harness: ServiceHarness): boolean {
  return codecIn(harness) === 'json'
}

let lastName = 0

const unixAddress = async (): Promise<string> => `unix:${await temporaryDirectory()}/s`

export const harnesses: readonly ServiceHarness[] = [
  { name: 'memory', address: async () => `memory:service-${++lastName}` },
  { name: 'unix', address: unixAddress },
]

/** The other conversations that a server finds out by itself. */
export const conversations: readonly ServiceHarness[] = [
  '?framing=content-length',
  '?framing=length-prefix',
  '?codec=msgpack',
  '?codec=msgpack&framing=length-prefix',
  '?codec=cbor',
].map((parameters) => ({ name: `unix${parameters}`, address: unixAddress, parameters }))

const sharedMemory: ServiceHarness = {
  name: 'shm?codec=msgpack',
  address: async () => `shm:${await temporaryDirectory()}/s`,
  parameters: '?codec=msgpack',
}

/** Those that differ from the first in everything. */
export const everyHarness: readonly ServiceHarness[] = [
  ...harnesses,
  ...conversations.filter(({ name }) => /content-length|msgpack$|cbor/.test(name)),
  sharedMemory,
]

/** A service and how to reach it. */
export interface Opened<M extends Members> {
  /** As a client writes it. */
  readonly address: string
  readonly server: Server<M>
  /** What the server's `onError` was told, as `[context, error]`. */
  readonly told: readonly [context: string, error: unknown][]
  /** Another client, which is dropped when the test is over. */
  readonly client: <S extends Members = NoErrors>(options?: ConnectOptions<S>) => Promise<Connection<M, S>>
}

/** Serves until the test is over. */
export async function opened<M extends Members, C extends Members = NoErrors>(
  harness: ServiceHarness,
  contract: Contract<M>,
  handlers: HandlersOf<M, C>,
  options: Partial<ServeOptions<C>> = {},
): Promise<Opened<M>> {
  const servedAt = await harness.address()
  const address = `${servedAt}${harness.parameters ?? ''}`
  const told: [string, unknown][] = []
  const onError = (error: unknown, context: string): void => void told.push([context, error])
  const server = await serve(contract, handlers, { at: servedAt, onError, ...options })
  onTestFinished(() => server.close())
  const client = async <S extends Members = NoErrors>(
    clientOptions: ConnectOptions<S> = {},
  ): Promise<Connection<M, S>> => {
    const connection = await connect(address, contract, { reconnect: false, onError, ...clientOptions })
    onTestFinished(() => connection.abort())
    return connection
  }
  return { address, server, told, client }
}

/** The code of the error that a promise rejects with; `none` when it resolves. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => 'none',
    (error: unknown) => (isPosternError(error) ? error.code : error),
  )
}

/** All items, and the error that came behind them, if one did. */
export async function drain<T>(items: AsyncIterable<T>): Promise<{ items: T[]; error?: unknown }> {
  const taken: T[] = []
  try {
    for await (const item of items) taken.push(item)
    return { items: taken }
  } catch (error) {
    return { items: taken, error }
  }
}

/** Every frame of one side, in order, as `in {...}` and `out {...}`. */
export class Recorded implements Tap {
  readonly frames: string[] = []

  readonly frame: Tap['frame'] = (direction, frame) => {
    this.frames.push(`${direction} ${Buffer.from(frame as string).toString()}`)
  }

  readonly close: Tap['close'] = () => undefined

  get text(): string {
    return this.frames.join('\n')
  }
}
