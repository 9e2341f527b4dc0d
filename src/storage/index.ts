/**
 * Bytes at offsets: on disk, in memory, or in any random-access-storage object.
 *
 * @module
 */
export { DEFAULT_OPEN_FILES, FilePool, type PooledFile } from './file-pool.ts'
export { FileStorage, type FileOptions } from './file-storage.ts'
export { openFolder } from './folder.ts'
export {
  type FolderLock,
  type LockHolder,
  LOCK_FILE,
  isFolderLock,
  takeFolder,
} from './folder-lock.ts'
export {
  fromRandomAccess,
  type RandomAccessDone,
  type RandomAccessObject,
} from './from-random-access.ts'
export { MemoryFolder, MemoryStorage } from './memory-storage.ts'
export type { OpenStorage, RandomAccess } from './random-access.ts'
export {
  type Attributes,
  type RealEntry,
  type RealFile,
  type RealListing,
  RealFolder,
  isPlain,
} from './real-folder.ts'
export { holdsFile, isFolder } from './stored-files.ts'
export { StorageError, type StorageErrorCode } from './storage-error.ts'
