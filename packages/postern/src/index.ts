/** Postern: local IPC for TypeScript. */

export { connect, type ConnectOptions } from './app/connect.ts'
export { Connection } from './app/connection.ts'
export type { OnError } from './app/error-log.ts'
export { serve, type ServeOptions, type Server } from './app/serve.ts'
export type { Integers } from './codecs/codec.ts'
export { type Address, type AddressParameters, parseAddress, type Scheme } from './core/address.ts'
export type { Channel, ChannelHandlers, Listener, OutgoingFrame } from './core/channel.ts'
export { type ErrorCode, isPosternError, PosternError, type PosternErrorOptions } from './core/errors.ts'
export { defaultLimits, type Limits } from './core/limits.ts'
export type { Peer, Stream, StreamHandlers } from './core/stream.ts'
export type { Tap } from './core/tap.ts'
export type { BatchCall } from './rpc/calling.ts'
export type { CallContext, Caller } from './rpc/incoming-call.ts'
export type { CallOptions } from './rpc/pending-calls.ts'
export type { Subscription, SubscribeOptions } from './rpc/subscription.ts'
export type { Api, ApiCallOptions, ApiFunction } from './service/client.ts'
export {
  type Contract,
  type ContractOptions,
  contract,
  type Method,
  type MethodOptions,
  type Methods,
  method,
} from './service/contract.ts'
export type { Handler, Handlers, HandlersOf } from './service/router.ts'
export type { InputOf, OutputOf, StandardSchema } from './service/standard-schema.ts'
