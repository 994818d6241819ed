/** Postern: local IPC for TypeScript. */

export type { AllowOption } from './app/allow.ts'
export { connect, type ConnectOptions } from './app/connect.ts'
export { type ClientCall, Connection } from './app/connection.ts'
export type { OnError } from './app/error-log.ts'
export { type PlaceOptions, serve, type ServeOptions, type Server, type WorkerOptions } from './app/serve.ts'
export type { SpawnAddress } from './app/spawn.ts'
export type { TokenOption } from './app/token.ts'
export type { Integers } from './codecs/codec.ts'
export { type Address, type AddressParameters, parseAddress, type Scheme } from './core/address.ts'
export type { Blobs, SharedBlob } from './core/blobs.ts'
export type { Channel, ChannelHandlers, Listener, OutgoingFrame } from './core/channel.ts'
export { type ErrorCode, isPosternError, PosternError, type PosternErrorOptions } from './core/errors.ts'
export { defaultLimits, type Limits } from './core/limits.ts'
export type { Peer, Stream, StreamHandlers } from './core/stream.ts'
export type { Tap } from './core/tap.ts'
export type { BatchCall } from './rpc/calling.ts'
export type { CallContext, Caller } from './rpc/incoming-call.ts'
export type { CallOptions } from './rpc/pending-calls.ts'
export type { CallTrace } from './rpc/tracing.ts'
export type { Gap, SubscribeOptions, Subscription } from './rpc/subscription.ts'
export type {
  Api,
  ApiCallOptions,
  ApiFunction,
  ApiStreamOptions,
  ItemStream,
  Listeners,
  Listening,
} from './service/client.ts'
export {
  type BareContractOptions,
  type BareMembers,
  type Contract,
  type ContractOptions,
  contract,
} from './service/contract.ts'
export { type DeclaredError, type DeclaredErrorOf, isDeclaredError } from './service/declared-error.ts'
export type { Emit } from './service/events.ts'
export type { Client, ContextOf, Fail, Handler, Handlers, HandlersOf, StreamHandler } from './service/handlers.ts'
export {
  type ErrorSchemas,
  type EventMember,
  type EventOptions,
  event,
  type Member,
  type Members,
  type MethodMember,
  type MethodOptions,
  method,
  type StreamMember,
  type StreamOptions,
  stream,
} from './service/members.ts'
export type { Middleware } from './service/middleware.ts'
export type { ServedCall } from './service/routes.ts'
export type { InputOf, OutputOf, StandardSchema } from './service/standard-schema.ts'
export type { ClientTls, ServerTls } from './transports/tls.ts'
