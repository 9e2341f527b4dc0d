/**
 * Which log it is, and whether it may be written here: keys that were given, against keys that are
 * stored.
 *
 * `secret_key` is written (and synced) before `key`, so a crash in between leaves a folder that still
 * names its key: the last 32 bytes of the secret one.
 *
 * @see spec/10-log.md 3.8 and 3.15 rule 4
 * @module
 */
import { equals, fromHex, isZero } from '../bytes.ts'
import { HASH_BYTES, SECRET_KEY_BYTES, discoveryKey, isKeyPair, signingKeyPair } from '../crypto.ts'
import { StorageError } from '../storage/index.ts'
import type { RandomAccess } from '../storage/random-access.ts'
import { LogError } from './errors.ts'
import type { FileSource, LogFiles } from './files.ts'
import type { Durability } from './options.ts'

/** Keys as somebody gave them, checked for their length. */
export interface GivenKeys {
  readonly key: Uint8Array | null
  readonly secretKey: Uint8Array | null
  readonly storeSecretKey: boolean
}

/** How missing and contradicting keys are dealt with. */
export interface IdentityPolicy {
  readonly createIfMissing: boolean
  readonly overwrite: boolean
  readonly force: boolean
  readonly live: boolean
}

/** Who the log is. */
export interface Identity {
  readonly key: Uint8Array | null
  readonly secretKey: Uint8Array | null
  /** What is stored is of another log, and is to be discarded. */
  readonly discard: boolean
  readonly storedKey: Uint8Array | null
  readonly storedSecretKey: Uint8Array | null
  /** The key pair was made just now: it cannot vouch for anything that is stored. */
  readonly isNew: boolean
}

/**
 * A key as 32 bytes, or a secret key as 64.
 *
 * @throws {@link LogError} `LOG_BAD_KEY`
 */
export function readKey(
  given: Uint8Array | string | null | undefined,
  length: typeof HASH_BYTES | typeof SECRET_KEY_BYTES,
): Uint8Array | null {
  if (given === null || given === undefined) return null
  let bytes: Uint8Array
  try {
    bytes = typeof given === 'string' ? fromHex(given) : given
  } catch (cause) {
    throw new LogError('LOG_BAD_KEY', 'want a key as bytes or hexadecimal text', { cause })
  }
  if (bytes instanceof Uint8Array && bytes.length === length) return bytes
  throw new LogError('LOG_BAD_KEY', `want a key of ${length} bytes, got ${bytes.length}`)
}

/**
 * Settle who the log is. Reads `key` and `secret_key`, writes nothing.
 *
 * @throws {@link LogError} `LOG_OTHER_KEY`, `LOG_NOT_FOUND`, `LOG_BAD_KEY_PAIR`
 */
export async function identify(
  source: FileSource,
  given: GivenKeys,
  policy: IdentityPolicy,
): Promise<{ identity: Identity; files: LogFiles }> {
  const storedKey = await readWhole(source.file('key'), HASH_BYTES)
  let { secretKey } = given
  let key = given.key ?? secretKey?.subarray(HASH_BYTES) ?? null
  let discard = policy.overwrite
  if (key && storedKey && !equals(key, storedKey)) {
    if (!policy.force && !discard) {
      throw new LogError('LOG_OTHER_KEY', 'another log is stored here')
    }
    discard = true
  }
  if (!discard) key ??= storedKey
  if (!key && !discard) {
    const left = await readWhole(source.file('secret_key'), SECRET_KEY_BYTES)
    key = left?.subarray(HASH_BYTES) ?? null
  }
  if (!key && !policy.createIfMissing) {
    throw new LogError('LOG_NOT_FOUND', 'no log is stored here')
  }
  const isNew = !key && policy.live
  if (isNew) {
    const pair = signingKeyPair()
    key = pair.publicKey
    secretKey = pair.secretKey
  }
  const files = source.all({ key, discoveryKey: key && discoveryKey(key) })
  const storedSecretKey = await readWhole(files.secret_key, SECRET_KEY_BYTES)
  if (!discard) secretKey ??= storedSecretKey
  if (key && secretKey && !isKeyPair(key, secretKey)) {
    throw new LogError('LOG_BAD_KEY_PAIR', 'the secret key belongs to another key')
  }
  return { identity: { key, secretKey, discard, storedKey, storedSecretKey, isNew }, files }
}

/** Write what is not stored yet: the secret key first, and for good, then the key. */
export async function writeIdentity(
  files: LogFiles,
  identity: Identity,
  storeSecretKey: boolean,
  durability: Durability,
): Promise<void> {
  const { key, secretKey, storedKey, storedSecretKey } = identity
  if (storeSecretKey && secretKey && !isSame(secretKey, storedSecretKey)) {
    await files.secret_key.write(0, secretKey)
    if (durability !== 'none') await files.secret_key.sync()
  } else if (identity.discard && storedSecretKey && !isSame(secretKey, storedSecretKey)) {
    // A secret key that stayed would make the next open believe that it may write.
    await files.secret_key.truncate(0)
  }
  if (!key || isSame(key, storedKey)) return
  await files.key.write(0, key)
  if (durability === 'sync') await files.key.sync()
}

function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a !== null && b !== null && equals(a, b)
}

/**
 * The first `length` bytes of a file, or `null` when it has fewer. Zeros are none either: a power cut
 * may leave a file with its size and without its bytes.
 */
async function readWhole(file: RandomAccess, length: number): Promise<Uint8Array | null> {
  try {
    const bytes = await file.read(0, length)
    return isZero(bytes) ? null : bytes
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'STORAGE_SHORT') throw error
    // Another identity than the stored one must not come of a read that went wrong.
    if ((await file.size()) >= length) throw error
    return null
  }
}
