/**
 * The numbers of open files, and the calls that take one.
 *
 *     list     [ file, –, file ]
 *     numbers    20      24         the next is 26; once 24 is closed, 22
 *
 * Numbers are `20 + 2 * place`. A closed place is empty; empty places at the end go, so only those are used again.
 *
 * @see spec/40-drive.md 3.7
 * @module
 */
import { constants, parseFlags } from './constants.ts'
import type { DriveContext, ReadOptions } from './context.ts'
import { Descriptor } from './descriptor.ts'
import { DriveError } from './errors.ts'
import { type Entry, firstBelow, lookUp, resolveEntry } from './lookup.ts'
import { update, upsert } from './metadata.ts'
import { absolute } from './paths.ts'
import { type Run, runOf } from './run.ts'
import type { Stat } from './stat.ts'

const { O_ACCMODE, O_CREAT, O_EXCL, O_TRUNC } = constants
const FIRST = 20
const STEP = 2

/** What `read` gives a promise; a callback gets the two one after the other. */
export interface ReadResult<B extends Uint8Array = Uint8Array> {
  readonly bytesRead: number
  /** The buffer that was handed in. */
  readonly buffer: B
}

/** What `write` gives a promise; a callback gets the two one after the other. */
export interface WriteResult<B extends Uint8Array = Uint8Array> {
  readonly bytesWritten: number
  /** The buffer that was handed in. */
  readonly buffer: B
}

/** The open files of one drive. */
export class DescriptorTable {
  readonly #context: DriveContext
  readonly #list: (Descriptor | null)[] = []

  /** @param context - the drive */
  constructor(context: DriveContext) {
    this.#context = context
  }

  /**
   * Open the file at `name`, links followed, and give its number.
   *
   * @param flags - as in Node's `fs.open`, text or number
   * @throws {@link DriveError} `EINVAL` for other flags; `ENOENT`, `EEXIST`; `EISDIR` for a directory (`exact`: to
   *   write one); `EROFS` (`exact`: `EINVAL`) to write where the drive cannot be written; `EPERM` to write a checkout
   *   or a mounted log
   */
  async open(name: string, flags: string | number): Promise<number> {
    const { exact } = this.#context
    const given = absolute(name, exact)
    const bits = parseFlags(flags, given)
    await this.#context.ready()
    const { path, entry } = await resolveEntry(this.#context, given, { syscall: 'open' })
    if (entry && bits & O_EXCL) throw new DriveError('EEXIST', { syscall: 'open', path })
    if ((bits & O_ACCMODE) === 0) {
      if (!exact && (await isDirectory(this.#context, path, entry))) {
        throw new DriveError('EISDIR', { syscall: 'open', path })
      }
      if (!entry) throw new DriveError('ENOENT', { syscall: 'open', path })
      return this.#add(
        path,
        entry.stat,
        await runOf(this.#context, entry, this.#context.reads()),
        bits,
      )
    }
    if (!entry && !(bits & O_CREAT)) throw new DriveError('ENOENT', { syscall: 'open', path })
    await this.#assertWritable(path, entry)
    const stat = await this.#prepare(path, entry, bits)
    const keeps = entry && !(bits & O_TRUNC)
    const run = keeps ? await runOf(this.#context, entry, this.#context.reads()) : null
    return this.#add(path, stat, run, bits)
  }

  /**
   * Read up to `length` bytes into `buffer` at `at`, from byte `position` of the file, or from where the last call
   * on this descriptor ended.
   *
   * @throws {@link DriveError} `EBADF`; `EINVAL` for a negative position
   */
  async read<B extends Uint8Array>(
    fd: number,
    buffer: B,
    at = 0,
    length: number = buffer.length - at,
    position: number | null = null,
    options: ReadOptions = {},
  ): Promise<ReadResult<B>> {
    const descriptor = this.#find(fd, 'read')
    assertPosition(position, 'read', descriptor.path)
    const bytesRead = await descriptor.read(regionOf(buffer, at, length), position, options)
    return { bytesRead, buffer }
  }

  /**
   * Write `buffer[at, at + length)` at byte `position` of the file, or where the last call ended. Only in order:
   * from 0, or from the end of a file opened for appending.
   *
   * @throws {@link DriveError} `EBADF`, also for another position
   */
  async write<B extends Uint8Array>(
    fd: number,
    buffer: B,
    at = 0,
    length: number = buffer.length - at,
    position: number | null = null,
  ): Promise<WriteResult<B>> {
    const descriptor = this.#find(fd, 'write')
    assertPosition(position, 'write', descriptor.path)
    const bytes = regionOf(buffer, at, length)
    await descriptor.write(bytes, position)
    return { bytesWritten: bytes.length, buffer }
  }

  /** Make the file empty. @throws {@link DriveError} `EBADF`; `EINVAL` for a size other than 0 */
  async ftruncate(fd: number, size = 0): Promise<void> {
    const descriptor = this.#find(fd, 'ftruncate')
    descriptor.assertTruncatable(size)
    await update(this.#context, descriptor.path, { size: 0, blocks: 0 }, 'ftruncate')
  }

  /** Give the number back; what was written is the file once this resolves. @throws {@link DriveError} `EBADF` */
  async close(fd: number): Promise<void> {
    const descriptor = this.#find(fd, 'close')
    this.#list[(fd - FIRST) / STEP] = null
    while (this.#list.length > 0 && this.#list.at(-1) === null) this.#list.pop()
    await descriptor.close()
  }

  /** Close every open file. @throws the first failure, after all were tried */
  async closeAll(): Promise<void> {
    const open = this.#list.splice(0).filter((descriptor) => descriptor !== null)
    const outcomes = await Promise.allSettled(open.map((descriptor) => descriptor.close()))
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }

  async #assertWritable(path: string, entry: Entry | null): Promise<void> {
    const syscall = 'open'
    this.#context.assertWritable(syscall, path)
    if (path === '/' || entry?.stat.isDirectory()) throw new DriveError('EISDIR', { syscall, path })
    if (entry?.stat.mount) throw new DriveError('EPERM', { syscall, path, reason: 'a mounted log' })
    const { trie } = await lookUp(this.#context, path, { syscall })
    const content = await this.#context.contents.of(trie, this.#context.reads())
    if (content.writable) return
    throw new DriveError(this.#context.exact ? 'EINVAL' : 'EROFS', { syscall, path })
  }

  /** What opening for writing stores: an emptied entry, a new one, or nothing. */
  #prepare(path: string, entry: Entry | null, bits: number): Promise<Stat> {
    if (bits & O_TRUNC) return upsert(this.#context, path, { size: 0, blocks: 0 }, 'open')
    return entry ? Promise.resolve(entry.stat) : upsert(this.#context, path, {}, 'open')
  }

  #add(path: string, stat: Stat, run: Run | null, flags: number): number {
    this.#list.push(new Descriptor(this.#context, { path, stat, run, flags }))
    return FIRST + STEP * (this.#list.length - 1)
  }

  #find(fd: number, syscall: string): Descriptor {
    const descriptor = this.#list[(fd - FIRST) / STEP]
    if (!descriptor) throw new DriveError('EBADF', { syscall, reason: String(fd) })
    return descriptor
  }
}

/** `buffer[at, at + length)`, cut where the buffer ends. */
function regionOf(buffer: Uint8Array, at: number, length: number): Uint8Array {
  if (!Number.isInteger(at) || at < 0 || at > buffer.length) {
    throw new RangeError(`buffer offset: want an integer from 0 to ${buffer.length}, got ${at}`)
  }
  if (!Number.isInteger(length) || length < 0) {
    throw new RangeError(`length: want an integer from 0 on, got ${length}`)
  }
  return buffer.subarray(at, at + length)
}

/** Whether a directory is at `path`: one with an entry, or one that is implied. */
async function isDirectory(
  context: DriveContext,
  path: string,
  entry: Entry | null,
): Promise<boolean> {
  if (entry) return entry.stat.isDirectory()
  return path === '/' || (await firstBelow(context, path, { syscall: 'open' })) !== null
}

function assertPosition(position: number | null, syscall: string, path: string): void {
  if (position === null || (Number.isSafeInteger(position) && position >= 0)) return
  throw new DriveError('EINVAL', { syscall, path, reason: `position ${position}` })
}
