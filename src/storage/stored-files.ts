/**
 * What lies in a folder, asked before anything is made in it.
 *
 * @module
 */
import { opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ioError } from './storage-error.ts'

/** Whether there is a folder at `path`. */
export async function isFolder(path: string): Promise<boolean> {
  return (await statOrNull(path))?.isDirectory() ?? false
}

/**
 * Whether a file of that name that is not empty lies exactly `depth` folders below `path`. Stops at the first, so
 * it is cheap where there are many.
 *
 * @throws {@link StorageError} `STORAGE_IO` for a folder that cannot be read
 */
export async function holdsFile(path: string, name: string, depth: number): Promise<boolean> {
  if (depth === 0) {
    const found = await statOrNull(join(path, name))
    return found !== null && found.isFile() && found.size > 0
  }
  if (!(await isFolder(path))) return false
  try {
    for await (const entry of await opendir(path)) {
      if (entry.isDirectory() && (await holdsFile(join(path, entry.name), name, depth - 1))) {
        return true
      }
    }
  } catch (error) {
    throw ioError(path, error)
  }
  return false
}

async function statOrNull(path: string): Promise<Awaited<ReturnType<typeof stat>> | null> {
  return stat(path).catch(() => null) // what cannot be looked at is not there for us
}
