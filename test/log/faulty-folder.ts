/**
 * A folder in memory that fails as disks do: a write that fails, a process that ends after some write,
 * a power cut that loses any of what was not synced.
 *
 * @module
 */
import { MemoryFolder, StorageError } from '../../src/storage/index.ts'
import type { RandomAccess } from '../../src/storage/index.ts'

type Change = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>

interface Disk {
  /** What a power cut leaves for sure; null when the file was never synced. */
  synced: Uint8Array<ArrayBuffer> | null
  /** Changes since, in order. */
  pending: Change[]
}

/** How a change fares when it is called. */
export type Fate = 'done' | 'fails' | 'ends'

/** Files with a memory of what was synced. */
export class FaultyFolder {
  readonly #disks = new Map<string, Disk>()
  /** Changes called so far. */
  changes = 0
  /** Decides about change number `n`, from 1. After `'ends'` nothing more is written. */
  fate: (n: number) => Fate = () => 'done'
  #ended = false

  /** @param files - what is there, synced */
  constructor(files: Iterable<readonly [string, Uint8Array]> = []) {
    for (const [name, bytes] of files) {
      this.#disks.set(name, { synced: Uint8Array.from(bytes), pending: [] })
    }
  }

  /** Whether the process was made to end. */
  get ended(): boolean {
    return this.#ended
  }

  readonly open = (name: string): RandomAccess => {
    const disk = this.#disks.get(name) ?? { synced: null, pending: [] }
    this.#disks.set(name, disk)
    let live = current(disk)
    const change = async (apply: Change): Promise<void> => {
      if (this.#ended) throw io('the process has ended')
      const fate = this.fate(++this.changes)
      if (fate === 'fails') throw io('no space')
      if (fate === 'ends') {
        this.#ended = true
        throw io('the process has ended')
      }
      live = apply(live)
      disk.pending.push(apply)
    }
    return {
      read: async (offset, length) => {
        if (offset + length > live.length) throw new StorageError('STORAGE_SHORT', name)
        return live.slice(offset, offset + length)
      },
      write: (offset, bytes) => {
        const kept = Uint8Array.from(bytes)
        return change((before) => {
          if (kept.length === 0) return before
          const after = resize(before, Math.max(before.length, offset + kept.length))
          after.set(kept, offset)
          return after
        })
      },
      truncate: (length) => change((before) => resize(before, length)),
      punch: async (offset, length) => {
        if (offset + length < live.length) return 0
        await change((before) => resize(before, offset))
        return length
      },
      size: async () => live.length,
      sync: async () => {
        if (this.#ended) throw io('the process has ended')
        if (disk.pending.length === 0) return
        disk.synced = live.slice()
        disk.pending = []
      },
      close: async () => undefined,
      destroy: async () => undefined,
    }
  }

  /** What a killed process leaves: everything written. */
  left(): MemoryFolder {
    return new MemoryFolder(
      [...this.#disks].flatMap(([name, disk]) =>
        disk.synced || disk.pending.length > 0 ? [[name, current(disk)] as const] : [],
      ),
    )
  }

  /** What a power cut leaves: of changes that were not synced, those that `keep` says. */
  afterPowerCut(keep: () => boolean): MemoryFolder {
    return new MemoryFolder(
      [...this.#disks].flatMap(([name, { synced, pending }]) => {
        const kept = pending.filter(keep)
        if (!synced && kept.length === 0) return []
        return [[name, kept.reduce((bytes, apply) => apply(bytes), synced ?? new Uint8Array(0))]]
      }),
    )
  }
}

function current({ synced, pending }: Disk): Uint8Array<ArrayBuffer> {
  return pending.reduce((bytes, apply) => apply(bytes), synced ?? new Uint8Array(0))
}

function resize(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(length)
  out.set(bytes.subarray(0, length))
  return out
}

function io(message: string): StorageError {
  return new StorageError('STORAGE_IO', message)
}
