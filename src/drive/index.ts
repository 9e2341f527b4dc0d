/**
 * A versioned file system on two logs, shared by one key.
 *
 * @module
 */
/// <reference types="node" preserve="true" />
export { constants } from './open/constants.ts'
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
export type { ReadFileOptions, WriteFileOptions } from './content/file.ts'
export type { Dirent } from './entries/dirent.ts'
export type { Dir, OpendirOptions } from './entries/directory-handle.ts'
export type {
  EncodingArgument,
  FileHandle,
  HandleData,
  HandleDrive,
  TransferOptions,
} from './open/file-handle.ts'
export type {
  HandleReadOptions,
  HandleStreamOptions,
  HandleWriteOptions,
} from './open/descriptor-streams.ts'
export type { DriveDescriptors, ReadvResult, WritevResult } from './drive-descriptors.ts'
export type { AppendOptions } from './content/append-file.ts'
export type { DriveTotals } from './transfer/totals.ts'
export type { DirectoryEntry, Listing, ReaddirOptions } from './entries/listing.ts'
export type { LookupOptions } from './entries/lookup.ts'
export type { MkdirFields, MkdirOptions } from './entries/entries.ts'
export type { MountListOptions, MountLogs, MountOptions, Mounted, PathInfo } from './mounts.ts'
export type {
  CheckoutOptions,
  DriveOptions,
  DriveStorage,
  DriveStorageFunction,
} from './options.ts'
export type { DrivePromises, PromiseMethod, PromiseProperty } from './promises.ts'
export type { ReadRange, ReadStreamOptions } from './content/read-stream.ts'
export { Stat, type MetadataInput, type StatInput, type StatMount } from './entries/stat.ts'
export type { StoreLike } from './store-like.ts'
export type { WriteStreamOptions } from './content/write-stream.ts'
export type { Time } from './entries/attributes.ts'
export type { Availability, AvailabilityOptions } from './transfer/availability.ts'
export type { BundleOptions } from './bundle/bundle.ts'
export type { BundleSource } from './bundle/bundle-reader.ts'
export type { Cleared, ClearOptions } from './transfer/clear.ts'
export {
  importBundle,
  type ImportBundleOptions,
  type ImportedBundle,
} from './bundle/import-bundle.ts'
export type { DriveBatch } from './batch/batch.ts'
export type { CpOptions } from './entries/cp.ts'
export type { ExportOptions } from './folders/export-directory.ts'
export type {
  FolderLimits,
  FolderProgress,
  FolderReport,
  FolderTransfer,
  SkippedEntry,
} from './folders/folder-transfer.ts'
export type { ImportOptions } from './folders/import-directory.ts'
export type { ReadResult, WriteResult } from './open/descriptor-table.ts'
export type { DiffRow, OtherVersion } from './versions/diff.ts'
export type { DownloadOptions } from './transfer/download.ts'
export type { HistoryNode, HistoryRow } from './versions/history.ts'
export type { MountRow } from './mounts.ts'
export type { RmOptions } from './entries/rm.ts'
export type { Counts, Progress, Tally } from './transfer/progress.ts'
export type { Transfer, TransferEvents, TransferLimits } from './transfer/transfer.ts'
export type {
  Stats,
  StatsOptions,
  StatsWatcher,
  Usage,
  WatchStatsOptions,
} from './transfer/usage.ts'
export type { DriveWatcher, WatchEvent, WatchOptions, WatcherEvents } from './versions/watch.ts'
export type { MetadataValue, MountRecord } from './entries/stat-codec.ts'
