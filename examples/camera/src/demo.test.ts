import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isPosternError } from 'postern'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { frameBytes } from './contract.ts'
import { runDemo } from './demo.ts'
import { serveCamera } from './serve-camera.ts'
import { watch } from './watch.ts'

/** Far more than it takes: it starts two programs, on a machine that may be busy. */
const timeout = 120_000

let directory = ''
let oldTmpdir: string | undefined

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-example-'))
  oldTmpdir = process.env['TMPDIR']
  process.env['TMPDIR'] = directory
})

afterEach(async () => {
  if (oldTmpdir === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = oldTmpdir
  await rm(directory, { recursive: true, force: true })
})

/** Why there is no shared memory here, or undefined when there is. */
async function whyNot(): Promise<string | undefined> {
  try {
    await using _server = await serveCamera(`shm:${directory}/try`)
    return undefined
  } catch (error) {
    if (isPosternError(error, 'missing_dependency') || isPosternError(error, 'not_supported')) return error.message
    throw error
  }
}

test('frames come in order and whole, and their pixels not through the ring', { timeout }, async ({ skip }) => {
  const why = await whyNot()
  if (why !== undefined) skip(why)
  const address = `shm:${directory}/s`
  await using _server = await serveCamera(address)
  const { sequences, damaged, pixelBytes, ringBytes } = await watch(address, 30)
  expect(damaged).toBe(0)
  expect(sequences).toHaveLength(30)
  expect(sequences.toSorted((a, b) => a - b)).toEqual(sequences)
  expect(new Set(sequences).size).toBe(30)
  expect(pixelBytes).toBe(30 * frameBytes)
  expect(ringBytes).toBeLessThan(30 * 200)
})

test('runDemo shows it between two processes, and leaves nothing behind', { timeout }, async ({ skip }) => {
  const why = await whyNot()
  if (why !== undefined) skip(why)
  const said: string[] = []
  await runDemo((line) => said.push(line), 30)
  expect(said).toEqual([
    expect.stringMatching(/^30 frames in .* 0 damaged; 249 MB handed over, .* no pixel was copied$/),
  ])
  expect(readdirSync(directory).filter((name) => name.startsWith('postern-'))).toEqual([])
})
