/** `stdio:`: the one connection of a program that was started to be talked to. */

import type { Listener } from '../core/channel.ts'
import type { Stream } from '../core/stream.ts'
import { takeStdio } from '../os/stdio.ts'
import { StdioStream } from './stdio-stream.ts'

const address = 'stdio:'

/** Talks to who started this process. Rejects as `takeStdio` does. */
export async function connectStdio(): Promise<Stream> {
  return new StdioStream(takeStdio(), address)
}

/** Takes one connection, that of who started this process, and is exhausted with it. Rejects as `takeStdio` does. */
export async function listenStdio(onStream: (stream: Stream) => void): Promise<Listener> {
  const stream = new StdioStream(takeStdio(), address)
  onStream(stream)
  return { address, exhausted: stream.closed, close: async () => undefined, closeSync: () => undefined }
}
