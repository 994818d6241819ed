import { parseAddress } from '../core/address.ts'
import { isPosternError, PosternError } from '../core/errors.ts'
import { escapeText } from '../core/escape.ts'
import { cleanLocalSockets } from '../os/local-sockets.ts'
import { findLocalSocket } from '../os/runtime-dir.ts'
import { lookAt } from '../os/socket-file.ts'
import { removeDeadSocketName } from '../os/socket-name.ts'
import { resolveSocketPath } from '../os/socket-path.ts'
import { takeAddress } from './address-argument.ts'
import { Answers } from './answers.ts'
import { type Command, type CommandLine, commonOptions } from './command.ts'
import { UsageError } from './usage-error.ts'

const options = { ...commonOptions } as const

/** `postern clean`. */
export const command: Command = {
  name: 'clean',
  usage: 'clean [SOCKET...]',
  about: `Removes sockets behind which no server lives any more, and prints the path of each: those of all local: names, or the
given ones, each as local:NAME or a path. A live server keeps its socket, also one that starts at this moment. No server
needs this before it starts: it takes over a dead socket itself.`,
  options,
  examples: [
    ['postern clean', 'what killed servers left behind'],
    ['postern clean ./anvil.ipc', 'the socket of a killed node'],
  ],
  run,
}

async function run({ positionals }: CommandLine<typeof options>): Promise<void> {
  const given = positionals.map(readSocket)
  const { removed, failures } = given.length === 0 ? await cleanAll() : await cleanThese(given)
  const answers = new Answers(process.stdout)
  await answers.write(removed.map((path) => `${escapeText(path)}\n`).join(''))
  await answers.flush()
  const [first] = failures
  if (first === undefined) return
  if (failures.length === 1) throw first
  throw new PosternError(first.code, `${failures.length} sockets were left; of the first: ${first.sentence}`)
}

/** What was removed, and why the rest was not. */
interface Cleaned {
  readonly removed: readonly string[]
  readonly failures: readonly PosternError[]
}

async function cleanAll(): Promise<Cleaned> {
  const { removed, failed } = await cleanLocalSockets()
  return { removed: removed.map(({ path }) => path), failures: failed.map(({ error }) => error) }
}

interface GivenSocket {
  readonly scheme: 'local' | 'unix'
  readonly target: string
}

function readSocket(argument: string): GivenSocket {
  const { scheme, target } = parseAddress(takeAddress([argument], undefined).address)
  if (scheme === 'local' || scheme === 'unix') return { scheme, target }
  throw new UsageError(`clean takes sockets, as local:node or /run/node.sock, not ${JSON.stringify(argument)}`)
}

async function cleanThese(sockets: readonly GivenSocket[]): Promise<Cleaned> {
  const removed: string[] = []
  const failures: PosternError[] = []
  for (const { scheme, target } of sockets) {
    try {
      const path = scheme === 'local' ? await findLocalSocket(target) : resolveSocketPath(target)
      if (await removeDeadSocketName(path)) removed.push(path)
      else if ((await lookAt(path)) !== undefined) failures.push(aliveAt(path))
    } catch (error) {
      if (!isPosternError(error)) throw error
      // Nothing there is what was wanted.
      if (error.code !== 'no_listener') failures.push(error)
    }
  }
  return { removed, failures }
}

function aliveAt(path: string): PosternError {
  return new PosternError('address_in_use', `a live server owns ${path}, so it was left; stop the server first`)
}
