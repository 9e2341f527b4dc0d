/**
 * A folder: one log, or a store of many, with drives among them.
 *
 * @see docs/protocol/40-drive.md 2.2 and 2.3
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { decodeHeader } from 'varve/trie'
import { Skip } from '../case.ts'
import { hex } from '../expect.ts'
import { StoredLog } from './stored-log.ts'

/** A drive: a log of entries whose first block names another log. */
export interface StoredDrive {
  readonly metadata: StoredLog
  /** Key that the header names. */
  readonly contentKey: Uint8Array | null
  readonly content: StoredLog | null
}

/** What lies below one path. */
export class StoredFolder {
  readonly path: string
  /** Key that the user named. */
  readonly wanted: string | null
  readonly logs: readonly StoredLog[]
  readonly masterKey: Uint8Array | null
  #drives: StoredDrive[] | null = null

  constructor(path: string, wanted: string | null = null) {
    if (!existsSync(path)) throw new Error(`there is no folder ${path}`)
    this.path = path
    this.wanted = wanted
    this.logs = [...logFolders(path)].toSorted().map((name) => new StoredLog(path, name))
    const master = join(path, 'master_key')
    this.masterKey = existsSync(master) ? new Uint8Array(readFileSync(master)) : null
  }

  /** The logs, or the case is left out. */
  some(which: (log: StoredLog) => boolean, what: string): readonly StoredLog[] {
    const some = this.logs.filter(which)
    if (some.length === 0) throw new Skip(`the folder holds ${what}`)
    return some
  }

  /** Logs whose first block is the header of a trie. */
  get drives(): readonly StoredDrive[] {
    return (this.#drives ??= this.logs.flatMap((metadata) => {
      const block = metadata.length > 0 && metadata.hasBlock(0) ? metadata.block(0) : null
      if (!block) return []
      try {
        const { type, metadata: contentKey } = decodeHeader(block)
        // One that names a content log is a drive's, whatever it says that it is.
        if (type !== 'hypertrie' && contentKey?.length !== 32) return []
        const content = contentKey && this.logOf(contentKey)
        return [{ metadata, contentKey, content: content ?? null }]
      } catch {
        return [] // a block that is no header: no drive
      }
    }))
  }

  /** The drives, or the case is left out. */
  someDrives(): readonly StoredDrive[] {
    if (this.drives.length === 0) throw new Skip('the folder holds no drive')
    return this.drives
  }

  /** The log of a key. */
  logOf(key: Uint8Array): StoredLog | null {
    return this.logs.find((log) => log.key !== null && hex(log.key) === hex(key)) ?? null
  }
}

function* logFolders(root: string, at: string = root): Iterable<string> {
  const entries = readdirSync(at, { withFileTypes: true })
  const names = new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => name))
  if (['key', 'tree', 'signatures', 'bitfield'].some((name) => names.has(name))) {
    yield relative(root, at)
  }
  for (const entry of entries)
    if (entry.isDirectory()) yield* logFolders(root, join(at, entry.name))
}
