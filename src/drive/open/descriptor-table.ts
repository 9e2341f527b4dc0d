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
import { allocUnsafe, concat } from '../../bytes.ts'
import { type AttributeChange, changeAt } from '../entries/attributes.ts'
import { parseFlags } from './constants.ts'
import type { DriveContext, ReadOptions } from '../context.ts'
import { DriveError } from '../errors.ts'
import type { OpenDescriptor } from './open-descriptor.ts'
import { openDescriptor } from './opening-files.ts'
import { absolute } from '../paths.ts'

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
  readonly #list: (OpenDescriptor | null)[] = []

  /** @param context - the drive */
  constructor(context: DriveContext) {
    this.#context = context
  }

  /**
   * Open the file at `name`, links followed, and give its number.
   *
   * @param flags - as in Node's `fs.open`, text or number
   * @param mode - permissions of a file that is made
   * @throws {@link DriveError} as {@link openDescriptor}
   */
  async open(name: string, flags: string | number, mode?: number): Promise<number> {
    const path = absolute(name, this.#context.exact)
    const bits = parseFlags(flags, path)
    await this.#context.ready()
    this.#list.push(await openDescriptor(this.#context, path, bits, { mode }))
    return FIRST + STEP * (this.#list.length - 1)
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
   * Write `buffer[at, at + length)` at byte `position` of the file, or where the last call ended; with the flag for
   * appending always at the end.
   *
   * @throws {@link DriveError} `EBADF`, under `exact` also for another place than where the last call ended
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

  /** Make the file `size` bytes long. @throws {@link DriveError} `EBADF`; `EINVAL` (`exact`: for all but 0) */
  async ftruncate(fd: number, size = 0): Promise<void> {
    await this.#find(fd, 'ftruncate').truncate(size)
  }

  /** Fill several buffers, one after the other, as one `read` of all would. */
  async readv<B extends NodeJS.ArrayBufferView>(
    fd: number,
    buffers: readonly B[],
    position: number | null = null,
  ): Promise<{ readonly bytesRead: number; readonly buffers: readonly B[] }> {
    const whole = allocUnsafe(totalOf(buffers))
    const { bytesRead } = await this.read(fd, whole, 0, whole.length, position)
    let at = 0
    for (const view of buffers.map(viewOf)) {
      view.set(whole.subarray(at, Math.min(bytesRead, at + view.length)))
      at = Math.min(bytesRead, at + view.length)
    }
    return { bytesRead, buffers }
  }

  /** Write several buffers, one after the other, as one `write` of all would. */
  async writev<B extends NodeJS.ArrayBufferView>(
    fd: number,
    buffers: readonly B[],
    position: number | null = null,
  ): Promise<{ readonly bytesWritten: number; readonly buffers: readonly B[] }> {
    const whole = concat(buffers.map(viewOf))
    const { bytesWritten } = await this.write(fd, whole, 0, whole.length, position)
    return { bytesWritten, buffers }
  }

  /** Change what is known of an open file. Of one that was removed nothing is kept. */
  async change(
    fd: number,
    syscall: string,
    changeOf: (path: string) => AttributeChange,
  ): Promise<void> {
    const descriptor = this.#find(fd, syscall)
    const change = changeOf(descriptor.path)
    // What was written counts as before this: else its time would come later.
    await descriptor.store()
    const place = await descriptor.place()
    if (place) await changeAt(this.#context, place, syscall, change)
  }

  /** The open file of a number. @throws {@link DriveError} `EBADF` */
  of(fd: number, syscall: string): OpenDescriptor {
    return this.#find(fd, syscall)
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

  #find(fd: number, syscall: string): OpenDescriptor {
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

function viewOf({ buffer, byteOffset, byteLength }: NodeJS.ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function totalOf(buffers: readonly NodeJS.ArrayBufferView[]): number {
  return buffers.reduce((sum, { byteLength }) => sum + byteLength, 0)
}

function assertPosition(position: number | null, syscall: string, path: string): void {
  if (position === null || (Number.isSafeInteger(position) && position >= 0)) return
  throw new DriveError('EINVAL', { syscall, path, reason: `position ${position}` })
}
