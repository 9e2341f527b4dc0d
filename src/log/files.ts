/**
 * The six files of a log, and what a program may give to store them in.
 *
 * @see spec/10-log.md 2.5 and 4.6
 * @module
 */
import { fromRandomAccess, openFolder } from '../storage/index.ts'
import type { OpenStorage, RandomAccess, RandomAccessObject } from '../storage/index.ts'

/** Names of the files, in the order in which storage is asked for them. */
export const FILE_NAMES = ['key', 'secret_key', 'tree', 'data', 'bitfield', 'signatures'] as const
/** Name of one of the files. */
export type FileName = (typeof FILE_NAMES)[number]
/** A file of our own, which v10 ignores: it is there once the key was found to have signed two histories. */
export const FORK_FILE = 'fork'
/** Another: which bits can be relied on after a power cut. */
export const DURABLE_FILE = 'durable'
type OwnFile = typeof FORK_FILE | typeof DURABLE_FILE
/** The files of one log. */
export type LogFiles = Readonly<Record<FileName, RandomAccess>>

/** What a storage function hears beside the name, once it is known. */
export interface StorageInfo {
  readonly key?: Uint8Array | null
  readonly discoveryKey?: Uint8Array | null
}

/**
 * Where a log is stored: a folder, or a function that gives each file: ours, or any
 * random-access-storage object.
 */
export type LogStorage =
  string | OpenStorage | ((name: string, info: StorageInfo) => RandomAccess | RandomAccessObject)

/** Asks for each file at most once. */
export class FileSource {
  readonly #open: (name: string, info: StorageInfo) => RandomAccess
  readonly #files = new Map<string, RandomAccess>()

  /**
   * @param exact - frees no disk space inside files, as v10
   * @throws TypeError when `storage` is neither a folder nor a function
   */
  constructor(storage: LogStorage, exact: boolean) {
    if (typeof storage === 'string') this.#open = openFolder(storage, { holes: !exact })
    else if (typeof storage === 'function') {
      this.#open = (name, info) => {
        const file: RandomAccess | RandomAccessObject = storage(name, info)
        return isRandomAccess(file) ? file : fromRandomAccess(file)
      }
    } else throw new TypeError('want storage as a folder or a function')
  }

  /** The file of a name. */
  file(name: FileName | OwnFile, info: StorageInfo = {}): RandomAccess {
    let file = this.#files.get(name)
    if (!file) {
      file = this.#open(name, info)
      this.#files.set(name, file)
    }
    return file
  }

  /** All six, in order. */
  all(info: StorageInfo): LogFiles {
    return {
      key: this.file('key', info),
      secret_key: this.file('secret_key', info),
      tree: this.file('tree', info),
      data: this.file('data', info),
      bitfield: this.file('bitfield', info),
      signatures: this.file('signatures', info),
    }
  }

  /** Close every file that was asked for. Rejects with the first failure, after trying all. */
  async close(): Promise<void> {
    await settleAll([...this.#files.values()].map((file) => file.close()))
  }

  /** Delete all of them, and our own beside them. */
  async destroy(): Promise<void> {
    const names = [...FILE_NAMES, FORK_FILE, DURABLE_FILE] as const
    await settleAll(names.map((name) => this.file(name).destroy()))
  }
}

function isRandomAccess(file: RandomAccess | RandomAccessObject): file is RandomAccess {
  return 'punch' in file && 'sync' in file
}

async function settleAll(work: Array<Promise<void>>): Promise<void> {
  for (const outcome of await Promise.allSettled(work)) {
    if (outcome.status === 'rejected') throw outcome.reason
  }
}
