/** Streams to programs that are really started. */

import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { Spawner, type SpawnAddress } from '../src/app/spawn.ts'
import { resolveLimits } from '../src/core/limits.ts'
import type { Stream } from '../src/core/stream.ts'
import type { StreamPair } from '../src/testing/stream-contract.ts'
import { listenUnixSocket } from '../src/transports/unix-socket.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** How one of `programs/` is started. */
export function programArgv(name: string, ...args: readonly string[]): SpawnAddress['spawn'] {
  const path = fileURLToPath(new URL(`./programs/${name}.ts`, import.meta.url))
  return [process.execPath, '--import', 'tsx', path, ...args]
}

/** How a script of a few lines is started. */
export function scriptArgv(script: string, ...args: readonly string[]): SpawnAddress['spawn'] {
  return [process.execPath, '-e', script, ...args]
}

/** Starts a program, which is gone when the test is over. */
export async function spawned(address: SpawnAddress): Promise<Stream> {
  const stream = await new Spawner(address).connect({ limits: resolveLimits() })
  onTestFinished(() => stream.abort())
  return stream
}

/** A spawned program's stream, and the stream that the program has. */
export async function openSpawned(over: 'socket' | 'stdio'): Promise<StreamPair> {
  const path = `${await temporaryDirectory()}/s`
  let accept: (stream: Stream) => void = () => undefined
  const accepted = new Promise<Stream>((resolve) => {
    accept = resolve
  })
  const listener = await listenUnixSocket(path, { limits: resolveLimits(), onStream: (stream) => accept(stream) })
  onTestFinished(() => listener.close())
  const client = await spawned({ spawn: programArgv('spawn-bridge', path), over })
  return { client, server: await accepted }
}
