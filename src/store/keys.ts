/**
 * Keys of the logs of a store: every one is derived from the store's master key and a name, or given.
 *
 *     seed   = BLAKE2b-256(key = master key, "9\ncorestore" ‖ name)
 *     secret = Ed25519 pair of that seed
 *
 * Pure: no I/O.
 *
 * @see spec/40-drive.md 2.1
 * @module
 */
import { concat, fromHex, fromUtf8, toHex } from '../bytes.ts'
import { type KeyPair, hash, signingKeyPair } from '../crypto.ts'
import { StoreError } from './store-error.ts'

/** Bytes of a master key and of a public key. */
export const KEY_BYTES = 32

/** A name as it is hashed: text as UTF-8, bytes as they are. */
export function nameBytes(name: string | Uint8Array): Uint8Array {
  return typeof name === 'string' ? fromUtf8(name) : name
}

/** The seed of the log of that name; stores derive in the namespace `corestore`. */
export function deriveSeed(
  masterKey: Uint8Array,
  name: string | Uint8Array,
  namespace: string | Uint8Array = 'corestore',
): Uint8Array {
  const space = nameBytes(namespace)
  return hash(concat([fromUtf8(`${space.length}\n`), space, nameBytes(name)]), masterKey)
}

/** The key pair of the log of that name. */
export function deriveKeyPair(masterKey: Uint8Array, name: string | Uint8Array): KeyPair {
  return signingKeyPair(deriveSeed(masterKey, name))
}

/**
 * The 32 bytes of a public key given as bytes, or as text that holds exactly one run of 64 hexadecimal digits (so
 * that a whole link will do).
 *
 * @throws {@link StoreError} `STORE_BAD_KEY`
 */
export function parseKey(key: unknown): Uint8Array {
  if (key instanceof Uint8Array && key.length === KEY_BYTES) return key
  if (typeof key === 'string') {
    const runs = key.match(/[0-9a-fA-F]+/gu)?.filter((run) => run.length === KEY_BYTES * 2)
    const [run] = runs ?? []
    if (run !== undefined && runs?.length === 1) return fromHex(run)
  }
  const got = key instanceof Uint8Array ? `${key.length} bytes` : typeof key
  throw new StoreError(
    'STORE_BAD_KEY',
    `want a key of 32 bytes or 64 hexadecimal digits, got ${got}`,
  )
}

/** Where a log's files lie: `dk[0..2]/dk[2..4]/dk`, by its discovery key in hexadecimal. */
export function folderOf(discoveryKey: Uint8Array): string {
  const hex = toHex(discoveryKey)
  return `${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`
}
