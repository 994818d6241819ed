// What the cases of addon.mjs are made of: connected sides, and what this process holds of them.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { workerData } from 'node:worker_threads'

/** The addon that is tested: a worker is told by who started it. */
export const addonPath = workerData?.addonPath ?? process.argv[2]
export const { Blob, Link, peerOf } = createRequire(import.meta.url)(addonPath)

export const ready = 0
export const data = 1
export const room = 2
export const end = 3
export const gone = 4
export const fault = 5

export const usual = {
  ringBytes: 4096,
  portable: 0,
  spinUs: 0,
  maxDescriptors: 4,
  maxBlobBytes: 1 << 20,
  maxMappedBytes: 4 << 20,
}
export const boundMs = 30_000

/** Waits for the condition, with a bound; each turn of the event loop looks again. */
export async function until(condition, what) {
  const last = Date.now() + boundMs
  while (!condition()) {
    if (Date.now() > last) throw new Error(`did not come about within ${boundMs} ms: ${what ?? condition}`)
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
}

export const descriptorOf = (socket) => socket._handle.fd

/** Two connected Unix sockets of this process. */
export async function socketPair() {
  const folder = mkdtempSync(join(tmpdir(), 'postern-addon-'))
  const server = createServer({ pauseOnConnect: true })
  server.listen(join(folder, 's'))
  await once(server, 'listening')
  const client = connect(join(folder, 's'))
  client.pause()
  const [[accepted]] = await Promise.all([once(server, 'connection'), once(client, 'connect')])
  server.close()
  rmSync(folder, { recursive: true })
  for (const socket of [client, accepted]) socket.on('error', () => undefined)
  return [accepted, client]
}

/** One side: its link, what it was told, and what came. */
export class Side {
  events = []
  chunks = []
  sentence
  #slab
  #at = 0

  constructor(socket, server, options, slabBytes = 10_000) {
    this.socket = socket
    this.#slab = new Uint8Array(slabBytes)
    this.link = new Link(descriptorOf(socket), { ...usual, ...options, server }, (event, value) => {
      this.told(event, value)
    })
    this.link.input(this.#slab)
    if (server === 1) this.link.resume()
  }

  told(event, value) {
    this.events.push(event)
    if (event === ready) this.link.resume()
    if (event === fault) this.sentence = value
    if (event !== data) return
    this.chunks.push(this.#slab.slice(this.#at, this.#at + value))
    this.#at += value
    if (this.#at < this.#slab.length) return
    this.#slab = new Uint8Array(this.#slab.length)
    this.#at = 0
    this.link.input(this.#slab)
  }

  saw(event) {
    return until(
      () => this.events.includes(event),
      `event ${event}; so far ${[...new Set(this.events)]} ${this.sentence ?? ''}`,
    )
  }

  get received() {
    return Buffer.concat(this.chunks)
  }

  async write(bytes) {
    for (let from = 0; ; ) {
      const seen = this.events.filter((event) => event === room).length
      from += this.link.write(bytes, from)
      if (from === bytes.length) return
      await until(() => this.events.filter((event) => event === room).length > seen, 'room')
    }
  }

  close() {
    this.link.close()
    this.socket.destroy()
  }
}

/** Runs a function with both sides of a connection, which are closed behind it. */
export async function withLinks(options, run) {
  const [accepted, client] = await socketPair()
  const sides = [new Side(accepted, 1, options), new Side(client, 0, options)]
  try {
    await sides[1].saw(ready)
    await run(...sides)
  } finally {
    for (const side of sides) side.close()
  }
}

export function someBytes(length) {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8)) & 255)
}

export function throwsCode(run, code) {
  assert.throws(run, (error) => error.code === code)
}

/** What of ours this process holds: descriptors, and mappings of its memory. */
export function held() {
  const maps = readFileSync('/proc/self/maps', 'utf8').split('\n')
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    mappings: maps.filter((line) => line.includes('postern') && line.includes('(deleted)')).length,
  }
}

/** Whether everything that was opened since is gone; objects are collected at last. */
export async function returnsTo(before) {
  await until(
    () => {
      globalThis.gc()
      const now = held()
      return now.descriptors <= before.descriptors && now.mappings <= before.mappings
    },
    `back to ${JSON.stringify(before)}`,
  )
}
