/**
 * A folder of the system, file by file: what an import reads and an export writes. With `descriptor.ts` and
 * `folder-lock.ts` the only place that touches `node:fs`.
 *
 * Nothing outside the folder is ever read or written, whatever the names: they are refused unless each part is a plain
 * name, links are never followed, and a file that is written takes the place of its old self at once, by a rename. That
 * holds as long as nobody else changes the folder meanwhile: Node cannot open relative to a directory.
 *
 * Calls on names and small files are made at once, on the thread of the program: by way of the thread pool each costs 17 µs
 * of CPU, and an import makes four for each file. Whoever makes many of them has to let the event loop in between.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { resolve } from 'node:path'
import { allocUnsafe } from '../bytes.ts'
import * as descriptor from './descriptor.ts'
import { StorageError, errorCode, ioError } from './storage-error.ts'

/** What is at a name of a folder. */
export interface RealEntry {
  /** Names from the folder down, with `/` between them. */
  readonly path: string
  readonly type: 'file' | 'directory' | 'link' | 'other'
  /** Bytes. */
  readonly size: number
  /** Milliseconds since 1970, to the nearest, at least 1: what is set by a fraction of a second comes back so. */
  readonly mtime: number
  /** Permissions, with set-uid, set-gid and sticky. */
  readonly mode: number
}

/** Mode and time of modification, in milliseconds since 1970. */
export interface Attributes {
  readonly mode: number
  readonly mtime: number
}

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants
/** One that is not there yet, not even as a link. */
const NEW_FILE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
const PERMISSIONS = 0o7777
const NO_ERROR = { throwIfNoEntry: false } as const
const NO_ROOM = new Uint8Array(0)
/** What an export sets: a drive of others must not make programs that run as whoever exports it. */
const EXPORTED = 0o777
/** A file that is being written; the rest is a hash of its name, so that it can be found again, and fits. */
const PARTIAL = '.varve-partial-'

/** A folder of the system. */
export class RealFolder {
  /** Its absolute path, links resolved. */
  readonly path: string
  /** Directories that are known to be none but directories, down from the folder. */
  readonly #directories = new Set<string>([''])

  private constructor(path: string) {
    this.path = path
  }

  /**
   * The folder at `path`, which may be a link to it.
   *
   * @param create - make it and those above it when it is missing
   * @throws StorageError `STORAGE_IO` when it is missing or none
   */
  static open(path: string, create = false): RealFolder {
    return guarded(path, () => {
      if (create) fs.mkdirSync(resolve(path), { recursive: true })
      const real = fs.realpathSync(resolve(path))
      if (!fs.statSync(real).isDirectory()) {
        throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' })
      }
      return new RealFolder(real)
    })
  }

  /**
   * What is directly in a directory of it, by name in order. What is gone by the time it is looked at, and what is left of
   * an export that was cut short, is left out.
   *
   * @param path - of the directory; empty for the folder itself
   * @param keep - whether to list an entry
   */
  list(path: string, keep: (entry: RealEntry) => boolean = () => true): RealListing {
    const names = guarded(path, () => fs.readdirSync(this.#at(path))).toSorted()
    const listing = new RealListing(path, names.length)
    for (const name of names) {
      if (name.startsWith(PARTIAL)) continue
      const entry = this.look(path === '' ? name : `${path}/${name}`)
      if (entry && keep(entry)) listing.add(name, entry)
    }
    return listing
  }

  /** What is at `path`, links not followed; null for nothing. */
  look(path: string): RealEntry | null {
    const place = this.#at(path)
    try {
      const stats = fs.lstatSync(place, NO_ERROR)
      if (!stats) return null
      const { size, mode } = stats
      const mtime = Math.max(1, Math.round(stats.mtimeMs))
      return { path, type: typeOf(mode), size, mtime, mode: mode & PERMISSIONS }
    } catch (error) {
      throw ioError(path, error)
    }
  }

  /** The target of a link, as it is stored. */
  target(path: string): string {
    return guarded(path, () => fs.readlinkSync(this.#at(path)))
  }

  /**
   * All bytes of a file, at once, at `at` of `out` when they and one more have room there; otherwise in memory of their
   * own.
   *
   * @param size - bytes it should have; it is read to its end all the same
   */
  read(path: string, size: number, out: Uint8Array = NO_ROOM, at = 0): Uint8Array {
    let fd = -1
    try {
      fd = fs.openSync(this.#at(path), O_RDONLY | O_NOFOLLOW)
      // One byte more, so that one call tells that this is the end.
      let into = at + size < out.length ? out.subarray(at, at + size + 1) : allocUnsafe(size + 1)
      let length = 0
      for (;;) {
        const count = fs.readSync(fd, into, length, into.length - length, null)
        length += count
        if (count === 0 || length < into.length) return into.subarray(0, length)
        // It has grown since it was listed.
        const larger = allocUnsafe(into.length * 2)
        larger.set(into)
        into = larger
      }
    } catch (error) {
      throw error instanceof StorageError ? error : ioError(path, error)
    } finally {
      if (fd >= 0) fs.closeSync(fd)
    }
  }

  /**
   * The bytes of a file in pieces, each but the last of `length` bytes; each is the caller's own.
   *
   * @yields the pieces
   */
  async *pieces(path: string, length: number): AsyncGenerator<Uint8Array, void, undefined> {
    const fd = guarded(path, () => fs.openSync(this.#at(path), O_RDONLY | O_NOFOLLOW))
    try {
      for (let at = 0; ; at += length) {
        const out = allocUnsafe(length)
        // oxlint-disable-next-line no-await-in-loop -- in order
        const count = await descriptor.readFully(fd, out, at)
        if (count > 0) yield out.subarray(0, count)
        if (count < length) return
      }
    } catch (error) {
      throw error instanceof StorageError ? error : ioError(path, error)
    } finally {
      await descriptor.close(fd)
    }
  }

  /** Make the directory at `path` and those above it; what else is there, a link too, makes room. */
  makeDirectory(path: string): void {
    if (this.#directories.has(path)) return
    const at = path.lastIndexOf('/')
    this.makeDirectory(at < 0 ? '' : path.slice(0, at))
    guarded(path, () => {
      const place = this.#at(path)
      const stats = fs.lstatSync(place, { throwIfNoEntry: false })
      if (stats && !stats.isDirectory()) fs.unlinkSync(place)
      if (!stats?.isDirectory()) fs.mkdirSync(place)
      // Until it is finished it has to let us in.
      else if ((stats.mode & 0o700) !== 0o700)
        fs.chmodSync(place, (stats.mode & PERMISSIONS) | 0o700)
    })
    this.#directories.add(path)
  }

  /** Begin to write the file at `path`, whose directory is there; what is at `path` stays until it is finished. */
  create(path: string): RealFile {
    return guarded(path, () => {
      const partial = this.#partialOf(path)
      const fd = anew(partial, () => fs.openSync(partial, NEW_FILE, 0o600))
      return new RealFile(fd, partial, this.#at(path))
    })
  }

  /** Put a link at `path`, whose directory is there, in the place of what is no directory. */
  link(path: string, target: string): void {
    guarded(path, () => {
      const partial = this.#partialOf(path)
      anew(partial, () => fs.symlinkSync(target, partial))
      fs.renameSync(partial, this.#at(path))
    })
  }

  /** Set mode and time of what is at `path`: no link. */
  setAttributes(path: string, { mode, mtime }: Attributes): void {
    guarded(path, () => {
      const place = this.#at(path)
      fs.utimesSync(place, mtime / 1000, mtime / 1000)
      fs.chmodSync(place, mode & EXPORTED)
    })
  }

  /** Remove what is at `path`, a directory with everything in it; links are removed, not followed. */
  remove(path: string): void {
    // All of them: where upper and lower case are one, it may be known by another name.
    this.#directories.clear()
    this.#directories.add('')
    guarded(path, () => fs.rmSync(this.#at(path), { recursive: true, force: true }))
  }

  /** Where something is made that will take the place at `path`. */
  #partialOf(path: string): string {
    const at = path.lastIndexOf('/') + 1
    const name = createHash('sha256').update(path.slice(at)).digest('hex').slice(0, 32)
    return this.#at(`${path.slice(0, at)}${PARTIAL}${name}`)
  }

  #at(path: string): string {
    if (path === '') return this.path
    if (!isPlain(path)) throw new StorageError('STORAGE_IO', `${path}: no name in a folder`)
    // Not by `join`: there is nothing to normalise, and it costs as much as the call that follows.
    return `${this.path}/${path}`
  }
}

const TYPES = ['file', 'directory', 'link', 'other'] as const

/** What is in a directory, in 30 bytes and a name each: a folder may have a million entries. */
export class RealListing implements Iterable<RealEntry> {
  /** The directory; empty for the folder itself. */
  readonly directory: string
  readonly #names: string[] = []
  /** Of each: type, size, mtime, mode. */
  readonly #values: Float64Array

  /** @internal */
  constructor(directory: string, most: number) {
    this.directory = directory
    this.#values = new Float64Array(4 * most)
  }

  /** Number of entries. */
  get length(): number {
    return this.#names.length
  }

  /** @internal Put an entry at the end. */
  add(name: string, { type, size, mtime, mode }: RealEntry): void {
    const values = this.#values
    const at = 4 * this.#names.length
    values[at] = TYPES.indexOf(type)
    values[at + 1] = size
    values[at + 2] = mtime
    values[at + 3] = mode
    this.#names.push(name)
  }

  /** Whether it has a name. */
  has(name: string): boolean {
    return this.#names.includes(name)
  }

  /** Entry number `i`. */
  at(i: number): RealEntry {
    const values = this.#values
    const at = 4 * i
    const name = this.#names[i] ?? ''
    return {
      path: this.directory === '' ? name : `${this.directory}/${name}`,
      type: TYPES[values[at] ?? 3] ?? 'other',
      size: values[at + 1] ?? 0,
      mtime: values[at + 2] ?? 1,
      mode: values[at + 3] ?? 0,
    }
  }

  /** @yields the entries, in order */
  *[Symbol.iterator](): Generator<RealEntry, void, undefined> {
    for (let i = 0; i < this.#names.length; i++) yield this.at(i)
  }
}

/** A file that is being written beside its place. */
export class RealFile {
  readonly #fd: number
  readonly #partial: string
  readonly #place: string
  #closed = false

  /** @internal */
  constructor(fd: number, partial: string, place: string) {
    this.#fd = fd
    this.#partial = partial
    this.#place = place
  }

  /** Write small bytes at once. */
  writeNow(bytes: Uint8Array, offset: number): void {
    guarded(this.#place, () => {
      for (let at = 0; at < bytes.length;) {
        at += fs.writeSync(this.#fd, bytes, at, bytes.length - at, offset + at)
      }
    })
  }

  /** Write bytes. */
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    try {
      await descriptor.writeFully(this.#fd, bytes, offset)
    } catch (error) {
      throw ioError(this.#place, error)
    }
  }

  /** Set its attributes and put it where it belongs, in the place of what is there. */
  finish({ mode, mtime }: Attributes): void {
    guarded(this.#place, () => {
      fs.futimesSync(this.#fd, mtime / 1000, mtime / 1000)
      fs.fchmodSync(this.#fd, mode & EXPORTED)
      this.#close()
      fs.renameSync(this.#partial, this.#place)
    })
  }

  /** Give it up. */
  abort(): void {
    guarded(this.#place, () => {
      this.#close()
      fs.rmSync(this.#partial, { force: true })
    })
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    fs.closeSync(this.#fd)
  }
}

/** Whether a path leads nowhere but down: its parts are names, and none of them stands for another place. */
export function isPlain(path: string, platform: string = process.platform): boolean {
  return !NOT_PLAIN.test(path) && !(platform === 'win32' && NOT_PLAIN_ON_WINDOWS.test(path))
}

/** An empty name, `.`, `..`, or a NUL, which ends the name for the system. */
// oxlint-disable-next-line no-control-regex -- it is what is looked for
const NOT_PLAIN = /(?:^|\/)\.{0,2}(?:\/|$)|\0/u
/** `a\b` and `c:x` are more than a name there, and `con` or `x.` are not the files they seem to be. */
const NOT_PLAIN_ON_WINDOWS =
  /[\\:*?"<>|]|[. ](?:\/|$)|(?:^|\/)(?:con|prn|aux|nul|com\d|lpt\d)(?:[./]|$)/iu

function typeOf(mode: number): RealEntry['type'] {
  const type = mode & fs.constants.S_IFMT
  if (type === fs.constants.S_IFREG) return 'file'
  if (type === fs.constants.S_IFDIR) return 'directory'
  return type === fs.constants.S_IFLNK ? 'link' : 'other'
}

/** Make something new at a place, where an export that was cut short may have left its own. */
function anew<T>(place: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
    fs.unlinkSync(place)
    return make()
  }
}

function guarded<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof StorageError ? error : ioError(path, error)
  }
}
