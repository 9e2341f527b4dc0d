/**
 * The 32 bytes from which every writable log of a folder is derived.
 *
 * @see spec/40-drive.md 2.1
 * @module
 */
import { randomBytes } from '../crypto.ts'
import { type RandomAccess, StorageError } from '../storage/index.ts'
import { KEY_BYTES } from './keys.ts'
import { StoreError } from './store-error.ts'

/**
 * The master key that `file` holds; when it holds less than one, a fresh one, stored for good before it is used.
 * Bytes past the first 32 mean nothing.
 *
 * @param isUsed - whether there are logs that were derived from one; then it is not replaced, as v10 would
 * @throws {@link StoreError} `STORE_OTHER_MASTER_KEY`
 */
export async function loadMasterKey(
  file: RandomAccess,
  isUsed: () => Promise<boolean>,
): Promise<Uint8Array> {
  const stored = await readOrNull(file, KEY_BYTES)
  if (stored) return stored
  if (await isUsed()) {
    throw new StoreError(
      'STORE_OTHER_MASTER_KEY',
      'the file master_key is missing or cut, and the logs of the folder were derived from it',
    )
  }
  const masterKey = randomBytes(KEY_BYTES)
  await file.write(0, masterKey)
  // Losing it would lose the right to write every log of the folder.
  await file.sync()
  return masterKey
}

/** The first `length` bytes of a file, or null when it is shorter; any other failure is passed on. */
export async function readOrNull(file: RandomAccess, length: number): Promise<Uint8Array | null> {
  try {
    return await file.read(0, length)
  } catch (error) {
    if (error instanceof StorageError && error.code === 'STORAGE_SHORT') return null
    throw error
  }
}
