/**
 * Bytes at offsets: the contract of everything that stores.
 *
 * Operations on one file take effect in the order they were called. A buffer given to `write` may be
 * reused once its promise settles; a buffer got from `read` belongs to the caller.
 *
 * @see spec/10-log.md 4.6
 * @module
 */

/** One growing byte string that outlives the process (or, in memory, does not). */
export interface RandomAccess {
  /**
   * Exactly `length` bytes from `offset`.
   *
   * @throws {@link StorageError} `STORAGE_SHORT` when the file ends before, also when there is none
   */
  read(offset: number, length: number): Promise<Uint8Array>
  /** Write all of `bytes` at `offset`; a gap before it reads as zeros. Creates the file. */
  write(offset: number, bytes: Uint8Array): Promise<void>
  /** Cut or extend (with zeros) to `length` bytes. */
  truncate(length: number): Promise<void>
  /**
   * Give the space of a range back where the system can. A range that reaches the end is cut off, and
   * the file then ends at `offset` (one that was shorter grows to it); a range in the middle then reads
   * as zeros, or as before where nothing could be freed.
   *
   * @returns bytes freed; 0 when the system cannot tell or cannot do it
   */
  punch(offset: number, length: number): Promise<number>
  /** Bytes in the file; 0 when there is none. */
  size(): Promise<number>
  /** Resolves once everything written so far survives a power cut. */
  sync(): Promise<void>
  /** Let go of what is held open. Idempotent; other calls then fail with `STORAGE_CLOSED`. */
  close(): Promise<void>
  /** Close and delete. A file that does not exist is a success. */
  destroy(): Promise<void>
}

/** Gives the file of a name such as `tree` or `data`. Nothing is created before the first write. */
export type OpenStorage = (name: string) => RandomAccess
