/**
 * What is known of one entry: the stored record, and the face that Node's `fs.Stats` gives it.
 *
 * A `Stat` never changes. `file`, `directory` and `link` make one, with the type's bits put into the mode.
 *
 * @see spec/40-drive.md 2.4
 * @module
 */
/// <reference types="node" preserve="true" />
import { asBuffer, fromUtf8 } from '../../bytes.ts'
import { constants } from '../open/constants.ts'
import {
  type MetadataValue,
  type MountRecord,
  type StatRecord,
  decodeStat,
  encodeStat,
} from './stat-codec.ts'

const { S_IFMT, S_IFREG, S_IFDIR, S_IFLNK, S_IFSOCK, S_IFBLK, S_IFCHR, S_IFIFO } = constants

/** Metadata as users give it: a string is stored as UTF-8, `null` marks a key as removed. */
export type MetadataInput = Readonly<Record<string, Uint8Array | string | null | undefined>>

/** Fields of an entry as users give them; what is absent or 0 has the type's default. */
export interface StatInput {
  /** Permissions; type bits are added. Default 0o644, of directories 0o755. */
  readonly mode?: number | undefined
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  /** Bytes of content. */
  readonly size?: number | undefined
  /** Content blocks, from block `offset` on. */
  readonly blocks?: number | undefined
  readonly offset?: number | undefined
  /** Bytes of the content log before block `offset`. */
  readonly byteOffset?: number | undefined
  /** Milliseconds since 1970, or a date; default now. */
  readonly mtime?: number | Date | undefined
  readonly ctime?: number | Date | undefined
  /** The target of a link. */
  readonly linkname?: string | null | undefined
  readonly mount?: MountRecord | null | undefined
  readonly metadata?: MetadataInput | null | undefined
}

/** What is mounted at an entry. */
export interface StatMount {
  readonly key: Buffer
  readonly version: number | null
  readonly hash: Buffer | null
  /** A plain log, shown as one file. */
  readonly hypercore: boolean
}

/** One entry, as v10's `Stat` and, as far as they go, Node's `Stats`. */
export class Stat {
  readonly dev: number
  readonly nlink: number
  readonly rdev: number
  readonly blksize: number
  readonly ino: number
  /** Type and permissions. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes of content. */
  readonly size: number
  /** First content block; means nothing when `blocks` is 0. */
  readonly offset: number
  /** Bytes of the content log before the first one. */
  readonly byteOffset: number
  /** Content blocks. */
  readonly blocks: number
  /** When this object was made: access times are not stored. */
  readonly atime: Date
  readonly mtime: Date
  readonly ctime: Date
  /** The target of a link, else null. */
  readonly linkname: string | null
  readonly mount: StatMount | null
  /** Values given to `writeFile` and the like; null: a removed key. */
  readonly metadata: Readonly<Record<string, Buffer | null>>

  /**
   * @param input - the fields; the mode is taken as it is
   * @param now - the clock, in milliseconds
   */
  constructor(input: StatInput, now: number) {
    this.dev = 0
    this.nlink = 1
    this.rdev = 0
    this.blksize = 0
    this.ino = 0
    this.mode = input.mode ?? 0
    this.uid = input.uid ?? 0
    this.gid = input.gid ?? 0
    this.size = input.size ?? 0
    this.offset = input.offset ?? 0
    this.byteOffset = input.byteOffset ?? 0
    this.blocks = input.blocks ?? 0
    this.atime = new Date(now)
    this.mtime = new Date(milliseconds(input.mtime) || now)
    this.ctime = new Date(milliseconds(input.ctime) || now)
    this.linkname = input.linkname || null
    this.mount = mountOf(input.mount)
    this.metadata = metadataOf(input.metadata)
  }

  /** A regular file, by default with mode 0o644. */
  static file(input: StatInput, now: number): Stat {
    return typed(input, S_IFREG, 0o644, now)
  }

  /** A directory, by default with mode 0o755. */
  static directory(input: StatInput, now: number): Stat {
    return typed(input, S_IFDIR, 0o755, now)
  }

  /** A symbolic link, by default with mode 0o644. */
  static link(input: StatInput, now: number): Stat {
    return typed(input, S_IFLNK, 0o644, now)
  }

  /**
   * The entry that a trie value holds.
   *
   * @throws {@link DriveError} `DRIVE_BAD_STAT`
   */
  static decode(bytes: Uint8Array, now: number): Stat {
    return new Stat(decodeStat(bytes, now), now)
  }

  /** The trie value that holds this entry. */
  encode(): Uint8Array {
    return encodeStat({ ...this.#fields, mtime: this.mtime.getTime(), ctime: this.ctime.getTime() })
  }

  /** This entry with `changes` laid over it; metadata is merged key by key. */
  with(changes: StatInput, now: number): Stat {
    const metadata = changes.metadata ? { ...this.metadata, ...changes.metadata } : this.metadata
    return new Stat({ ...this.#fields, ...changes, metadata }, now)
  }

  /** `atime` in milliseconds since 1970. */
  get atimeMs(): number {
    return this.atime.getTime()
  }

  /** `mtime` in milliseconds since 1970. */
  get mtimeMs(): number {
    return this.mtime.getTime()
  }

  /** `ctime` in milliseconds since 1970. */
  get ctimeMs(): number {
    return this.ctime.getTime()
  }

  /** Whether it is a regular file. */
  isFile(): boolean {
    return this.#is(S_IFREG)
  }

  /** Whether it is a directory. */
  isDirectory(): boolean {
    return this.#is(S_IFDIR)
  }

  /** Whether it is a symbolic link. */
  isSymbolicLink(): boolean {
    return this.#is(S_IFLNK)
  }

  /** The same as `isSymbolicLink`, by the name that Hyperdrive's document gives it. */
  isSymlink(): boolean {
    return this.#is(S_IFLNK)
  }

  /** Whether it is a socket; a drive never makes one. */
  isSocket(): boolean {
    return this.#is(S_IFSOCK)
  }

  /** Whether it is a block device; a drive never makes one. */
  isBlockDevice(): boolean {
    return this.#is(S_IFBLK)
  }

  /** Whether it is a character device; a drive never makes one. */
  isCharacterDevice(): boolean {
    return this.#is(S_IFCHR)
  }

  /** Whether it is a named pipe; a drive never makes one. */
  isFIFO(): boolean {
    return this.#is(S_IFIFO)
  }

  /** The stored fields, without the class around them. */
  get #fields(): Omit<StatRecord, 'mtime' | 'ctime'> & {
    readonly mtime: Date
    readonly ctime: Date
  } {
    const { mode, uid, gid, size, blocks, offset, byteOffset } = this
    const { mtime, ctime, linkname, mount, metadata } = this
    return {
      mode,
      uid,
      gid,
      size,
      blocks,
      offset,
      byteOffset,
      mtime,
      ctime,
      linkname,
      mount,
      metadata,
    }
  }

  #is(type: number): boolean {
    return typeOf(this.mode) === type
  }
}

/** The type bits of a mode, of which v10 keeps more than 16 bits. */
function typeOf(mode: number): number {
  return (mode % 0x10000) & S_IFMT
}

function typed(input: StatInput, type: number, permissions: number, now: number): Stat {
  const mode = input.mode || permissions
  // Modes above 31 bits are kept, so the type is put in by arithmetic on the lower half.
  const low = mode % 0x10000
  return new Stat({ ...input, mode: mode - low + (low | type) }, now)
}

function milliseconds(time: number | Date | undefined): number {
  return time instanceof Date ? time.getTime() : (time ?? 0)
}

function mountOf(mount: MountRecord | null | undefined): StatMount | null {
  if (!mount) return null
  return {
    key: asBuffer(mount.key),
    version: mount.version ?? null,
    hash: mount.hash ? asBuffer(mount.hash) : null,
    hypercore: mount.hypercore === true,
  }
}

/** A copy without prototype, with every value as bytes. */
function metadataOf(input: MetadataInput | null | undefined): Record<string, Buffer | null> {
  const out: Record<string, Buffer | null> = Object.create(null)
  for (const [key, value] of Object.entries(input ?? {})) out[key] = valueOf(value, key)
  return out
}

function valueOf(value: unknown, key: string): Buffer | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return asBuffer(fromUtf8(value))
  if (value instanceof Uint8Array) return asBuffer(value)
  throw new TypeError(`metadata '${key}': want bytes, a string or null`)
}

/** Metadata as it is stored. */
export type { MetadataValue, MountRecord }
