/**
 * What is stored of a mount: a hidden entry `mounts/<path>` whose value names the mounted trie.
 *
 * @see spec/30-trie.md 2.11
 * @module
 */
import { copy } from '../bytes.ts'
import { ProtobufReader, ProtobufWriter } from '../protobuf.ts'
import { TrieError } from './errors.ts'

/** Folder of the records, among the hidden keys. */
export const RECORDS = 'mounts'
/** User flags of a record, and of the visible entry at a mountpoint. */
export const MOUNT_FLAGS = 1

/** A mount, as its record has it. */
export interface MountRecord {
  /** Public key of the mounted trie's log. */
  readonly key: Uint8Array
  /** The mountpoint, in the trie that holds the record. */
  readonly localPath: string
  /** Version that is mounted; 0 follows the latest. */
  readonly version: number
  /** What of the mounted trie appears at the mountpoint; empty for all of it. */
  readonly remotePath: string
  /** Reserved. */
  readonly hash: Uint8Array | null
}

/** The value of a record; what is null or undefined is left out. */
export function encodeMountRecord(record: {
  readonly key: Uint8Array
  readonly localPath: string
  readonly version?: number | null | undefined
  readonly remotePath?: string | null | undefined
  readonly hash?: Uint8Array | null | undefined
}): Uint8Array {
  return new ProtobufWriter()
    .bytesField(1, record.key)
    .stringField(2, record.localPath)
    .uintField(3, record.version)
    .stringField(4, record.remotePath)
    .bytesField(5, record.hash)
    .finish()
}

/**
 * The record in a value. Shares no memory with it. The length of the key is not checked here.
 *
 * @throws {@link TrieError} `TRIE_BAD_MOUNT` when it is none
 */
export function decodeMountRecord(value: Uint8Array): MountRecord {
  let key: Uint8Array | null = null
  let localPath: string | null = null
  let version = 0
  let remotePath = ''
  let hash: Uint8Array | null = null
  try {
    const reader = new ProtobufReader(value)
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 1) key = reader.bytes()
      else if (field === 2) localPath = reader.string()
      else if (field === 3) version = reader.uint()
      else if (field === 4) remotePath = reader.string()
      else if (field === 5) hash = reader.bytes()
      else reader.ignore()
    }
  } catch (error) {
    throw new TrieError('TRIE_BAD_MOUNT', 'no record of a mount', { cause: error })
  }
  if (key === null || localPath === null) {
    throw new TrieError('TRIE_BAD_MOUNT', 'a record of a mount without key or path')
  }
  return { key: copy(key), localPath, version, remotePath, hash: hash && copy(hash) }
}
