/**
 * The trie: a versioned map from keys to values on a log, and mounts of one trie in another.
 *
 * @module
 */
export { TrieError, type TrieErrorCode } from './errors.ts'
export { Trie } from './trie.ts'
export { Pull, type PullSource } from './pull.ts'
export { Watcher, type Watched, type WatchOptions } from './watch.ts'
export type { TrieDifference, TrieEntry } from './entry.ts'
export {
  decodeExtensionMessage,
  encodeExtensionMessage,
  type CacheMessage,
  type ExtensionMessage,
  type GetMessage,
  type IteratorMessage,
} from './extension-messages.ts'
export { HashPath, storedKey, type KeyHash } from './hash-path.ts'
export type {
  Batch,
  BatchOperation,
  ChangeOptions,
  DiffOptions,
  GetOptions,
  HeadOptions,
  HistoryOptions,
  IteratorOptions,
  PutOptions,
  RenameOptions,
  TrieEvents,
  TrieOptions,
} from './options.ts'
export type { BlockDownload, BlockOptions, TrieLog, WaitOptions } from './trie-log.ts'
export { decodeHeader, encodeHeader, HEADER_TYPE, type Header } from './header.ts'
export type { MountRenameOptions } from './mount-changes.ts'
export { MountTrie, type MountTrieEvents } from './mount-trie.ts'
export type { MountedEntry, MountListing } from './mount-iterator.ts'
export type {
  MountedGet,
  MountInfo,
  MountIteratorOptions,
  MountOptions,
  MountTrieOptions,
  Owner,
} from './mount-place.ts'
export type { MountDiffRow, MountHistoryRow, MountSide } from './mount-views.ts'
export { MountWatcher } from './mount-watch.ts'
export { decodeNode, encodeNode, MAX_FLAGS, type NodeContent, type TrieNode } from './node.ts'
export {
  decodeTable,
  encodeTable,
  PointerTable,
  tableLength,
  type TableLimits,
} from './pointer-table.ts'
export { normalizePath } from './mount-path.ts'
export { dels, mountSubtree, moves, puts, type Subtree, type SubtreeChange } from './subtree.ts'
export {
  decodeMountRecord,
  encodeMountRecord,
  MOUNT_FLAGS,
  RECORDS,
  type MountRecord,
} from './mount-record.ts'
export type { FindMode } from './get.ts'
export type { RecordOptions } from './mount-lookup.ts'
