import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type PlaceOptions, type Server, serve } from '../app/serve.ts'
import { isPosternError } from '../core/errors.ts'
import { type Contract, isContract } from '../service/contract.ts'
import type { Handlers, HandlersOf } from '../service/handlers.ts'
import type { Members } from '../service/members.ts'
import { toAddress } from './address-argument.ts'
import { allowsNews, type Command, type CommandLine, commonOptions } from './command.ts'
import { parseLimits } from './connection-options.ts'
import { frameLog } from './frame-log.ts'
import { say } from './terminal.ts'
import { UsageError } from './usage-error.ts'

const options = {
  at: {
    type: 'string',
    multiple: true,
    value: 'ADDRESS',
    help: 'serve here; may stand several times; default: what the module exports as at',
  },
  admin: {
    type: 'string',
    multiple: true,
    value: 'ADDRESS',
    help: 'serve here too, with access to what is for admins, as postern stop needs',
  },
  limit: {
    type: 'string',
    multiple: true,
    value: 'NAME=NUMBER',
    help: 'change a limit of the library, as maxCallBytes=64000000',
  },
  verbose: { type: 'boolean', short: 'v', help: 'show each frame on stderr: <-- received, --> sent' },
  ...commonOptions,
} as const

/** `postern serve`. */
export const command: Command = {
  name: 'serve',
  usage: 'serve MODULE [--at ADDRESS]...',
  about: `Serves what an ES module exports: contract and handlers, or handlers alone, and optionally at, as serve() takes it:
an address or several. Prints where to stderr. On SIGTERM or Ctrl-C it gives its names back, lets the calls that run
finish and then ends by that signal.`,
  options,
  examples: [
    ['postern serve ./clock.js --at local:clock', 'in the runtime directory of this user'],
    ['postern serve ./clock.js --at /tmp/clock.sock --at local:clock', 'at two addresses'],
    ['postern serve ./clock.js --at local:clock --admin local:clock-admin', 'postern stop local:clock-admin ends it'],
  ],
  run,
}

async function run({ values, positionals }: CommandLine<typeof options>): Promise<void> {
  const [path, extra] = positionals
  if (path === undefined || path === '')
    throw new UsageError('serve needs a MODULE, as ./service.js; see postern serve --help')
  if (extra !== undefined)
    throw new UsageError(`serve takes one MODULE, so ${JSON.stringify(extra)} is too many; an address follows --at`)
  const limits = parseLimits(values.limit)
  const service = readService(await importModule(path), path)
  const at = [...(values.at ?? service.at).map(toPlace), ...(values.admin ?? []).map(toAdminPlace)]
  if (at.length === 0) throw new UsageError('say where to serve: --at local:NAME, or export at from the module')
  if (values.quiet === true && values.verbose === true) throw new UsageError('--quiet and --verbose exclude each other')
  const tap = values.verbose === true ? { tap: frameLog((line) => process.stderr.write(line)) } : {}
  const server = await open(service, { at, limits, ...tap })
  if (allowsNews(values)) for (const address of server.addresses) say(`serving at ${address}`)
}

type Place = string | PlaceOptions

/** With what the user may write for an address. What is no address at all is for `serve` to refuse. */
function toPlace(place: Place): Place {
  if (typeof place === 'string') return toAddress(place)
  return typeof place?.address === 'string' ? { ...place, address: toAddress(place.address) } : place
}

function toAdminPlace(address: string): Place {
  return { address: toAddress(address), access: ['admin'] }
}

interface Service {
  readonly contract: Contract | undefined
  readonly handlers: Handlers & HandlersOf<Members>
  readonly at: readonly Place[]
}

type Exports = Readonly<Record<string, unknown>>

async function importModule(path: string): Promise<Exports> {
  const absolute = resolve(path)
  const status = await stat(absolute).catch((error: Error) => {
    throw new UsageError(`cannot serve ${path}: ${error.message}`)
  })
  if (!status.isFile()) throw new UsageError(`cannot serve ${path}: it is not a file`)
  try {
    return (await import(pathToFileURL(absolute).href)) as Exports
  } catch (error) {
    throw new UsageError(`cannot serve ${path}: importing it failed: ${describeImportError(error, path)}`)
  }
}

/** What the module threw, on one line with its place: the fault is in the user's code, where the user looks for it. */
function describeImportError(error: unknown, path: string): string {
  if (!(error instanceof Error)) return `it threw ${String(error)}`
  if ('code' in error && error.code === 'ERR_UNKNOWN_FILE_EXTENSION') {
    return `${error.message}; compile it to JavaScript, or for TypeScript set NODE_OPTIONS="--import tsx"`
  }
  // Its stack tells of the loader, not of the line.
  if (error instanceof SyntaxError) return `SyntaxError: ${error.message}; node --check ${path} shows where`
  const place = /\n\s+at (.*)/.exec(error.stack ?? '')?.[1]
  return `${error.name}: ${error.message}${place === undefined ? '' : ` (at ${place})`}`
}

function readService(exports: Exports, path: string): Service {
  const { contract, handlers } = exports
  const names = Object.keys(exports)
  const found = names.length === 0 ? 'exports nothing' : `exports ${names.join(', ')}`
  if (typeof handlers !== 'object' || handlers === null) {
    throw new UsageError(`cannot serve ${path}: it must export handlers, an object of functions by method; it ${found}`)
  }
  if (contract !== undefined && !isContract(contract)) {
    throw new UsageError(`cannot serve ${path}: its export contract must be made with contract()`)
  }
  const at = [exports['at'] ?? []].flat() as Place[]
  return { contract, handlers: handlers as Service['handlers'], at }
}

async function open({ contract, handlers }: Service, options: Parameters<typeof serve>[1]): Promise<Server> {
  try {
    return contract === undefined ? await serve(handlers, options) : await serve(contract, handlers, options)
  } catch (error) {
    // Wrong use of the library is wrong use by the module.
    if (error instanceof TypeError && !isPosternError(error)) throw new UsageError(error.message)
    throw error
  }
}
