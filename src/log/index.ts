/**
 * One signed append-only log.
 *
 * @module
 */
export type { ByteRange } from './byte-reader.ts'
export type { Download } from './downloads.ts'
export type { Durability } from './options.ts'
export { LogError, LogUnavailableError, type LogErrorCode } from './errors.ts'
export type { ForkEvidence, HaveNotice, LogEvents } from './events.ts'
export {
  ExtensionRegistry,
  type Extension,
  type ExtensionHandlers,
  type ExtensionHost,
} from './extensions.ts'
export type { ReceiveResults } from './receive-job.ts'
export type { LogStorage, StorageInfo } from './files.ts'
export { fsck } from './fsck.ts'
export type { Fault, FaultType, FsckOptions, FsckReport } from './fsck-report.ts'
export { Guard } from './guard.ts'
export type { StoredSignature } from './heads.ts'
export { Log } from './log.ts'
export type { LogStats } from './log-base.ts'
export type { Audit, Cleared } from './maintenance.ts'
export {
  MAX_BLOCK_BYTES,
  type ClearOptions,
  type DownloadRange,
  type GetOptions,
  type IdentityAnswer,
  type LogOptions,
  type SeekOptions,
  type UpdateOptions,
  type Wait,
  type WaitOptions,
  type WriteHook,
} from './options.ts'
export type { ReadStreamOptions, WriteStreamOptions } from './read-stream.ts'
export type { LogPeer, ReceivedBlock, Replicator, TransferStats } from './replicator.ts'
export { decodeRle, decodedRleLength, encodeRle, encodedRleLength } from './rle.ts'
export type { BytePosition } from './waiting.ts'
export type {
  BlockWish,
  BlocksWish,
  LengthWish,
  RangeWish,
  SeekWish,
  Selection,
  WaitingWish,
  Wish,
  Wishes,
} from './wish.ts'
