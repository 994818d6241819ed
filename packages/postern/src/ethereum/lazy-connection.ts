/**
 * A connection to a node that is made when it is first needed, and made anew by the next call when it failed or is over
 * for good.
 */

import { connect, type ConnectOptions } from '../app/connect.ts'
import type { Connection } from '../app/connection.ts'
import { PosternError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import { retry } from '../rpc/retry.ts'
import { findNode, isNodeName } from './known-nodes.ts'

/** What the connection is made with. */
export interface LazyConnectionOptions {
  /** An address, or the name of a node that is looked for each time. */
  readonly node: string
  readonly limits: Limits
  readonly connect: ConnectOptions
  /** There is a connection where there was none. */
  readonly onOpen: () => void
}

export class LazyConnection {
  readonly #options: LazyConnectionOptions
  readonly #closing = new AbortController()
  #opening: Promise<Connection> | undefined
  #connection: Connection | undefined

  constructor(options: LazyConnectionOptions) {
    this.#options = options
  }

  /** Whether there is a connection at this moment. */
  get connected(): boolean {
    return this.#connection?.connected === true
  }

  get closed(): boolean {
    return this.#closing.signal.aborted
  }

  /**
   * The connection. All who ask while it is being made wait for the same attempt, which goes on for `limits.connectMs`
   * and then rejects with the last reason, as `no_listener`. Whoever asks after that begins the next one.
   */
  async get(): Promise<Connection> {
    if (this.closed) throw closedHere()
    this.#opening ??= this.#open()
    return await this.#opening
  }

  /** Ends the connection as `Connection.close` does; whoever waits for it is told. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort()
    const connection = await this.#opening?.catch(() => undefined)
    await connection?.close()
  }

  async #open(): Promise<Connection> {
    const { limits, onOpen } = this.#options
    try {
      // `connect` gives up after `limits.retries`, but a node may take its time to come up.
      const patient = { ...limits, retries: Number.MAX_SAFE_INTEGER }
      const connection = await retry(() => this.#connect(), { limits: patient, signal: this.#closing.signal })
      this.#connection = connection
      void connection.closed.then(() => this.#forget())
      onOpen()
      return connection
    } catch (error) {
      this.#forget()
      throw this.closed ? closedHere() : error
    }
  }

  async #connect(): Promise<Connection> {
    const { node, connect: options } = this.#options
    const { trust = [] } = options
    const address = isNodeName(node) ? await findNode(node, { trust }) : node
    return await connect(address, { ...options, signal: this.#closing.signal })
  }

  #forget(): void {
    this.#opening = undefined
    this.#connection = undefined
  }
}

function closedHere(): PosternError {
  return new PosternError('closed', 'the provider was closed here; make another one')
}
