import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { connect } from '../../src/app/connect.ts'
import { resolveLimits } from '../../src/core/limits.ts'
import { until } from '../../src/testing/until.ts'
import { connectSharedMemory } from '../../src/transports/shared-memory.ts'
import { OrderedChild } from '../faults/ordered-child.ts'
import type { VictimOrder, VictimState } from '../programs/shm-victim.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { compiler, type Finished, nativePath, runToEnd, whyNoAddon, whyNoCompiler } from './native-program.ts'

/** How long each enemy has; `npm run test:hostile` gives more. */
const { POSTERN_HOSTILE_SECONDS: given } = process.env
const seconds = Number(given ?? 2)
const timeout = 30_000 + seconds * 2_000

/** No answer to a client that keeps to the rules takes longer, whatever others do. */
const answerMs = 1_000

const why = whyNoAddon() ?? whyNoCompiler()

class Victim {
  readonly #child = new OrderedChild('shm-victim')

  order(order: VictimOrder): Promise<unknown> {
    return this.#child.order(order)
  }

  async state(): Promise<VictimState> {
    return (await this.order({ do: 'tell' })) as VictimState
  }
}

async function buildEnemy(): Promise<string> {
  const program = `${await temporaryDirectory()}/hostile-peer`
  const source = fileURLToPath(new URL('hostile-peer.c', import.meta.url))
  const args = [
    '-std=c11',
    '-O1',
    '-pthread',
    '-Wall',
    '-Wextra',
    '-Werror',
    `-I${nativePath('src')}`,
    '-o',
    program,
    source,
  ]
  const { status, stderr } = spawnSync(compiler, args, { encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  return program
}

/** What holds of the victim when all enemies have gone, compared with how it was before they came. */
async function expectUnharmed(victim: Victim, before: VictimState, enemy: Finished): Promise<void> {
  let state = await victim.state()
  const end = performance.now() + 5_000
  while (
    performance.now() < end &&
    (state.descriptors.length > before.descriptors.length || state.mappings > before.mappings)
  )
    state = await victim.state()
  if (given !== undefined) process.stdout.write(`${enemy.output.trim()}\n${JSON.stringify(state, undefined, 2)}\n`)
  expect(enemy.status, enemy.output).toBe(0)
  expect(state.foreign).toEqual([])
  expect(state.descriptors.length, state.descriptors.join('\n')).toBeLessThanOrEqual(before.descriptors.length)
  expect(state.mappings).toBeLessThanOrEqual(before.mappings)
  expect(state.rssMb).toBeLessThan(before.rssMb + 100)
  expect(state.slowestTurnMs).toBeLessThan(answerMs)
}

/** Runs a function over and over until the promise settles. */
async function during<T>(promise: Promise<T>, run: () => Promise<void>): Promise<T> {
  let over = false
  const settled = promise.finally(() => {
    over = true
  })
  while (!over) await run()
  return await settled
}

async function attackStreams({ portable }: { readonly portable: boolean }): Promise<void> {
  const enemy = await buildEnemy()
  const path = `${await temporaryDirectory()}/s`
  const victim = new Victim()
  await victim.order({ do: 'listen', path, portable })
  const stream = await connectSharedMemory(path, { limits: resolveLimits() })
  onTestFinished(() => stream.abort())
  let received = 0
  let closed: unknown
  stream.start({
    data: (chunk) => {
      received += chunk.length
    },
    drain: () => undefined,
    end: () => undefined,
    close: (reason) => {
      closed = reason ?? 'closed'
    },
  })
  const bytes = new Uint8Array(20_000)
  const echo = async (): Promise<void> => {
    received = 0
    stream.write(bytes)
    await until(() => received === bytes.length || closed !== undefined, answerMs)
    expect(closed).toBeUndefined()
  }
  await echo()
  const before = await victim.state()
  const finished = await during(runToEnd(enemy, ['client', path, String(seconds), '1']), echo)
  await expectUnharmed(victim, before, finished)
}

test('a stream server with hostile clients goes on with the others', { timeout }, async ({ skip }) => {
  if (why !== undefined) skip(why)
  await attackStreams({ portable: false })
})

test('so does one whose memory they can take away', { timeout }, async ({ skip }) => {
  if (why !== undefined) skip(why)
  await attackStreams({ portable: true })
})

test('a service with hostile clients answers the others', { timeout }, async ({ skip }) => {
  if (why !== undefined) skip(why)
  const enemy = await buildEnemy()
  const path = `${await temporaryDirectory()}/s`
  const victim = new Victim()
  await victim.order({ do: 'serve', path })
  const connection = await connect(`shm:${path}`)
  onTestFinished(() => connection.close())
  const text = 'x'.repeat(20_000)
  const call = async (): Promise<void> => {
    const answer = await connection.call('echo', [text], { timeoutMs: answerMs })
    expect(answer === text).toBe(true)
  }
  await call()
  // What is loaded when first needed is loaded now: that opens descriptors too.
  const packed = await connect(`shm:${path}?codec=msgpack`)
  await packed.call('echo', [1])
  await packed.close()
  const before = await victim.state()
  const finished = await during(runToEnd(enemy, ['client', path, String(seconds), '2']), call)
  await expectUnharmed(victim, before, finished)
})

test('a client of hostile servers goes on', { timeout }, async ({ skip }) => {
  if (why !== undefined) skip(why)
  const enemy = await buildEnemy()
  const path = `${await temporaryDirectory()}/s`
  const victim = new Victim()
  await victim.order({ do: 'visit', path, seconds: 0.2 })
  const before = await victim.state()
  const running = runToEnd(enemy, ['server', path, String(seconds), '3'])
  await victim.order({ do: 'visit', path, seconds })
  await expectUnharmed(victim, before, await running)
})
