// Runs the addon as a program of its own, for sanitizers and for other versions of Node: everything that JavaScript can do
// to it, right and wrong. Prints each case; exits with 0 when all hold.
//
//   node --expose-gc test/addon.mjs PATH/postern.node

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { refusesWrongArguments, refusesWrongReceivers } from './addon-misuse.mjs'
import {
  addonPath,
  Blob,
  data,
  descriptorOf,
  end,
  fault,
  gone,
  held,
  peerOf,
  ready,
  returnsTo,
  room,
  Side,
  socketPair,
  someBytes,
  throwsCode,
  until,
  usual,
  withLinks,
} from './addon-sides.mjs'

const [, here, , role, place] = process.argv

async function collectsAll(run) {
  await run()
  const before = held()
  for (let count = 0; count < 4; count++) await run()
  await returnsTo(before)
}

async function echoes(options) {
  await withLinks(options, async (server, client) => {
    const bytes = someBytes(300_000)
    await Promise.all([server.write(bytes), client.write(bytes)])
    for (const side of [server, client]) side.link.end()
    for (const side of [server, client]) {
      await side.saw(end)
      assert.deepEqual(side.received, Buffer.from(bytes))
      assert.equal(side.link.unread(), 0)
    }
    server.close()
    await client.saw(gone)
  })
}

async function sendsText() {
  await withLinks({ ringBytes: 8192 }, async (server, client) => {
    let expected = ''
    for (const text of ['', 'a', 'ä€😀', '\ud800', 'x'.repeat(4000), 'y'.repeat(5000), '€'.repeat(1365)]) {
      const written = client.link.writeText(text)
      assert.equal(written, text.length > 4500 || text.length === 1365 ? 0 : Buffer.byteLength(text))
      if (written > 0) expected += text
      await until(() => client.link.unread() === 0, 'taken')
    }
    await until(() => server.received.equals(Buffer.from(expected)), 'text')
  })
}

async function pauses() {
  await withLinks({ spinUs: 50 }, async (server, client) => {
    server.link.pause()
    assert.equal(client.link.write(someBytes(5000), 0), 4096)
    assert.equal(client.link.write(someBytes(1), 0), 0)
    assert.equal(client.link.unread(), 4096)
    assert.deepEqual(server.chunks, [])
    server.link.resume()
    await client.saw(room)
    await until(() => server.received.length === 4096, 'all')
  })
}

async function handsOverBlobs() {
  await withLinks({}, async (server, client) => {
    const blob = new Blob(100_000)
    assert.equal(blob.bytes.length, 100_000)
    blob.bytes.set(someBytes(100_000))
    client.link.sendBlob(blob, 7)
    assert.equal(blob.bytes.length, 0)
    assert.throws(() => client.link.sendBlob(blob, 8), TypeError)
    const came = server.link.takeBlob(7)
    assert.deepEqual(came, someBytes(100_000))
    came[0] = 99
    throwsCode(() => server.link.takeBlob(7), 'bad_frame')
    throwsCode(() => server.link.takeBlob(1), 'bad_frame')
    // What nobody takes is closed with the link.
    for (let id = 0; id < 4; id++) server.link.sendBlob(new Blob(1), id)
  })
}

async function boundsBlobs() {
  const limited = (message) => (error) => error.code === 'limit_exceeded' && error.message === message
  await withLinks({}, async (server, client) => {
    client.link.sendBlob(new Blob((1 << 20) + 1), 1)
    client.link.sendBlob(new Blob(1 << 20), 2)
    assert.throws(() => server.link.takeBlob(1), limited('maxBlobBytes'))
    assert.equal(server.link.takeBlob(2).length, 1 << 20)
  })
  // What nobody has asked for is given up, the oldest first.
  await withLinks({}, async (server, client) => {
    const before = readdirSync('/proc/self/fd').length
    for (let id = 0; id < 10; id++) client.link.sendBlob(new Blob(1), id)
    assert.equal(server.link.takeBlob(9).length, 1)
    assert.ok(readdirSync('/proc/self/fd').length <= before + usual.maxDescriptors)
    throwsCode(() => server.link.takeBlob(5), 'bad_frame')
    for (const id of [7, 8, 6]) assert.equal(server.link.takeBlob(id).length, 1)
  })
  await withLinks({ maxMappedBytes: 6000 }, async (server, client) => {
    client.link.sendBlob(new Blob(4000), 1)
    client.link.sendBlob(new Blob(4000), 2)
    const first = server.link.takeBlob(1)
    assert.throws(() => server.link.takeBlob(2), limited('maxMappedBytes'))
    assert.equal(first.length, 4000)
  })
  await withLinks({}, async (server, client) => {
    client.link.sendBlob(new Blob(1), 1)
    client.link.sendBlob(new Blob(1), 1)
    throwsCode(() => server.link.takeBlob(2), 'bad_frame')
  })
}

async function doesNothingOnceClosed() {
  await withLinks({}, async (server, client) => {
    client.close()
    client.close()
    const { link } = client
    assert.equal(link.write(new Uint8Array(1), 0), 0)
    assert.equal(link.writeText('x'), 0)
    assert.equal(link.unread(), 0)
    for (const call of [() => link.resume(), () => link.pause(), () => link.end(), () => link.input(new Uint8Array(1))])
      call()
    throwsCode(() => link.sendBlob(new Blob(1), 1), 'closed')
    throwsCode(() => link.takeBlob(1), 'closed')
    await server.saw(gone)
  })
}

/** Callbacks that close, throw nothing and go on: nothing of the link may be used behind it. */
async function closesWithinACallback() {
  for (const wanted of [ready, data, end, gone]) {
    const [accepted, client] = await socketPair()
    const server = new Side(accepted, 1, {})
    const side = new Side(client, 0, {})
    const told = side.told.bind(side)
    side.told = (event, value) => {
      told(event, value)
      if (event === wanted) side.link.close()
    }
    server.link.write(someBytes(4000), 0)
    server.link.end()
    await side.saw(wanted === gone ? end : wanted)
    server.close()
    await side.saw(wanted)
    for (const one of [server, side]) one.close()
  }
}

/** Two links over one socket take each other's words; neither may do more than fail. */
async function sharesNoSocket() {
  const [accepted, client] = await socketPair()
  const sides = [new Side(accepted, 1, {}), new Side(accepted, 1, {}), new Side(client, 0, {}), new Side(client, 0, {})]
  await until(() => sides.slice(2).some(({ events }) => events.includes(ready) || events.includes(fault)), 'either')
  for (const side of sides) side.close()
}

function needsASocket() {
  const file = openSync(here)
  throwsCode(() => peerOf(file), 'ENOTSOCK')
  closeSync(file)
}

async function readsThePeer() {
  const [accepted, client] = await socketPair()
  for (const socket of [accepted, client]) {
    const peer = peerOf(descriptorOf(socket))
    assert.equal(peer.uid, process.getuid())
    assert.equal(peer.gid, process.getgid())
    assert.equal(peer.pid, process.pid)
    assert.deepEqual(
      [...peer.groups].sort(),
      process
        .getgroups()
        .filter((group) => peer.groups.includes(group))
        .sort(),
    )
    assert.equal(peer.alive, true)
    socket.destroy()
  }
}

/** Blobs that nobody gave away, and links that were closed. */
async function abandons() {
  for (let count = 0; count < 20; count++) new Blob(1 << 20).bytes[count] = 1
  const kept = new Blob(10).bytes
  const [accepted, client] = await socketPair()
  for (const side of [new Side(accepted, 1, {}), new Side(client, 0, { portable: 1 })]) side.close()
  assert.equal(kept.length, 10)
}

/** Everything open that can be: what a worker or a process ends with. */
async function openMuch() {
  const [accepted, client] = await socketPair()
  const server = new Side(accepted, 1, { spinUs: 1000 })
  const side = new Side(client, 0, {})
  await side.saw(ready)
  side.link.sendBlob(new Blob(1000), 1)
  side.link.sendBlob(new Blob(1000), 2)
  return [server.link.takeBlob(1), new Blob(5000), side, server, server.link.write(someBytes(9000), 0)]
}

async function endsWithWorkers() {
  const before = held()
  for (const how of ['exit', 'terminate', 'exit', 'terminate']) {
    const worker = new Worker(new URL(import.meta.url), { workerData: { addonPath, how } })
    // A worker's last message and its exit are told in one go: both have to be awaited from the start.
    const [exited, said] = [once(worker, 'exit'), once(worker, 'message')]
    await said
    if (how === 'terminate') void worker.terminate()
    await exited
  }
  await returnsTo(before)
}

function startPeer(what, at) {
  const child = spawn(process.execPath, ['--expose-gc', fileURLToPath(import.meta.url), addonPath, what, at], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return once(child, 'exit')
}

async function spansProcesses() {
  for (const what of ['echo', 'sip', 'leave', 'killed']) {
    const folder = mkdtempSync(join(tmpdir(), 'postern-addon-'))
    const server = createServer({ pauseOnConnect: true }).listen(join(folder, 's'))
    await once(server, 'listening')
    const exited = startPeer(what, join(folder, 's'))
    const [accepted] = await once(server, 'connection')
    accepted.on('error', () => undefined)
    const side = new Side(accepted, 1, {})
    const bytes = someBytes(200_000)
    if (what === 'echo') {
      await side.write(bytes)
      await until(() => side.received.length >= bytes.length, 'the echo')
      assert.deepEqual(side.received, Buffer.from(bytes))
      side.link.end()
      await side.saw(end)
    } else if (what === 'sip') {
      // Room comes in small pieces while a write is still at it.
      await side.write(new Uint8Array(sipped))
      side.link.end()
      await side.saw(end)
    } else await side.saw(gone)
    const [status, signal] = await exited
    assert.deepEqual([status, signal], what === 'killed' ? [null, 'SIGKILL'] : [0, null])
    side.close()
    server.close()
    rmSync(folder, { recursive: true })
  }
}

const sipped = 2_000_000

/** Takes a few bytes at a time. */
async function sip(socket) {
  const side = new Side(socket, 0, {}, 256)
  await side.saw(end)
  assert.equal(side.received.length, sipped)
  side.link.end()
  side.close()
}

/** The other process of `spansProcesses`. */
async function bePeer() {
  const socket = connect(place).pause()
  await once(socket, 'connect')
  if (role === 'sip') {
    await sip(socket)
    return
  }
  const side = new Side(socket, 0, {})
  if (role === 'echo') {
    await side.saw(ready)
    let sent = 0
    while (!side.events.includes(end)) {
      const all = side.received
      if (all.length > sent) await side.write(all.subarray(sent))
      sent = all.length
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    }
    side.link.end()
    side.close()
    return
  }
  await side.saw(ready)
  side.link.sendBlob(new Blob(1000), 1)
  await openMuch()
  side.link.writeText('the last words')
  if (role === 'killed') process.kill(process.pid, 'SIGKILL')
  process.exit(0)
}

const cases = [
  readsThePeer,
  needsASocket,
  () => echoes({}),
  () => echoes({ portable: 1 }),
  () => echoes({ spinUs: 200, ringBytes: 65_536 }),
  sendsText,
  pauses,
  handsOverBlobs,
  boundsBlobs,
  refusesWrongArguments,
  refusesWrongReceivers,
  doesNothingOnceClosed,
  closesWithinACallback,
  sharesNoSocket,
  () => collectsAll(() => echoes({})),
  () => collectsAll(handsOverBlobs),
  () => collectsAll(abandons),
  endsWithWorkers,
  spansProcesses,
]

if (!isMainThread) {
  const open = await openMuch()
  parentPort.postMessage(open.length)
  if (workerData.how === 'exit') process.exit()
} else if (role !== undefined) await bePeer()
else {
  for (const run of cases) {
    process.stdout.write(`${run.name || String(run).replace('() => ', '')}\n`)
    await run()
  }
  process.stdout.write(`all hold on Node ${process.versions.node}\n`)
}
