/**
 * Sockets that systemd passes to the service that it starts, as sd_listen_fds(3) describes: descriptors from 3 on,
 * `LISTEN_FDS` of them, for the process `LISTEN_PID`, with the names `LISTEN_FDNAMES`.
 */

import { type BigIntStats, fstatSync } from 'node:fs'
import { PosternError } from '../core/errors.ts'
import { fromNodeError, nodeErrorCode } from './node-error.ts'
import { kindOf } from './socket-file.ts'
import { type UnixSocketEntry, unixSocketEntry } from './unix-socket-table.ts'

const firstDescriptor = 3
/** No unit has so many; a larger number is a mistake. */
const maxPassedSockets = 1_000

const variables = ['LISTEN_PID', 'LISTEN_PIDFDID', 'LISTEN_FDS', 'LISTEN_FDNAMES'] as const

/** A listening Unix socket that was passed. */
export interface PassedSocket {
  readonly fd: number
  /** What it is bound to. */
  readonly path: string
}

let ofThisProcess: PassedSockets | undefined

/**
 * Gives out the passed socket of this name, or without a name the only one there is. The environment is read once and
 * then cleaned, so that no child takes the sockets for its own; each is given out once.
 *
 * `not_supported` when none was passed to this process; `bad_address` when the name is unknown or could mean several,
 * naming what there is, or when the descriptor is anything but a listening Unix socket with a path; `address_in_use`
 * when it was given out already.
 */
export function takePassedSocket(name: string): PassedSocket {
  ofThisProcess ??= new PassedSockets(process.env, process.pid)
  return ofThisProcess.take(name)
}

interface Descriptor {
  readonly fd: number
  readonly name: string | undefined
}

/** The sockets that one process was passed. */
export class PassedSockets {
  readonly #descriptors: readonly Descriptor[] | PosternError
  readonly #given = new Set<number>()

  /** Takes what is meant for this process out of its environment. */
  constructor(environment: NodeJS.ProcessEnv, pid: number) {
    this.#descriptors = descriptorsIn(environment, pid)
    for (const variable of variables) delete environment[variable]
  }

  take(name: string): PassedSocket {
    if (this.#descriptors instanceof Error) throw this.#descriptors
    const { fd } = choose(this.#descriptors, name)
    if (this.#given.has(fd)) {
      throw new PosternError('address_in_use', `this process listens at systemd:${name} already; serve it once`)
    }
    const path = boundPath(fd)
    this.#given.add(fd)
    return { fd, path }
  }
}

/** An error is kept for whoever asks later, when the environment says nothing any more. */
function descriptorsIn(environment: NodeJS.ProcessEnv, pid: number): readonly Descriptor[] | PosternError {
  const { LISTEN_FDS: count, LISTEN_PID: meant, LISTEN_FDNAMES: names } = environment
  if (count === undefined || meant === undefined) {
    return notActivated(
      'no socket was passed to this process; start it by its .socket unit, or listen at local: or unix:',
    )
  }
  if (meant !== String(pid)) {
    return notActivated(
      `sockets were passed to process ${meant}, not to this one, ${pid}; have the unit start this program itself, not by way of npm or a shell`,
    )
  }
  const number = /^[1-9]\d{0,3}$/.test(count) ? Number(count) : 0
  if (number < 1 || number > maxPassedSockets) {
    return notActivated(
      `LISTEN_FDS=${count} is no number of sockets, 1 to ${maxPassedSockets}; correct what starts this process`,
    )
  }
  const listed = names?.split(':')
  if (listed !== undefined && listed.length !== number) {
    return notActivated(
      `LISTEN_FDNAMES has ${listed.length} names for the ${number} sockets of LISTEN_FDS; correct what starts this process`,
    )
  }
  return Array.from({ length: number }, (_, index) => ({ fd: firstDescriptor + index, name: listed?.[index] }))
}

function notActivated(why: string): PosternError {
  return new PosternError('not_supported', `systemd: needs socket activation: ${why}`)
}

function choose(descriptors: readonly Descriptor[], name: string): Descriptor {
  const meant = name === '' ? descriptors : descriptors.filter((one) => one.name === name)
  const [first, second] = meant
  if (first !== undefined && second === undefined) return first
  const names = [...new Set(descriptors.flatMap((one) => one.name ?? []))]
  const there = names.length === 0 ? 'without names' : `named ${names.join(', ')}`
  const count = descriptors.length === 1 ? '1 socket' : `${descriptors.length} sockets`
  if (first === undefined)
    throw unclear(`systemd:${name}: ${count} ${there} passed, none of that name; correct the name`)
  if (name === '') throw unclear(`systemd: ${count} ${there} passed; say which, as in systemd:${names[0] ?? 'name'}`)
  throw unclear(
    `systemd:${name}: ${meant.length} sockets of that name passed; give each a FileDescriptorName= of its own`,
  )
}

function unclear(why: string): PosternError {
  return new PosternError('bad_address', why)
}

function boundPath(fd: number): string {
  const status = statusOf(fd)
  if (!status.isSocket()) throw unfit(fd, `${kindOf(status)}, not a socket; use ListenStream= with a path`)
  const entry = unixSocketEntry(status.ino)
  if (entry === undefined) {
    throw unfit(
      fd,
      'no Unix socket of this network namespace; use ListenStream= with a path, and no PrivateNetwork=yes in the .service unit',
    )
  }
  return pathOf(fd, entry)
}

function pathOf(fd: number, { path, type, listens }: UnixSocketEntry): string {
  if (type !== 'stream') throw unfit(fd, `a ${type} socket; use ListenStream=`)
  if (!listens) throw unfit(fd, 'a socket that does not listen; set Accept=no')
  if (path?.startsWith('/') === true) return path
  throw unfit(
    fd,
    `bound to ${path ?? 'nothing'}, which is no path: any user could connect to an abstract name; use ListenStream= with a path`,
  )
}

function statusOf(fd: number): BigIntStats {
  try {
    return fstatSync(fd, { bigint: true })
  } catch (error) {
    if (nodeErrorCode(error) === 'EBADF')
      throw unfit(fd, 'not open, whatever LISTEN_FDS says; correct what starts this process')
    throw fromNodeError(error, 'look at', `descriptor ${fd}`)
  }
}

function unfit(fd: number, what: string): PosternError {
  return new PosternError('bad_address', `descriptor ${fd}, passed for systemd:, is ${what}`)
}
