import { userInfo } from 'node:os'
import { escapeText } from '../core/escape.ts'
import { Answers } from './answers.ts'
import { ping } from './built-in-methods.ts'
import { columns } from './columns.ts'
import { allowsNews, type Command, type CommandLine, commonOptions } from './command.ts'
import { withConnection } from './connection-options.ts'
import { formatJson } from './format-json.ts'
import { type AddressedSocket, localAddresses } from './local-addresses.ts'
import { say } from './terminal.ts'
import { UsageError } from './usage-error.ts'

const options = { ...commonOptions } as const

/** `postern ls`. */
export const command: Command = {
  name: 'ls',
  usage: 'ls',
  about: `Lists the sockets of this user that local: names stand for: whether a server is alive behind them or they are stale,
the owner, the mode, the process that listens, as the kernel says where @postern/native is there, and what the server
speaks, which it is asked by one rpc.ping. In a pipe each is a line of JSON.`,
  options,
  examples: [
    ['postern ls', 'which servers there are'],
    [`postern ls | jq -r 'select(.state == "alive").address'`, 'the addresses of those that live'],
  ],
  run,
}

async function run({ values, positionals }: CommandLine<typeof options>): Promise<void> {
  const [extra] = positionals
  if (extra !== undefined) throw new UsageError(`ls takes no arguments, so ${JSON.stringify(extra)} is too many`)
  const sockets = await localAddresses()
  const rows: Row[] = []
  for (let start = 0; start < sockets.length; start += askAtOnce) {
    const some = sockets.slice(start, start + askAtOnce)
    rows.push(...(await Promise.all(some.map(async (socket) => rowOf(socket, await asked(socket))))))
  }
  const answers = new Answers(process.stdout)
  if (process.stdout.isTTY !== true) await answers.write(rows.map((row) => `${formatJson(row)}\n`).join(''))
  else if (rows.length > 0) await answers.write(columns([titles, ...rows.map(cellsOf)], true))
  else if (allowsNews(values)) say('no socket stands for a local: name')
  await answers.flush()
}

/** Long for a server on the same machine; one that is stopped, or busy for longer, is shown with "?". */
const askMs = 1_000

/** Each holds a descriptor. */
const askAtOnce = 16

type Protocol = 'Postern' | 'JSON-RPC'

/** What the kernel tells of a server, and it of itself. */
interface Asked {
  pid: number | undefined
  protocol: Protocol | undefined
}

async function asked({ address, alive }: AddressedSocket): Promise<Asked> {
  const answer: Asked = { pid: undefined, protocol: undefined }
  if (!alive) return answer
  try {
    await withConnection(address, { timeout: `${askMs}ms`, json: true }, async (connection) => {
      answer.pid = connection.peer.pid
      answer.protocol = (await ping(connection)).postern ? 'Postern' : 'JSON-RPC'
    })
  } catch {
    // It does not answer; the kernel may have.
  }
  return answer
}

interface Row {
  readonly address: string
  readonly path: string
  readonly state: 'alive' | 'stale'
  readonly uid: number
  readonly mode: string
  /** Of the process that made the socket listen. */
  readonly pid: number | null
  readonly protocol: Protocol | null
}

function rowOf({ address, path, alive, uid, mode }: AddressedSocket, { pid, protocol }: Asked): Row {
  const state = alive ? 'alive' : 'stale'
  return {
    address,
    path,
    state,
    uid,
    mode: mode.toString(8).padStart(4, '0'),
    pid: pid ?? null,
    protocol: protocol ?? null,
  }
}

const titles = ['ADDRESS', 'STATE', 'OWNER', 'MODE', 'PID', 'PROTOCOL']

function cellsOf({ address, state, uid, mode, pid, protocol }: Row): string[] {
  return [
    escapeText(address),
    state,
    ownerName(uid),
    mode,
    String(pid ?? ''),
    protocol ?? (state === 'alive' ? '?' : ''),
  ]
}

/** The name of the user whom everybody here knows. */
function ownerName(uid: number): string {
  try {
    const own = userInfo()
    return own.uid === uid ? own.username : String(uid)
  } catch {
    return String(uid)
  }
}
