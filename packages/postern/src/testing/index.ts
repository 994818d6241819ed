/** The contract suites, for whoever writes a mechanism, a framing or a codec of their own. */

export { type ChannelHarness, type ChannelPair, channelContract } from './channel-contract.ts'
export { type CodecHarness, type CodecPromise, codecContract } from './codec-contract.ts'
export type { ContractCase, Lacks } from './contract-case.ts'
export { type FramingHarness, type FramingPromise, framesOf, framingContract } from './framing-contract.ts'
export { type StreamHarness, type StreamPair, streamContract } from './stream-contract.ts'
