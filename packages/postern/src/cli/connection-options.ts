/**
 * What the commands that talk to a server have in common: their options, and how these become a connection.
 */

import { readFileSync } from 'node:fs'
import { type ConnectOptions, connect } from '../app/connect.ts'
import type { Connection } from '../app/connection.ts'
import { maxTimerMs } from '../core/deadline.ts'
import { defaultLimits, type Limits, resolveLimits } from '../core/limits.ts'
import type { commonOptions, OptionValues } from './command.ts'
import { isNodeName } from './address-argument.ts'
import { parseDuration } from './duration.ts'
import { frameLog } from './frame-log.ts'
import type { Progress } from './progress.ts'
import { UsageError } from './usage-error.ts'

/**
 * More than a program of one's own needs: what reads the items of a subscription here is often slower than their server,
 * and to a server that is not ours nobody can say so.
 */
const maxBufferedItems = 65_536

/** Options of every command that takes ADDRESS. */
export const connectionOptions = {
  timeout: { type: 'string', value: 'TIME', help: 'longest wait without a byte: 5s, 500ms, 2m; default 30s' },
  trust: {
    type: 'string',
    multiple: true,
    value: 'UID',
    help: "believe a server that runs as this user, besides one's own and root",
  },
  'token-file': { type: 'string', value: 'FILE', help: 'show the token in this file, for a server that asks for one' },
  tls: { type: 'boolean', help: 'speak TLS, which tcp: needs beyond this machine' },
  ca: { type: 'string', value: 'FILE', help: 'speak TLS, and believe whom a certificate in this file has signed' },
  limit: {
    type: 'string',
    multiple: true,
    value: 'NAME=NUMBER',
    help: 'change a limit of the library, as maxAnswerBytes=1000000000',
  },
  verbose: { type: 'boolean', short: 'v', help: 'show each frame on stderr: --> sent, <-- received' },
} as const

type ConnectionValues = OptionValues<typeof connectionOptions & typeof commonOptions>

/**
 * Connects, at the first attempt or not at all: who types an address wants to know at once that it is wrong.
 *
 * `progress` is taken back before a frame is shown.
 */
export async function connectAs(address: string, values: ConnectionValues, progress?: Progress): Promise<Connection> {
  const options = connectOptions(address, values, progress)
  if (!isNodeName(address)) return await connect(address, options)
  const { findNode } = await import('../ethereum/known-nodes.ts')
  return await connect(await findNode(address, { trust: options.trust ?? [] }), options)
}

/** What the options say to `connect`. */
export function connectOptions(address: string, values: ConnectionValues, progress?: Progress): ConnectOptions {
  if (values.quiet === true && values.verbose === true) throw new UsageError('--quiet and --verbose exclude each other')
  const limits = { retries: 0, maxBufferedItems, ...timeoutLimits(values.timeout), ...parseLimits(values.limit) }
  const file = values['token-file']
  if (file === '') throw new UsageError('--token-file takes the path of a file, not nothing')
  const log = frameLog((line) => {
    progress?.stop()
    process.stderr.write(line)
  })
  return {
    limits,
    reconnect: false,
    trust: (values.trust ?? []).map(parseUid),
    // What has a local: name or asks for a token is Postern, so its error numbers mean ours.
    postern: address.startsWith('local:') || file !== undefined,
    ...(values.verbose === true ? { tap: log } : {}),
    ...(values.json === true ? { onError: () => undefined } : {}),
    ...(file === undefined ? {} : { token: { file } }),
    ...tlsOption(values),
  }
}

function tlsOption({ ca: file, tls }: ConnectionValues): Pick<ConnectOptions, 'tls'> {
  if (file === undefined) return tls === true ? { tls: {} } : {}
  try {
    const ca = readFileSync(file, 'utf8')
    if (ca.includes('-----BEGIN CERTIFICATE-----')) return { tls: { ca } }
  } catch (error) {
    throw new UsageError(`--ca cannot read ${file}: ${(error as Error).message}`)
  }
  throw new UsageError(`--ca takes a file of PEM certificates, and ${file} has none`)
}

/** Connects, uses the connection and drops it. */
export async function withConnection<Result>(
  address: string,
  values: ConnectionValues,
  use: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const connection = await connectAs(address, values)
  try {
    return await use(connection)
  } finally {
    connection.abort()
  }
}

/** How long a command may wait for what comes in one piece. */
export function timeoutOf({ timeout }: ConnectionValues): number {
  return timeout === undefined ? defaultLimits.callMs : parseDuration(timeout, '--timeout')
}

function timeoutLimits(timeout: string | undefined): Partial<Limits> {
  if (timeout === undefined) return {}
  const ms = parseDuration(timeout, '--timeout')
  // The call's own deadline comes first and says more.
  return { connectMs: ms, callMs: ms, frameProgressMs: Math.min(2 * ms, maxTimerMs) }
}

/** Reads `NAME=NUMBER`, of which there may be several. */
export function parseLimits(texts: readonly string[] = []): Partial<Limits> {
  const given = texts.map((text) => {
    const [, name, number] = /^(\w+)=(\d+)$/.exec(text) ?? []
    if (name === undefined)
      throw new UsageError(`--limit takes NAME=NUMBER, as maxAnswerBytes=1000000000, not ${JSON.stringify(text)}`)
    return [name, Number(number)] as const
  })
  const limits: Partial<Limits> = Object.fromEntries(given)
  try {
    resolveLimits(limits)
  } catch (error) {
    throw new UsageError((error as Error).message.replaceAll('limits.', '--limit '))
  }
  return limits
}

function parseUid(text: string): number {
  if (!/^\d{1,10}$/.test(text))
    throw new UsageError(
      `--trust takes the number of a user, as 1000 (id -u NAME tells it), not ${JSON.stringify(text)}`,
    )
  return Number(text)
}
