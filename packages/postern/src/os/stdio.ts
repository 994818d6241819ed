/** The conversation that this process was started for: over the socket that it inherited, or over stdin and stdout. */

import { closeSync, createReadStream, createWriteStream, fstatSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { devNull } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { isatty, ReadStream, WriteStream } from 'node:tty'
import { PosternError } from '../core/errors.ts'
import { descriptorVariable } from './child-process.ts'
import { nodeErrorCode } from './node-error.ts'

/** Both directions of the conversation with who started this process. */
export interface StdioEnds {
  readonly input: Readable
  readonly output: Writable
}

let taken = false

/**
 * Gives out the one conversation there is. Over stdin and stdout, what the program prints from now on goes to stderr,
 * since it would stand in the midst of the conversation.
 *
 * `address_in_use` the second time, or when the program reads its stdin itself; `bad_address` where `POSTERN_FD` names
 * no socket.
 */
export function takeStdio(): StdioEnds {
  if (taken) throw new PosternError('address_in_use', 'this process talks over stdio: already; it is one connection')
  const ends = process.env[descriptorVariable] === undefined ? standardEnds() : inheritedSocket()
  taken = true
  return ends
}

/** The variable is taken out, so that no child takes the descriptor for its own. */
function inheritedSocket(): StdioEnds {
  const text = process.env[descriptorVariable] ?? ''
  delete process.env[descriptorVariable]
  if (!/^\d{1,6}$/.test(text) || !isSocket(Number(text))) {
    throw new PosternError(
      'bad_address',
      `${descriptorVariable}=${text} names no open socket; where this program is started by way of another one, such as npx, that one keeps the socket: start it with over: 'stdio', or without the other`,
    )
  }
  const socket = new Socket({ fd: Number(text), allowHalfOpen: true })
  return { input: socket, output: socket }
}

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket()
  } catch {
    return false
  }
}

function standardEnds(): StdioEnds {
  // Looked at first: Node then makes it, which it could not do any more when descriptor 1 is ours.
  const { stderr, stdout } = process
  const input = openInput()
  const output = openOutput()
  stdout.write = stderr.write.bind(stderr)
  return { input, output }
}

function openInput(): Readable {
  if (isatty(0)) return new ReadStream(0)
  if (!isPipe(0)) return createReadStream('', { fd: 0, autoClose: false })
  return openPipe(0)
}

function openOutput(): Writable {
  if (isatty(1)) return new WriteStream(1)
  if (!isPipe(1)) return createWriteStream('', { fd: 1, autoClose: false })
  return openPipe(1)
}

function isPipe(fd: number): boolean {
  const status = fstatSync(fd)
  return status.isFIFO() || status.isSocket()
}

function openPipe(fd: 0 | 1): Socket {
  try {
    const socket = new Socket({ fd, readable: fd === 0, writable: fd === 1 })
    return socket.on('close', () => giveBack(fd))
  } catch (error) {
    if (nodeErrorCode(error) !== 'EEXIST') throw error
    const name = fd === 0 ? 'stdin' : 'stdout'
    const sentence = `this program uses its ${name} itself, so nothing can be served there; leave process.${name} alone`
    throw new PosternError('address_in_use', sentence, { cause: error })
  }
}

/**
 * Node closes no descriptor below 3, and the other side would wait for its end. The number is taken again at once, by
 * nothing, so that no file that is opened later stands where programs print.
 */
function giveBack(fd: 0 | 1): void {
  closeSync(fd)
  openSync(devNull, 'r+')
}
