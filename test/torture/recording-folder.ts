/**
 * A folder in memory that writes down what is done to it, call by call, and fails when told to.
 *
 * Each call takes a seeded number of microtasks, so that calls on different files overlap and end in
 * different orders; calls on one file take effect in theirs. Every change and sync is in the journal
 * twice: when it is called, and when it is done. crash-states.ts makes of this what a crash leaves.
 *
 * @module
 */
import { StorageError } from '../../src/storage/index.ts'
import type { RandomAccess } from '../../src/storage/index.ts'
import type { Chance } from './chance.ts'

/** What was done to a file. */
export type Operation = { readonly file: string } & (
  | { readonly type: 'write'; readonly offset: number; bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: 'truncate'; readonly length: number }
  | { readonly type: 'sync' }
)

/** An operation was called, or is done. */
export interface Moment {
  readonly operation: Operation
  readonly done: boolean
}

/** A call of any kind, also one that changes nothing. */
export type CallType = 'read' | 'write' | 'truncate' | 'size' | 'sync'

/** How a call fails. */
export type Failure =
  /** The system says no. */
  | 'EIO'
  /** The disk is full: of a write some bytes arrive. */
  | 'ENOSPC'
  /** A read ends early. */
  | 'short'

/** A file with room to grow. */
class Live {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(256)
  length = 0
  exists = false
  tail: Promise<unknown> = Promise.resolve()

  resize(length: number): void {
    this.exists = true
    if (length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.bytes.length))
      larger.set(this.bytes.subarray(0, this.length))
      this.bytes = larger
    } else if (length < this.length) {
      this.bytes.fill(0, length, this.length)
    }
    this.length = length
  }

  put(offset: number, bytes: Uint8Array): void {
    this.exists = true
    if (bytes.length === 0) return
    if (offset + bytes.length > this.length) this.resize(offset + bytes.length)
    this.bytes.set(bytes, offset)
  }
}

/** Files by name, their journal, and faults. */
export class RecordingFolder {
  readonly moments: Moment[] = []
  /** What every call was, in order. */
  readonly calls: CallType[] = []
  /** Decides about call `n`, counted from 0. */
  fault: (n: number, type: CallType) => Failure | null = () => null
  readonly #files = new Map<string, Live>()
  readonly #chance: Chance

  /** @param files - what is there, synced */
  constructor(chance: Chance, files: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.#chance = chance
    for (const [name, bytes] of files) {
      const live = new Live()
      live.put(0, bytes)
      live.exists = true
      this.#files.set(name, live)
    }
  }

  /** What is in the files now, as a killed process leaves it. */
  left(): Map<string, Uint8Array> {
    const left = new Map<string, Uint8Array>()
    for (const [name, live] of this.#files) {
      if (live.exists) left.set(name, live.bytes.slice(0, live.length))
    }
    return left
  }

  readonly open = (name: string): RandomAccess => {
    const live = this.#files.get(name) ?? new Live()
    this.#files.set(name, live)
    let isClosed = false

    const queue = <T>(type: CallType, run: (failure: Failure | null) => T): Promise<T> => {
      if (isClosed) return Promise.reject(new StorageError('STORAGE_CLOSED', name))
      const failure = this.fault(this.calls.length, type)
      this.calls.push(type)
      const turns = this.#chance.below(6)
      const work = live.tail.then(async () => {
        // oxlint-disable-next-line no-await-in-loop -- that is what takes time here
        for (let i = 0; i < turns; i++) await Promise.resolve()
        return run(failure)
      })
      live.tail = work.catch(() => undefined)
      return work
    }

    const change = (
      type: 'write' | 'truncate' | 'sync',
      operation: Operation,
      apply: (failure: Failure | null) => void,
    ): Promise<void> => {
      if (!isClosed) this.moments.push({ operation, done: false })
      return queue(type, (failure) => {
        // A failed call is in the journal as called for ever: of it, anything may have arrived.
        apply(failure)
        this.moments.push({ operation, done: true })
      })
    }

    const truncate = (length: number): Promise<void> =>
      change('truncate', { file: name, type: 'truncate', length }, (failure) => {
        if (failure) throw refusal(failure, name)
        live.resize(length)
      })

    return {
      read: (offset, length) =>
        queue('read', (failure) => {
          if (failure) throw refusal(failure, name)
          const end = offset + length
          if (!live.exists || (length > 0 && end > live.length)) throw refusal('short', name)
          return live.bytes.slice(offset, end)
        }),
      write: (offset, bytes) => {
        const operation = {
          file: name,
          type: 'write',
          offset,
          bytes: Uint8Array.from(bytes),
        } as const satisfies Operation
        // A disk takes the bytes as they are at some time during the call.
        const late = this.#chance.coin()
        return change('write', operation, (failure) => {
          if (late) operation.bytes.set(bytes)
          if (failure === 'ENOSPC') {
            live.put(offset, operation.bytes.subarray(0, bytes.length >> 1))
          }
          if (failure) throw refusal(failure, name)
          live.put(offset, operation.bytes)
        })
      },
      truncate,
      punch: async (offset, length) => {
        const freed = Math.max(0, live.length - offset)
        if (offset + length >= live.length) {
          await truncate(offset)
          return freed
        }
        // A hole: reads as zeros.
        const operation = {
          file: name,
          type: 'write',
          offset,
          bytes: new Uint8Array(length),
        } as const
        await change('write', operation, (failure) => {
          if (failure) throw refusal(failure, name)
          live.put(offset, operation.bytes)
        })
        return length
      },
      size: () =>
        queue('size', (failure) => {
          if (failure) throw refusal(failure, name)
          return live.length
        }),
      sync: () =>
        change('sync', { file: name, type: 'sync' }, (failure) => {
          if (failure) throw refusal(failure, name)
        }),
      close: async () => {
        await live.tail
        isClosed = true
      },
      destroy: async () => {
        isClosed = true
      },
    }
  }
}

function refusal(failure: Failure, name: string): StorageError {
  if (failure === 'short') return new StorageError('STORAGE_SHORT', `${name}: ends early`)
  const cause = Object.assign(new Error(failure), { code: failure })
  return new StorageError('STORAGE_IO', `${name}: ${failure}`, { cause })
}
