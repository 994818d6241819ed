import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { lstatSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { claimName } from '../../src/os/claim-chain.ts'
import { acquireSocketName, type SocketName } from '../../src/os/socket-name.ts'
import { leaveDeadSocket } from '../dead-socket.ts'
import type { Report } from './claim-worker.ts'
import { Contender } from './contenders.ts'

/** Steps of the longest takeover, by way of a dead claim, and one beyond: then the victim dies as the owner. */
const steps = 22

let contenders: Contender[] = []
let base = ''
let sequence = 0

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'postern-kill-'))
  contenders = [new Contender(), new Contender()]
})

afterAll(async () => {
  await Promise.all(contenders.map((contender) => contender.kill()))
  await rm(base, { recursive: true, force: true })
})

test.each([
  ['a stale name', { deadClaim: false, contended: false }],
  ['a stale name with two others after it', { deadClaim: false, contended: true }],
  ['a stale name whose claimant was killed', { deadClaim: true, contended: false }],
  ['a stale name whose claimant was killed, with two others after it', { deadClaim: true, contended: true }],
])('acquireSocketName survives SIGKILL before each of its steps: %s', { timeout: 60_000 }, async (name, scenario) => {
  const victim = new Contender()
  const rounds = Array.from({ length: steps }, (_, stopAt) => new KillRound(`${name} ${stopAt}`, stopAt))
  for (const round of rounds) await round.prepare(scenario.deadClaim)
  // The victim stands still at another step in each directory; then one signal ends all of its takeovers.
  const stopped = await Promise.all(rounds.map((round) => round.letVictimCome(victim)))
  const others = scenario.contended ? rounds.map((round) => round.letOthersCome(contenders)) : []
  await victim.kill()
  const survivors = await Promise.all(others)
  for (const [index, round] of rounds.entries()) {
    const owner = survivors[index]?.find((report) => report.is === 'owner')
    expect(await round.afterwards(owner), round.name).toEqual({ owner: owner?.is ?? 'next starter', left: [] })
  }
  const reached = new Set(stopped.flatMap((report) => (report.is === 'stopped' ? [report.step.split(' ')[0]] : [])))
  expect([...reached]).toEqual(
    expect.arrayContaining(['listen', 'listening', 'link', 'inode', 'probe', 'replace', 'remove', 'leave']),
  )
})

class KillRound {
  readonly name: string
  readonly #directory: string
  readonly #path: string
  readonly #stopAt: number

  constructor(name: string, stopAt: number) {
    this.name = name
    this.#stopAt = stopAt
    this.#directory = join(base, String(sequence++))
    this.#path = join(this.#directory, 's')
  }

  async prepare(deadClaim: boolean): Promise<void> {
    await mkdir(this.#directory, { mode: 0o700 })
    await leaveDeadSocket(this.#path)
    if (deadClaim) await leaveDeadSocket(join(this.#directory, claimName(BigInt(this.#inode()))))
  }

  letVictimCome(victim: Contender): Promise<Report> {
    return victim.order({ ...this.#order(), stopAt: this.#stopAt })
  }

  letOthersCome(others: readonly Contender[]): Promise<Report[]> {
    return Promise.all(others.map((other) => other.order(this.#order())))
  }

  /** Where somebody survived as owner, nobody takes the name from it; else the next who starts gets it. Then all is swept. */
  async afterwards(owner: Report | undefined): Promise<{ owner: string; left: string[] }> {
    let holder = 'next starter'
    if (owner?.is === 'owner') {
      expect(this.#inode()).toBe(owner.inode)
      await expect(this.#start()).rejects.toThrow('address_in_use')
      await Promise.all(contenders.map((contender) => contender.order({ do: 'close', round: this.name })))
      holder = 'owner'
    }
    const { server, name } = await this.#start()
    await name.release()
    server.close()
    return { owner: holder, left: await readdir(this.#directory) }
  }

  async #start(): Promise<{ server: Server; name: SocketName }> {
    const server = createServer()
    const listen = (path: string) => new Promise<void>((resolve) => server.listen(path, resolve))
    try {
      const name = await acquireSocketName(this.#path, listen, { leftoverAgeMs: 0 })
      expect(this.#inode()).toBe(String(name.inode))
      return { server, name }
    } catch (error) {
      server.close()
      throw error
    }
  }

  #order() {
    return { do: 'take', round: this.name, path: this.#path, recipe: 'chain', pauseMs: 3 } as const
  }

  #inode(): string {
    return String(lstatSync(this.#path, { bigint: true, throwIfNoEntry: false })?.ino)
  }
}
