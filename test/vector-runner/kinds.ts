/**
 * Every kind of vector file that there is a handler for.
 *
 * A handler is a file `<layer>/<name>.ts` beside this one that exports a `kind`; finding them by
 * reading the folders keeps one list from being forgotten.
 *
 * @module
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { VectorKind } from './vector.ts'

/** The folders a set of vectors is laid out in. */
export const LAYERS = ['log', 'wire', 'trie', 'drive'] as const

/** Import every handler. Keys are the names of kinds, such as `log/hashes`. */
export async function loadKinds(): Promise<Map<string, VectorKind>> {
  const kinds = new Map<string, VectorKind>()
  for (const layer of LAYERS) {
    const folder = join(import.meta.dirname, layer)
    for (const file of list(folder)) {
      // Import order decides nothing, but one at a time names the file that does not load.
      // oxlint-disable-next-line no-await-in-loop
      const module = (await import(pathToFileURL(join(folder, file)).href)) as object
      for (const value of Object.values(module) as unknown[]) {
        if (isKind(value)) kinds.set(value.name, value)
      }
    }
  }
  return kinds
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /(?<!\.d)\.[jt]s$/.test(name))
      .toSorted()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function isKind(value: unknown): value is VectorKind {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    'cases' in value &&
    typeof value.cases === 'function'
  )
}
