/**
 * @achrinza/node-ipc, a maintained fork: events both ways. A call is an event and so is its answer, with
 * a number that joins them, since it has none.
 */

import type { Socket } from 'node:net'
import { type IpcClient, IPCModule } from '@achrinza/node-ipc'
import { libraryVersion } from '../node-peers/library-version.ts'
import type { Stop } from '../roles/role.ts'
import { handlers, type Method, type Params, type Peer, type PeerClient } from './peer.ts'

interface CallEvent {
  readonly call: number
  readonly params: unknown
}

interface AnswerEvent {
  readonly call: number
  readonly result: unknown
}

const serverId = 'bench'

export const nodeIpc: Peer = {
  name: '@achrinza/node-ipc',
  defaults:
    `${libraryVersion('@achrinza/node-ipc')}, the fork without the code that harmed its users, with its defaults, but ` +
    'silent (else it prints every message); an event each way, joined by a number and a Map',
  library: true,
  async serve(path: string): Promise<Stop> {
    const ipc = silentIpc()
    const started = new Promise<void>((resolve) => ipc.serve(path, resolve))
    const { server } = ipc
    for (const [method, handler] of Object.entries(handlers)) {
      server.on(method, (data, socket: Socket) => {
        const { call, params } = data as CallEvent
        server.emit(socket, method, { call, result: handler(params) } satisfies AnswerEvent)
      })
    }
    server.start()
    await started
    return async () => server.stop()
  },
  async connect(path: string): Promise<PeerClient> {
    const ipc = silentIpc()
    return await new Promise((resolve) => {
      ipc.connectTo(serverId, path, () => {
        const client = ipc.of[serverId] as IpcClient
        client.on('connect', () => resolve(new NodeIpcClient(ipc, client)))
      })
    })
  },
}

function silentIpc(): IPCModule {
  const ipc = new IPCModule()
  ipc.config.silent = true
  return ipc
}

class NodeIpcClient implements PeerClient {
  readonly #ipc: IPCModule
  readonly #client: IpcClient
  readonly #pending = new Map<number, (result: unknown) => void>()
  #lastCall = 0

  constructor(ipc: IPCModule, client: IpcClient) {
    this.#ipc = ipc
    this.#client = client
    for (const method of Object.keys(handlers)) client.on(method, (data) => this.#answer(data as AnswerEvent))
  }

  call(method: Method, params: Params): Promise<unknown> {
    const call = ++this.#lastCall
    return new Promise((resolve) => {
      this.#pending.set(call, resolve)
      this.#client.emit(method, { call, params } satisfies CallEvent)
    })
  }

  close(): Promise<void> {
    this.#ipc.disconnect(serverId)
    return Promise.resolve()
  }

  #answer({ call, result }: AnswerEvent): void {
    this.#pending.get(call)?.(result)
    this.#pending.delete(call)
  }
}
