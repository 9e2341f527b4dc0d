/**
 * A disk in memory that can be crashed: it knows what was written, and what of it was synced.
 *
 *     const disk = new Disk()          new Log(disk.open, …)
 *     const left = disk.killed()       what a process leaves that was killed
 *     const left = disk.cut(random)    what a power cut leaves: the tail of what was not synced is lost
 *
 * Whoever still writes to a disk that was left changes nothing of what is left.
 *
 * @module
 */
import { MemoryStorage } from '../../src/storage/index.ts'
import type { OpenStorage, RandomAccess } from '../../src/storage/index.ts'

interface Change {
  /** When it was made, among all changes of the disk. */
  readonly order: number
  readonly apply: (file: MemoryStorage) => void
}

interface File {
  readonly now: MemoryStorage
  /** As it was at its last sync; null: not there. */
  synced: Uint8Array | null
  /** Since then. */
  changes: Change[]
}

/** Files by name. */
export class Disk {
  readonly #files = new Map<string, File>()
  #order = 0

  /** @param files - what is there, synced */
  constructor(files: Iterable<readonly [name: string, bytes: Uint8Array]> = []) {
    for (const [name, bytes] of files) {
      this.#files.set(name, { now: new MemoryStorage(bytes), synced: bytes, changes: [] })
    }
  }

  /** Gives the file of a name. */
  readonly open: OpenStorage = (name) => {
    const file = this.#files.get(name) ?? { now: new MemoryStorage(), synced: null, changes: [] }
    this.#files.set(name, file)
    return this.#handle(file)
  }

  /** What the file `name` holds, or null. */
  read(name: string): Uint8Array | null {
    return this.#files.get(name)?.now.snapshot() ?? null
  }

  /** Whether more than `bytes` bytes of a file were ever synced. */
  wasSynced(name: string, bytes: number): boolean {
    return (this.#files.get(name)?.synced?.length ?? 0) > bytes
  }

  /** The disk after its process was killed. */
  killed(): Disk {
    return this.#left((file) => file.now.snapshot())
  }

  /** The disk after a power cut: what was written last and not synced is lost, in each file on its own or in all. */
  cut(random: () => number): Disk {
    const apart = random() < 0.5
    const last = Math.floor(random() * (this.#order + 1))
    return this.#left(({ synced, changes }) => {
      const end = apart ? Math.floor(random() * (this.#order + 1)) : last
      const kept = changes.filter(({ order }) => order < end)
      if (synced === null && kept.length === 0) return null
      const file = new MemoryStorage(synced ?? new Uint8Array(0))
      for (const { apply } of kept) apply(file)
      return file.snapshot()
    })
  }

  #left(snapshot: (file: File) => Uint8Array | null): Disk {
    const files: [string, Uint8Array][] = []
    for (const [name, file] of this.#files) {
      const bytes = snapshot(file)
      if (bytes) files.push([name, bytes])
    }
    return new Disk(files)
  }

  #handle(file: File): RandomAccess {
    const handle = new MemoryStorage(file.now)
    const changed = <T>(work: Promise<T>, apply: (on: MemoryStorage) => unknown): Promise<T> => {
      file.changes.push({ order: this.#order++, apply })
      return work
    }
    return {
      read: (offset, length) => handle.read(offset, length),
      write: (offset, bytes) => {
        const kept = Uint8Array.from(bytes)
        return changed(handle.write(offset, bytes), (on) => on.write(offset, kept))
      },
      truncate: (length) => changed(handle.truncate(length), (on) => on.truncate(length)),
      punch: (offset, length) =>
        changed(handle.punch(offset, length), (on) => on.punch(offset, length)),
      size: () => handle.size(),
      sync: async () => {
        await handle.sync()
        file.synced = file.now.snapshot()
        file.changes = []
      },
      close: () => handle.close(),
      destroy: () => handle.destroy(),
    }
  }
}
