/** Whether somebody listens behind a socket file. */

import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fromNodeError, nodeErrorCode } from './node-error.ts'

/** Dead is for ever: no system call makes a socket file listen again once its owner has gone. */
export type Liveness = 'dead' | 'alive'

/**
 * On Linux a refused connection proves that nobody listens: a full backlog says EAGAIN. BSD kernels, macOS among
 * them, refuse then too, so elsewhere a socket is dead only when it goes on refusing.
 */
const refusals = process.platform === 'linux' ? 1 : 10
const refusalPauseMs = 50

/** Failures of ours, which say nothing about the other side. */
const ownFailures: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'])

/**
 * Connects once and hangs up. Only a refusal is death; whatever else the system says, also that nothing is there or
 * that we may not connect, counts as life, since what is dead may be removed. `busy` when this process has no
 * descriptor left to ask with.
 */
export async function probeSocket(path: string): Promise<Liveness> {
  for (let asked = 1; await refuses(path); asked++) {
    if (asked === refusals) return 'dead'
    await sleep(refusalPauseMs)
  }
  return 'alive'
}

function refuses(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path })
    socket.on('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.on('error', (error) => {
      const code = nodeErrorCode(error)
      if (code !== undefined && ownFailures.has(code)) reject(fromNodeError(error, 'probe', path))
      else resolve(code === 'ECONNREFUSED')
    })
  })
}
