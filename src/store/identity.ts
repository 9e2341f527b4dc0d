/**
 * Who a stored log is, and whether we may write it: found in its files before it opens.
 *
 *     key          32 bytes: the public key; without it the log is new
 *     name         the name it was derived from, with which the master key gives the secret key again
 *     secret_key   64 bytes, of a log that was made from a pair (the log itself reads and writes it)
 *
 * So a log opened by its public key alone is writable again where it was made, and read-only in a folder that was
 * copied under another master key.
 *
 * @see spec/40-drive.md 2.2, loading rules
 * @module
 */
import { equals } from '../bytes.ts'
import type { KeyPair } from '../crypto.ts'
import type { OpenStorage } from '../storage/index.ts'
import { KEY_BYTES, deriveKeyPair } from './keys.ts'
import { readOrNull } from './master-key.ts'
import { MAX_NAME_BYTES, decodeName, encodeName } from './name-file.ts'

/** What a log is opened with. */
export interface Identity {
  readonly key?: Uint8Array | null
  readonly secretKey?: Uint8Array | null
  readonly storeSecretKey?: boolean
}

/** What is known of a log that is asked for. */
export interface Wanted {
  /** With a name or a pair: both keys. By public key: that alone. By discovery key: nothing. */
  readonly publicKey: Uint8Array | null
  readonly secretKey: Uint8Array | null
  /** The name it is derived from. */
  readonly name: Uint8Array | null
}

/**
 * The identity of the log whose files `open` gives. Writes the `name` file of a new derived log, before anything
 * else of it is written.
 *
 * @param isDurable - the name survives a power cut before anything else is written: without it the log could
 *   never be written again by whoever opens it by its key, as a drive does with its content
 */
export async function identify(
  open: OpenStorage,
  wanted: Wanted,
  masterKey: Uint8Array,
  isDurable: boolean,
): Promise<Identity> {
  const stored = await readOrNull(open('key'), KEY_BYTES)
  const file = open('name')
  if (wanted.name) {
    if (!stored) {
      await file.write(0, encodeName(wanted.name))
      if (isDurable) await file.sync()
    }
    return { key: wanted.publicKey, secretKey: wanted.secretKey, storeSecretKey: false }
  }
  if (wanted.secretKey) return { key: wanted.publicKey, secretKey: wanted.secretKey }
  if (!stored) return { key: wanted.publicKey }
  const size = await file.size()
  if (size < 2 || size > MAX_NAME_BYTES) return { key: stored }
  const name = decodeName(await file.read(0, size))
  const pair: KeyPair | null = name ? deriveKeyPair(masterKey, name) : null
  if (!pair || !equals(pair.publicKey, stored)) return { key: stored }
  return { key: stored, secretKey: pair.secretKey, storeSecretKey: false }
}
