/**
 * Where a store's files come from: a folder, or a function that gives each.
 *
 * @see spec/40-drive.md 2.2, 3.2
 * @module
 */
import {
  type RandomAccess,
  type RandomAccessObject,
  fromRandomAccess,
  openFolder,
} from '../storage/index.ts'
import type { FileOwner, OpenFile } from './store-core.ts'

/**
 * Gives the file of a path such as `ab/cd/abcd…/tree`: ours, or any random-access-storage object. Is also told the
 * keys of the log it belongs to, as far as they are known.
 */
export type StorageFunction = (path: string, owner: FileOwner) => RandomAccess | RandomAccessObject

/** The path of a folder, or a function. */
export type StorageSource = string | StorageFunction

/**
 * What opens a source's files.
 *
 * @param exact - keep the bytes of cleared blocks on disk, as v10 does
 * @throws TypeError for anything else than a string or a function
 */
export function openSource(source: StorageSource, exact: boolean): OpenFile {
  if (typeof source === 'string') return openFolder(source, { holes: !exact })
  if (typeof source === 'function') return (path, owner) => asRandomAccess(source(path, owner))
  throw new TypeError('storage should be a function or string')
}

function asRandomAccess(file: RandomAccess | RandomAccessObject): RandomAccess {
  return 'punch' in file ? file : fromRandomAccess(file)
}
