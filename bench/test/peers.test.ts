import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { loadPeer, loadPeers } from '../src/peers/all-peers.ts'
import { type PeerClient, payload } from '../src/peers/peer.ts'
import { traceJson } from '../src/trace-json.ts'

const callers = await loadPeers('small-calls')
const tracers = await loadPeers('peer-answers')

describe.each([...callers.keys()])('peer %s', (key) => {
  test('answers a call with what was sent', async () => {
    const client = await open(key)
    expect(await client.call('echo', payload)).toEqual(payload)
    expect(await client.call('echo', payload)).toEqual(payload)
  })
})

const concurrent = [...callers].filter(([, { sequential }]) => sequential !== true)
describe.each(concurrent.map(([key]) => key))('peer %s', (key) => {
  test('gives each of 64 calls in flight its own answer', async () => {
    const client = await open(key)
    const sent = Array.from({ length: 64 }, (_, index) => ({ text: `call ${index}` }))
    expect(await Promise.all(sent.map((each) => client.call('echo', each)))).toEqual(sent)
  })
})

describe.each([...tracers.keys()])('peer %s', (key) => {
  test('answers with a large value, more than 4 MB of JSON, whole', async () => {
    const client = await open(key)
    const bytes = 5_000_000
    expect(JSON.stringify(await client.call('trace', { bytes })) === traceJson(bytes)).toBe(true)
  })
})

test('loadPeer throws TypeError for a name that is no peer, and says which there are', async () => {
  await expect(loadPeer('nonsense')).rejects.toThrow(/no peer nonsense; there are raw-net, .*grpc/)
})

async function open(key: string): Promise<PeerClient> {
  const peer = await loadPeer(key)
  const directory = await mkdtemp(join(tmpdir(), 'bench-peer-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const path = join(directory, 's')
  const stop = await peer.serve(path)
  onTestFinished(stop)
  const client = await peer.connect(path)
  onTestFinished(() => client.close())
  return client
}
