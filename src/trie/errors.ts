/**
 * What can go wrong in the trie and the mount layer.
 *
 * @module
 */
import { CodedError } from '../errors.ts'

/**
 * What went wrong:
 * - `TRIE_BAD_NODE`: a block is no node (cut, another format, a table that cannot be); `seq` in the message
 * - `TRIE_BAD_HEADER`: block 0 is no header
 * - `TRIE_BAD_KEY`: a key that cannot be written: empty, or of slashes alone
 * - `TRIE_BAD_CHECKPOINT`: bytes that are no checkpoint
 * - `TRIE_BAD_MESSAGE`: bytes that are no message of the extension
 * - `TRIE_BAD_MOUNT`: a mount record that does not decode, or a mount that would make no sense
 * - `TRIE_MOUNT_DEPTH`: mounts inside mounts, deeper than the limit (a cycle)
 * - `TRIE_BAD_RENAME`: a rename of a key with what is below it to below itself
 * - `TRIE_CROSS_MOUNT`: a rename from one trie into another
 * - `TRIE_READ_ONLY_CHECKOUT`: a write through a checkout
 * - `TRIE_TOO_LARGE`: a pointer table beyond what readers take
 * - `TRIE_CONFLICT`: somebody else appended to the log during a write
 * - `TRIE_DESTROYED`: the iterator was destroyed
 * - `TRIE_NOT_EMPTY`: the metadata can be set only before the first write
 */
export type TrieErrorCode =
  | 'TRIE_BAD_NODE'
  | 'TRIE_BAD_HEADER'
  | 'TRIE_BAD_KEY'
  | 'TRIE_BAD_CHECKPOINT'
  | 'TRIE_BAD_MESSAGE'
  | 'TRIE_BAD_MOUNT'
  | 'TRIE_MOUNT_DEPTH'
  | 'TRIE_BAD_RENAME'
  | 'TRIE_CROSS_MOUNT'
  | 'TRIE_READ_ONLY_CHECKOUT'
  | 'TRIE_TOO_LARGE'
  | 'TRIE_CONFLICT'
  | 'TRIE_DESTROYED'
  | 'TRIE_NOT_EMPTY'

/** Thrown by everything under `trie/`. */
export class TrieError extends CodedError<TrieErrorCode> {
  override readonly name = 'TrieError'
}
