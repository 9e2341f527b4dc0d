/**
 * What a drive and its logs show, in a form that can be compared.
 *
 * @module
 */
import { toHex } from '../../src/bytes.ts'
import { hash } from '../../src/crypto.ts'
import type { Drive } from '../../src/drive/index.ts'
import type { Log } from '../../src/log/index.ts'
import { treeHash } from '../../src/merkle/index.ts'

/** Stands for a file that is not there. */
export const ABSENT = ''

/** What a drive shows, as text: equal where everything is. */
export type View = string

/** The content of a file, by its hash. */
export function markOf(bytes: Uint8Array): string {
  return toHex(hash(bytes)).slice(0, 16)
}

/** The content of a path, or `ABSENT`. */
export async function markAt(drive: Drive, path: string): Promise<string> {
  return (await drive.exists(path)) ? markOf(await drive.readFile(path)) : ABSENT
}

/** Every entry with its stat and content. */
export async function viewOf(drive: Drive): Promise<View> {
  const names = await drive.readdir('/', { recursive: true })
  const lines = names.toSorted().map(async (name) => {
    const stat = await drive.lstat(name)
    const mark = stat.isFile() ? markOf(await drive.readFile(name)) : 'directory'
    return `${name} ${stat.mode} ${stat.size} ${stat.offset} ${Number(stat.mtime)} ${mark}`
  })
  return (await Promise.all(lines)).join('\n')
}

/** Whether a log holds all that another has. */
export function hasAll(log: Log | null, of: Log | null): boolean {
  if (!of || of.length === 0) return true
  return log !== null && log.length >= of.length && log.has(0, of.length)
}

/** Length and tree hash of a log, as text. */
export async function headOf(log: Log | null): Promise<string> {
  if (!log || log.length === 0) return 'none'
  return `${log.length} ${toHex(treeHash(await log.rootHashes(log.length - 1)))}`
}

/** Where a store keeps a log. */
export function pathOf(log: Log): string {
  const name = log.discoveryKey ? toHex(log.discoveryKey) : ''
  return `${name.slice(0, 2)}/${name.slice(2, 4)}/${name}`
}
