/**
 * One of the processes that contend for a socket name. It takes orders as lines of JSON on stdin and reports on stdout;
 * several rounds, each with its own path, run in it at once.
 */

import { lstatSync } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { claimPrefix } from '../../src/os/socket-place.ts'
import { acquireSocketName, removeDeadSocketName } from '../../src/os/socket-name.ts'

/** What a worker is told to do in a round. */
export type Order =
  | {
      /** Serve at the name, or remove it if it is dead. */
      readonly do: 'take' | 'clean'
      readonly round: string
      readonly path: string
      /** `naive`: probe, unlink (and listen), as most programs do; it must be seen to fail. */
      readonly recipe: 'chain' | 'naive'
      /** Longest random pause before each step. */
      readonly pauseMs: number
      /** Stand still for ever before this step, counted from 0, and report that. */
      readonly stopAt?: number
    }
  | { readonly do: 'close'; readonly round: string }

/** What a worker says of a round. */
export type Report =
  | { readonly is: 'owner'; readonly round: string; readonly inode: string; readonly claims: Claims }
  | { readonly is: 'cleaned'; readonly round: string; readonly removed: boolean; readonly claims: Claims }
  | { readonly is: 'refused'; readonly round: string; readonly message: string; readonly claims: Claims }
  | { readonly is: 'stopped'; readonly round: string; readonly step: string }
  | { readonly is: 'closed'; readonly round: string }

/** How a worker came across claims: whether it tried to make one, and whether it met one that was held. */
export interface Claims {
  readonly tried: boolean
  readonly met: boolean
}

interface Round {
  readonly server: Server
  readonly release: () => Promise<void>
}

const rounds = new Map<string, Round>()

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const order = JSON.parse(line) as Order
    void (order.do === 'close' ? close(order.round) : contend(order))
  })
  .on('close', () => process.exit())

type Contest = Exclude<Order, { do: 'close' }>

async function contend(order: Contest): Promise<void> {
  const { round } = order
  const claims = { tried: false, met: false }
  const attempt = { path: order.path, pause: pausing(order, claims) }
  const does = order.do === 'take' ? take : clean
  try {
    report({ ...(await does(attempt, order)), claims })
  } catch (error) {
    report({ is: 'refused', round, message: String(error), claims })
  }
}

function pausing(order: Contest, claims: { tried: boolean; met: boolean }): Attempt['pause'] {
  let steps = 0
  return async (step, name) => {
    if (steps++ === order.stopAt) {
      report({ is: 'stopped', round: order.round, step: `${step} ${name}` })
      await new Promise(() => undefined)
    }
    if (name.startsWith(claimPrefix)) {
      if (step === 'link') claims.tried = true
      if (step === 'occupied') claims.met = true
    }
    const pauseMs = Math.random() * order.pauseMs
    if (pauseMs >= 0.5) await sleep(pauseMs)
  }
}

async function take(attempt: Attempt, { recipe, round }: Contest) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.end(String(process.pid))
  })
  try {
    const { inode, release } = await (recipe === 'chain' ? takeByChain : takeNaively)(attempt, server)
    rounds.set(round, { server, release })
    return { is: 'owner', round, inode } as const
  } catch (error) {
    server.close()
    throw error
  }
}

async function clean({ path, pause }: Attempt, { recipe, round }: Contest) {
  const removed = await (recipe === 'chain' ? removeDeadSocketName(path, { pause }) : cleanNaively({ path, pause }))
  return { is: 'cleaned', round, removed } as const
}

interface Attempt {
  readonly path: string
  readonly pause: (step: string, name: string) => Promise<void>
}

interface Taken {
  readonly inode: string
  readonly release: () => Promise<void>
}

async function takeByChain({ path, pause }: Attempt, server: Server): Promise<Taken> {
  const listenAt = async (temporaryPath: string): Promise<void> => {
    await pause('listen', '')
    await listen(server, temporaryPath)
    await pause('listening', '')
  }
  const name = await acquireSocketName(path, listenAt, { pause })
  return { inode: String(name.inode), release: () => name.release() }
}

async function takeNaively({ path, pause }: Attempt, server: Server): Promise<Taken> {
  await pause('probe', path)
  if (await answers(path)) throw new Error('[address_in_use] in use')
  await pause('unlink', path)
  await unlink(path).catch(() => undefined)
  await pause('listen', path)
  await listen(server, path)
  return { inode: String(lstatSync(path, { bigint: true }).ino), release: () => Promise.resolve() }
}

async function cleanNaively({ path, pause }: Attempt): Promise<boolean> {
  await pause('probe', path)
  if (await answers(path)) return false
  await pause('remove', path)
  return await unlink(path).then(
    () => true,
    () => false,
  )
}

async function close(round: string): Promise<void> {
  const held = rounds.get(round)
  rounds.delete(round)
  await held?.release()
  held?.server.close()
  report({ is: 'closed', round })
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
}

function report(line: Report): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
