/**
 * A file of ours that is open: its content as the descriptors see it, stored or not.
 *
 *     write        →  segments           in memory up to 1 MiB, then in blocks of the content log that no entry names
 *     fsync, close →  one run of blocks  (`lay-out.ts`), then the entry names it: a new version
 *
 * All descriptors of a file share one of these. A crash, or a failure, before the entry is stored leaves the file as it
 * was. When somebody else replaces the content (`writeFile`, a stream, `cp`), it is as if they had truncated the file
 * and written it: what was changed here before is gone, and descriptors read the new bytes.
 *
 * @module
 */
import { Mutex } from '../../log/mutex.ts'
import type { Log } from '../../log/index.ts'
import { contentTurn } from '../content/content.ts'
import type { DriveContext, DriveTrie, Reads } from '../context.ts'
import { DriveError } from '../errors.ts'
import { append, layOut } from './lay-out.ts'
import { type Entry, type Owner, entryAt } from '../entries/lookup.ts'
import { openFilesOf } from './open-files.ts'
import { RunReaders } from '../content/run-readers.ts'
import { type Run, runIn } from '../content/run.ts'
import { type Segment, Segments } from './segments.ts'
import type { Stat } from '../entries/stat.ts'

/** Memory that one open file takes before what was written goes to the content log, in bytes. */
const HELD_BYTES = 1024 * 1024
/** What one segment takes in memory besides its bytes, about. */
const SEGMENT_BYTES = 128
/** Segments after which the file is written anew, so that their number stays bounded. */
const MAX_SEGMENTS = 65536
/** Runs of a file that are read in turns without looking for the place again; each keeps one block. */
const KEPT_READERS = 4

/** Who works on a file: its drive, and the path that errors name. */
export interface Worker {
  readonly context: DriveContext
  readonly path: string
}

/** The content of one file, shared by its descriptors. */
export class OpenFile {
  readonly content: Log
  readonly trie: DriveTrie
  readonly info: Owner['info']
  /** Where its entry is in the trie; null once that was removed. */
  innerPath: string | null
  /** What is stored of it. */
  #stat: Stat
  #segments: Segments
  /** Blocks of the metadata log when the entry was looked at last. */
  #version = -1
  /** Changes made, and how many of them are stored. */
  #changes = 0
  #storedChanges = 0
  #users = 0
  /** Segments there were when room was made last. */
  #settled = 0
  /** Whether blocks are being written: then the entry is ours to change. */
  #busy = false
  readonly #turns = new Mutex()
  readonly #readers = new RunReaders(KEPT_READERS)

  private constructor({ trie, info, innerPath, stat }: Entry, content: Log) {
    this.trie = trie
    this.info = info
    this.innerPath = innerPath
    this.content = content
    this.#stat = stat
    this.#segments = new Segments(runOfStat(content, stat))
  }

  /** The open file of an entry; each that asks has to `leave`. */
  static of(entry: Entry, content: Log): OpenFile {
    const table = openFilesOf(entry.trie.log)
    const file = table.get(entry.innerPath) ?? new OpenFile(entry, content)
    table.set(entry.innerPath, file)
    file.#users++
    return file
  }

  /** Bytes of the file. */
  get size(): number {
    return this.#segments.size
  }

  /** Number of the last change. */
  get changes(): number {
    return this.#changes
  }

  /** Bytes of the file, when what `stat` says is about to change. */
  sizeOver(stat: Stat): number | undefined {
    const isChanged = this.#changes > this.#storedChanges && sameContent(stat, this.#stat)
    return isChanged ? this.size : undefined
  }

  /**
   * Fill `out` from `position`.
   *
   * @returns how many bytes; fewer than asked for only at the end
   */
  async read(worker: Worker, position: number, out: Uint8Array, reads: Reads): Promise<number> {
    if (this.#isStale && !this.#busy) await this.#turns.run(() => this.#refresh(worker))
    let length = 0
    for (const segment of this.#segments.slice(position, position + out.length)) {
      const piece = out.subarray(length, length + segment.length)
      // One after the other, as they lie in the file.
      // oxlint-disable-next-line no-await-in-loop
      const filled = await this.#fill(piece, segment, reads)
      length += filled
      // An entry may say more than its blocks hold.
      if (filled < piece.length) break
    }
    return length
  }

  /**
   * Write a copy of `bytes` at `position`; null is the end of the file.
   *
   * @returns the position after them
   */
  write(worker: Worker, position: number | null, bytes: Uint8Array): Promise<number> {
    return this.#turns.run(async () => {
      await this.#refresh(worker)
      let at = position ?? this.size
      if (!Number.isSafeInteger(at + bytes.length)) {
        throw new DriveError('EINVAL', {
          syscall: 'write',
          path: worker.path,
          reason: 'past 2 ** 53',
        })
      }
      for (let from = 0; from < bytes.length; from += HELD_BYTES) {
        const piece = bytes.subarray(from, from + HELD_BYTES)
        this.#segments.write(at, piece)
        this.#changes++
        at += piece.length
        // What was written before must be out of memory before more comes in.
        // oxlint-disable-next-line no-await-in-loop
        if (this.#isFull) await this.#makeRoom(worker)
      }
      return at
    })
  }

  /** Cut the file, or fill it up with zeros. */
  resize(worker: Worker, size: number): Promise<void> {
    return this.#turns.run(async () => {
      await this.#refresh(worker)
      if (size === this.size) return
      this.#segments.resize(size)
      this.#changes++
    })
  }

  /** Store the changes up to number `change`, as a new version, unless they are stored. */
  store(worker: Worker, change: number): Promise<void> {
    return this.#turns.run(async () => {
      if (change <= this.#storedChanges) return
      await this.#appending(() => this.#store(worker))
    })
  }

  /** What is known of the file, with its size as it is now. */
  async stat(worker: Worker): Promise<Stat> {
    if (!this.#busy) await this.#turns.run(() => this.#refresh(worker))
    return this.#stat.with({ size: this.size }, worker.context.now())
  }

  /** The place of its entry, or null once that was removed. */
  placeOf({ path }: Worker): (Owner & { readonly path: string; readonly entry: null }) | null {
    const { trie, info, innerPath } = this
    return innerPath === null ? null : { trie, info, innerPath, path, entry: null }
  }

  /** One descriptor less. */
  leave(): void {
    this.#users--
    if (this.#users > 0) return
    this.#readers.close()
    const table = openFilesOf(this.trie.log)
    if (this.innerPath !== null && table.get(this.innerPath) === this) table.delete(this.innerPath)
  }

  get #isStale(): boolean {
    return this.innerPath !== null && this.#version !== this.trie.log.length
  }

  /** Whether what came since room was made last is all that may be held. */
  get #isFull(): boolean {
    const { heldBytes, count } = this.#segments
    return heldBytes + Math.max(0, count - this.#settled) * SEGMENT_BYTES >= HELD_BYTES
  }

  async #fill(out: Uint8Array, segment: Segment, reads: Reads): Promise<number> {
    if (segment.type === 'run') return this.#readers.read(segment.run, segment.skip, out, reads)
    if (segment.type === 'bytes') out.set(segment.bytes)
    else out.fill(0)
    return out.length
  }

  /** Take over what others stored meanwhile. */
  async #refresh({ context, path }: Worker): Promise<void> {
    if (!this.#isStale) return
    const { length } = this.trie.log
    const place = this.placeOf({ context, path })
    const entry = place && (await entryAt(context, place))
    // Moved or removed while it was looked for: that was said, and counts.
    if (!place || place.innerPath !== this.innerPath) return
    this.#version = length
    if (!isPlainFile(entry)) {
      this.#detach()
    } else if (sameContent(entry.stat, this.#stat)) {
      this.#stat = entry.stat
    } else {
      this.#stat = entry.stat
      this.#become(runOfStat(this.content, entry.stat))
      this.#storedChanges = this.#changes
    }
  }

  #detach(): void {
    if (this.innerPath === null) return
    const table = openFilesOf(this.trie.log)
    if (table.get(this.innerPath) === this) table.delete(this.innerPath)
    this.innerPath = null
  }

  #become(run: Run | null): void {
    this.#segments = new Segments(run)
    this.#settled = 0
  }

  /** Write what is in memory to the content log, where no entry names it yet. */
  async #makeRoom({ context }: Worker): Promise<void> {
    await this.#appending(async () => {
      const segments = this.#segments
      const bytes = segments
        .memory()
        .map((piece): Segment => ({ at: 0, length: piece.length, type: 'bytes', bytes: piece }))
      if (bytes.length > 0) segments.stored(await append(this.content, bytes, context.reads()))
      if (segments.count > MAX_SEGMENTS) {
        this.#become(await layOut(this.content, segments.all(), context.reads()))
      }
      this.#settled = this.#segments.count
    })
  }

  /** With nobody else appending to the content log. */
  async #appending(work: () => Promise<void>): Promise<void> {
    const release = await contentTurn(this.content)
    this.#busy = true
    try {
      await work()
    } finally {
      this.#busy = false
      release()
    }
  }

  async #store(worker: Worker): Promise<void> {
    const { context, path } = worker
    await this.#refresh(worker)
    const changes = this.#changes
    if (this.innerPath === null || changes === this.#storedChanges) {
      this.#storedChanges = changes
      return
    }
    context.emit('appending', path, this.#stat)
    const run = await layOut(this.content, this.#segments.all(), context.reads())
    const next: { stat?: Stat } = {}
    const appended = await this.trie.trie.batch(async () => {
      const place = this.placeOf(worker)
      const entry = place && (await entryAt(context, place))
      if (!place || !isPlainFile(entry)) return []
      const now = context.now()
      const where = run
        ? { offset: run.start, byteOffset: run.byteOffset, blocks: run.end - run.start }
        : { blocks: 0 }
      const size = run?.size ?? 0
      next.stat = entry.stat.with({ ...where, size, mtime: now, ctime: now }, now)
      return [{ key: place.innerPath, value: next.stat.encode(), flags: entry.flags }]
    })
    this.#become(run)
    this.#storedChanges = changes
    const last = appended.at(-1)
    if (!next.stat || !last) return this.#detach()
    this.#stat = next.stat
    this.#version = last.seq + 1
    context.emit('append', path, next.stat)
  }
}

/** What descriptors can share: a file of ours, and no mounted log. */
export function isPlainFile(entry: Entry | null): entry is Entry {
  return entry !== null && entry.stat.isFile() && entry.stat.mount === null
}

function runOfStat(content: Log, stat: Stat): Run | null {
  return stat.blocks === 0 ? null : runIn(content, stat)
}

/** Whether two stats name the same bytes. */
function sameContent(a: Stat, b: Stat): boolean {
  if (a.blocks !== b.blocks || a.size !== b.size) return false
  return a.blocks === 0 || (a.offset === b.offset && a.byteOffset === b.byteOffset)
}
