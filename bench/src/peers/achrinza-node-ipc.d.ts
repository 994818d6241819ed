/** What the bench uses of a package that brings no types of its own. */
declare module '@achrinza/node-ipc' {
  import type { Socket } from 'node:net'

  export interface IpcServer {
    on(type: string, listener: (data: unknown, socket: Socket) => void): void
    emit(socket: Socket, type: string, data: unknown): void
    start(): void
    stop(): void
  }

  export interface IpcClient {
    on(type: string, listener: (data: unknown) => void): void
    emit(type: string, data: unknown): void
  }

  export class IPCModule {
    readonly config: { silent: boolean }
    /** The server that `serve` made. */
    readonly server: IpcServer
    /** The clients that `connectTo` made, by their ids. */
    readonly of: Readonly<Record<string, IpcClient>>
    serve(path: string, onStart: () => void): void
    /** Calls `onCreated` before it connects. */
    connectTo(id: string, path: string, onCreated: () => void): void
    disconnect(id: string): void
  }
}
