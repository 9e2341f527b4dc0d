/**
 * A folder of files.
 *
 * @see spec/10-log.md 4.6
 * @module
 */
import { join, relative, resolve, sep } from 'node:path'
import { type FileOptions, FileStorage } from './file-storage.ts'
import type { OpenStorage } from './random-access.ts'

/**
 * Gives the files below a folder. Names are resolved as absolute ones first, so none leads out of it:
 * `../x` is `x`.
 */
export function openFolder(path: string, options: FileOptions = {}): OpenStorage {
  const root = resolve(sep)
  // Once: a file may be opened again at any time, and the process may have moved.
  const folder = resolve(path)
  return (name) => new FileStorage(join(folder, relative(root, resolve(root, name))), options)
}
