/**
 * The wire: encrypted connections, and the exchange of logs over them.
 *
 * @see spec/20-wire.md
 * @module
 */
export { Allowance, type Nuisance } from './allowance.ts'
export { ownCapability, provesKey, remoteCapability } from './capability.ts'
export { Channel } from './channel.ts'
export type { ChannelHandlers, ChannelHost, OutgoingMessages } from './channel.ts'
export { Connection } from './connection.ts'
export type { ConnectionOptions, KeyPairSource } from './connection-options.ts'
export { decode, decodeExtension, type Decoder, type ExtensionHeader } from './decode.ts'
export { WireError } from './errors.ts'
export type { WireErrorCode } from './errors.ts'
export type {
  AnswerGuard,
  ExtensionTable,
  ProofOptions,
  ReplicatedLog,
} from './exchange/replicated-log.ts'
export {
  explain,
  type Explanation,
  type PeerExplanation,
  type PeerReason,
  type WaitReason,
} from './explain.ts'
export { encodeFrameHead, FrameParser, type FrameLimits, type FrameSink } from './frame.ts'
export {
  decodePayload,
  encodePayload,
  Handshake,
  type HandshakeResult,
  type HandshakeSetup,
} from './handshake.ts'
export { DEFAULT_LIMITS } from './limits.ts'
export type { Limits } from './limits.ts'
export { MessageType } from './messages.ts'
export type {
  Cancel,
  Close,
  Data,
  Have,
  Open,
  Options,
  Outgoing,
  Request,
  Status,
  Unhave,
  Unwant,
  Want,
} from './messages.ts'
export {
  connectionMetrics,
  metrics,
  type ConnectionMetrics,
  type LogMetrics,
  type PeerMetrics,
  type WaitMetrics,
} from './metrics.ts'
export { NoiseXX, type Split } from './noise.ts'
export { samplesOf, toOpenMetrics } from './open-metrics.ts'
export type { MetricLabels, MetricSample } from './open-metrics.ts'
export { Outbox } from './outbox.ts'
export { replicate } from './replicate.ts'
export type { ReplicateOptions } from './replicate.ts'
export type { LogOptions } from './replication.ts'
export type { StreamExtension, StreamExtensionHandlers } from './stream-extension.ts'
export type { Timers } from './timers.ts'
export { Turns } from './turns.ts'
export { matchNames, sortNames } from '../extension-names.ts'
export { MetricsWatch, watchMetrics } from './watch-metrics.ts'
export type { MetricChange, MetricEvents, WatchMetricsOptions } from './watch-metrics.ts'
