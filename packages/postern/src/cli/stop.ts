import type { Connection } from '../app/connection.ts'
import { isPosternError, PosternError } from '../core/errors.ts'
import { takeSoleAddress } from './address-argument.ts'
import { type Command, type CommandLine, commonOptions } from './command.ts'
import { connectionOptions, timeoutOf, withConnection } from './connection-options.ts'

const options = { ...connectionOptions, ...commonOptions } as const

/** `postern stop`. */
export const command: Command = {
  name: 'stop',
  usage: 'stop ADDRESS',
  about: `Stops a server in order, by rpc.stop, and ends when it has ended the connection: it takes no more calls and lets
those that run finish. Prints nothing. Only an address that lists access "admin" offers this.`,
  options,
  examples: [
    ['postern stop local:node-admin', 'at the admin address of a server'],
    ['postern stop local:node-admin --timeout 2m', 'when its calls take long'],
  ],
  run,
}

async function run({ values, positionals }: CommandLine<typeof options>): Promise<void> {
  const address = takeSoleAddress(positionals, process.env['POSTERN_ADDRESS'], 'stop')
  const timeoutMs = timeoutOf(values)
  await withConnection(address, values, async (connection) => {
    await askToStop(connection, address)
    await ended(connection, address, timeoutMs)
  })
}

async function askToStop(connection: Connection, address: string): Promise<void> {
  try {
    await connection.call('rpc.stop')
  } catch (error) {
    if (!isPosternError(error, 'unknown_method')) throw error
    const sentence = `${address} does not offer rpc.stop; use the admin address of that server, one that lists access "admin"`
    throw new PosternError('unknown_method', sentence, { cause: error })
  }
}

async function ended(connection: Connection, address: string, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const sentence = `${address} agreed to stop, but holds the connection after ${timeoutMs} ms; calls may still run there`
    timer = setTimeout(() => reject(new PosternError('deadline_exceeded', sentence)), timeoutMs)
  })
  try {
    await Promise.race([connection.closed, late])
  } finally {
    clearTimeout(timer)
  }
}
