/**
 * A versioned file system on two logs, shared by one key.
 *
 * @module
 */
/// <reference types="node" preserve="true" />
export { constants } from './constants.ts'
export type { DriveTrie, ReadOptions } from './context.ts'
export { Drive, type MountResults, type Mounts, type Tags } from './drive.ts'
export type {
  BytesOptions,
  FileData,
  NamesOptions,
  ReadFileArgument,
  StatsListOptions,
  TextEncoding,
  TextOptions,
  TypesOptions,
} from './drive-files.ts'
export type { DriveReplicateOptions } from './drive-base.ts'
export {
  DriveError,
  type DriveErrorCode,
  type DriveErrorDetails,
  type PosixCode,
} from './errors.ts'
export type { DriveEvents } from './events.ts'
export type { ReadFileOptions, WriteFileOptions } from './file.ts'
export type { Dirent } from './dirent.ts'
export type { Dir, OpendirOptions } from './directory-handle.ts'
export type {
  EncodingArgument,
  FileHandle,
  HandleData,
  HandleDrive,
  TransferOptions,
} from './file-handle.ts'
export type {
  HandleReadOptions,
  HandleStreamOptions,
  HandleWriteOptions,
} from './descriptor-streams.ts'
export type { DriveDescriptors, ReadvResult, WritevResult } from './drive-descriptors.ts'
export type { AppendOptions } from './append-file.ts'
export type { DriveTotals } from './totals.ts'
export type { DirectoryEntry, Listing, ReaddirOptions } from './listing.ts'
export type { LookupOptions } from './lookup.ts'
export type { MkdirFields, MkdirOptions } from './entries.ts'
export type { MountListOptions, MountLogs, MountOptions, Mounted, PathInfo } from './mounts.ts'
export type {
  CheckoutOptions,
  DriveOptions,
  DriveStorage,
  DriveStorageFunction,
} from './options.ts'
export type { DrivePromises, PromiseMethod, PromiseProperty } from './promises.ts'
export type { ReadRange, ReadStreamOptions } from './read-stream.ts'
export { Stat, type MetadataInput, type StatInput, type StatMount } from './stat.ts'
export type { StoreLike } from './store-like.ts'
export type { WriteStreamOptions } from './write-stream.ts'
export type { Time } from './attributes.ts'
export type { Availability, AvailabilityOptions } from './availability.ts'
export type { BundleOptions } from './bundle.ts'
export type { BundleSource } from './bundle-reader.ts'
export type { Cleared, ClearOptions } from './clear.ts'
export { importBundle, type ImportBundleOptions, type ImportedBundle } from './import-bundle.ts'
export type { DriveBatch } from './batch.ts'
export type { CpOptions } from './cp.ts'
export type { ExportOptions } from './export-directory.ts'
export type {
  FolderLimits,
  FolderProgress,
  FolderReport,
  FolderTransfer,
  SkippedEntry,
} from './folder-transfer.ts'
export type { ImportOptions } from './import-directory.ts'
export type { ReadResult, WriteResult } from './descriptor-table.ts'
export type { DiffRow, OtherVersion } from './diff.ts'
export type { DownloadOptions } from './download.ts'
export type { HistoryNode, HistoryRow } from './history.ts'
export type { MountRow } from './mounts.ts'
export type { RmOptions } from './rm.ts'
export type { Counts, Progress, Tally } from './progress.ts'
export type { Transfer, TransferEvents, TransferLimits } from './transfer.ts'
export type { Stats, StatsOptions, StatsWatcher, Usage, WatchStatsOptions } from './usage.ts'
export type { DriveWatcher, WatchEvent, WatchOptions, WatcherEvents } from './watch.ts'
export type { MetadataValue, MountRecord } from './stat-codec.ts'
