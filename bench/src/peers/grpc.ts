/** gRPC over `unix:`: the payload is a Protocol Buffers message, and the large answer JSON text in one. */

import {
  type ChannelCredentials,
  type Client,
  type ClientOptions,
  credentials,
  type handleUnaryCall,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js'
import { fromJSON } from '@grpc/proto-loader'
import { libraryVersion } from '../node-peers/library-version.ts'
import type { Stop } from '../roles/role.ts'
import { handlers, type Method, type Params, type Payload, type Peer, type PeerClient, type TraceSize } from './peer.ts'

const maxAnswerBytes = 64 * 1024 * 1024

/** How long a connection may take to come about. */
const connectMs = 5_000

/** The `.proto` file, in the form that it has after parsing. */
const proto = {
  nested: {
    Payload: { fields: { text: { type: 'string', id: 1 } } },
    TraceSize: { fields: { bytes: { type: 'uint32', id: 1 } } },
    Trace: { fields: { json: { type: 'string', id: 1 } } },
    Bench: {
      methods: {
        echo: { requestType: 'Payload', responseType: 'Payload', comment: 'Answers what it gets.' },
        trace: { requestType: 'TraceSize', responseType: 'Trace', comment: 'Answers a trace of this size.' },
      },
    },
  },
}

interface Trace {
  readonly json: string
}

type Unary = (params: Params, callback: (error: ServiceError | null, answer: unknown) => void) => void
type BenchStub = Client & Readonly<Record<Method, Unary>>
interface BenchService {
  new (address: string, credentials: ChannelCredentials, options: ClientOptions): BenchStub
  readonly service: ServiceDefinition
}

const Bench = loadPackageDefinition(fromJSON(proto))['Bench'] as unknown as BenchService

const echo: handleUnaryCall<Payload, Payload> = ({ request }, callback) =>
  callback(null, handlers.echo(request) as Payload)
const trace: handleUnaryCall<TraceSize, Trace> = ({ request }, callback) =>
  callback(null, { json: JSON.stringify(handlers.trace(request)) })

export const grpc: Peer = {
  name: 'grpc-js',
  defaults:
    `${libraryVersion('@grpc/grpc-js')} with ${libraryVersion('@grpc/proto-loader')} over unix: without TLS, with ` +
    `their defaults, but the client takes answers up to ${maxAnswerBytes / 1_048_576} MiB, not 4; the small call is ` +
    'a Protocol Buffers message, no JSON; the large answer is JSON text in one',
  library: true,
  async serve(path: string): Promise<Stop> {
    const server = new Server()
    server.addService(Bench.service, { echo, trace })
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      )
    })
    return async () => server.forceShutdown()
  },
  async connect(path: string): Promise<PeerClient> {
    const options = { 'grpc.max_receive_message_length': maxAnswerBytes }
    const stub = new Bench(`unix:${path}`, credentials.createInsecure(), options)
    await new Promise<void>((resolve, reject) => {
      stub.waitForReady(Date.now() + connectMs, (error) => (error === undefined ? resolve() : reject(error)))
    })
    return new GrpcClient(stub)
  },
}

class GrpcClient implements PeerClient {
  readonly #stub: BenchStub

  constructor(stub: BenchStub) {
    this.#stub = stub
  }

  call(method: Method, params: Params): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#stub[method](params, (error, answer) => {
        if (error !== null) reject(error)
        else resolve(method === 'trace' ? JSON.parse((answer as Trace).json) : answer)
      })
    })
  }

  close(): Promise<void> {
    this.#stub.close()
    return Promise.resolve()
  }
}
