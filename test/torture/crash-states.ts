/**
 * What a disk holds after a crash, derived from a journal.
 *
 * - *kill*: the process ends. Everything done is there; of what was under way, on each file the first
 *   few calls.
 * - *torn*: the same, and one call under way arrived up to a sector's end.
 * - *cut*: the power goes. What was synced is there; of every later change any sectors, none, or zeros
 *   in its place (the size arrived and the bytes did not).
 *
 * @module
 */
import type { Chance } from './chance.ts'
import type { Moment, Operation } from './recording-folder.ts'

/** Files by name. */
export type Files = Map<string, Uint8Array>

/** What is known about one file while the journal is walked. */
interface Disk {
  /** Everything done. */
  applied: Uint8Array<ArrayBuffer>
  /** Null: a power cut leaves no such file. */
  synced: Uint8Array<ArrayBuffer> | null
  /** Done, not synced. */
  pending: Operation[]
  /** Called, not done. */
  underWay: Operation[]
  exists: boolean
}

/** Walks a journal, and tells at every moment what a crash would leave. */
export class CrashStates {
  readonly #disks = new Map<string, Disk>()

  /** @param files - what was there before, synced */
  constructor(files: ReadonlyMap<string, Uint8Array>) {
    for (const [name, bytes] of files) {
      const applied = Uint8Array.from(bytes)
      this.#disks.set(name, {
        applied,
        synced: applied,
        pending: [],
        underWay: [],
        exists: true,
      })
    }
  }

  /** Go past one moment. */
  pass({ operation, done }: Moment): void {
    const disk = this.#disk(operation.file)
    if (!done) {
      disk.underWay.push(operation)
      return
    }
    disk.underWay.splice(disk.underWay.indexOf(operation), 1)
    if (operation.type === 'sync') {
      if (disk.exists) disk.synced = disk.applied
      disk.pending = []
      return
    }
    disk.applied = apply(disk.applied, operation)
    disk.exists = true
    disk.pending.push(operation)
  }

  /** The process is killed now. */
  killed(chance: Chance): Files {
    const files: Files = new Map()
    for (const [name, disk] of this.#disks) {
      const count = chance.below(disk.underWay.length + 1)
      const bytes = disk.underWay.slice(0, count).reduce(apply, disk.applied)
      if (disk.exists || count > 0) files.set(name, bytes)
    }
    return files
  }

  /** Whether a write under way spans sectors of this size, so that it can tear. */
  tears(operation: Operation, sector: number): boolean {
    return sectorsOf(operation, sector) > 1
  }

  /** The process is killed while `operation` is under way, which arrived up to the end of some sector. */
  torn(operation: Operation, sector: number, chance: Chance): Files {
    const files = this.killed(chance)
    const disk = this.#disk(operation.file)
    const kept = 1 + chance.below(sectorsOf(operation, sector) - 1)
    const before = disk.underWay.slice(0, disk.underWay.indexOf(operation))
    const bytes = before.reduce(apply, disk.applied)
    files.set(
      operation.file,
      applySectors(bytes, operation, sector, (i) => (i < kept ? 'new' : 'old')),
    )
    return files
  }

  /** The power goes now. */
  powerCut(chance: Chance): Files {
    const files: Files = new Map()
    // Some cuts lose nearly all, some nearly nothing.
    const losing = chance.pick([0.1, 0.5, 0.9])
    for (const [name, disk] of this.#disks) {
      let bytes = disk.synced
      for (const operation of [...disk.pending, ...disk.underWay]) {
        if (operation.type === 'sync' || chance.coin(losing)) continue
        const sector = chance.pick([512, 4096])
        const whole = chance.coin(0.6)
        const zeros = chance.coin(0.1)
        bytes = applySectors(bytes ?? new Uint8Array(0), operation, sector, () => {
          if (whole) return zeros ? 'zeros' : 'new'
          return chance.pick(['new', 'new', 'old', 'zeros'] as const)
        })
      }
      if (bytes) files.set(name, bytes)
    }
    return files
  }

  #disk(name: string): Disk {
    let disk = this.#disks.get(name)
    if (!disk) {
      disk = { applied: new Uint8Array(0), synced: null, pending: [], underWay: [], exists: false }
      this.#disks.set(name, disk)
    }
    return disk
  }
}

/** The file after an operation, a new array. */
function apply(bytes: Uint8Array<ArrayBuffer>, operation: Operation): Uint8Array<ArrayBuffer> {
  if (operation.type === 'sync') return bytes
  if (operation.type === 'truncate') return resize(bytes, operation.length)
  if (operation.bytes.length === 0) return bytes
  const out = resize(bytes, Math.max(bytes.length, operation.offset + operation.bytes.length))
  out.set(operation.bytes, operation.offset)
  return out
}

function applySectors(
  bytes: Uint8Array<ArrayBuffer>,
  operation: Operation,
  sector: number,
  fate: (sector: number) => 'new' | 'old' | 'zeros',
): Uint8Array<ArrayBuffer> {
  if (operation.type !== 'write' || operation.bytes.length === 0) return apply(bytes, operation)
  let out = bytes
  const end = operation.offset + operation.bytes.length
  let number = 0
  for (let from = operation.offset; from < end; number++) {
    const to = Math.min(end, (Math.floor(from / sector) + 1) * sector)
    const what = fate(number)
    if (what !== 'old') {
      const fresh = operation.bytes.subarray(from - operation.offset, to - operation.offset)
      out = resize(out, Math.max(out.length, to))
      // Zeros come where nothing was: over old bytes a disk writes the new ones or none.
      if (what === 'new') out.set(fresh, from)
    }
    from = to
  }
  return out
}

function sectorsOf(operation: Operation, sector: number): number {
  if (operation.type !== 'write' || operation.bytes.length === 0) return 0
  const first = Math.floor(operation.offset / sector)
  return Math.floor((operation.offset + operation.bytes.length - 1) / sector) - first + 1
}

function resize(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(length)
  out.set(bytes.subarray(0, length))
  return out
}
