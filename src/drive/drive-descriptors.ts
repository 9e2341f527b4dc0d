/**
 * The operations on open files, by the numbers that `open` gives, as `fs` names them.
 *
 * With a callback as the last argument they call it and give nothing; otherwise they give a promise.
 *
 * @see spec/40-drive.md 3.7
 * @module
 */
/// <reference types="node" preserve="true" />
import { type Callback, type Callbacks, optional, settle, settleAll } from '../callback.ts'
import { type Time, modified, owners, permissions } from './entries/attributes.ts'
import type { ReadResult, WriteResult } from './open/descriptor-table.ts'
import { DriveBase } from './drive-base.ts'
import type { Stat } from './entries/stat.ts'

/** What `readv` gives a promise; a callback gets the two one after the other. */
export interface ReadvResult<B extends NodeJS.ArrayBufferView> {
  readonly bytesRead: number
  /** The buffers that were handed in. */
  readonly buffers: readonly B[]
}

/** What `writev` gives a promise; a callback gets the two one after the other. */
export interface WritevResult<B extends NodeJS.ArrayBufferView> {
  readonly bytesWritten: number
  /** The buffers that were handed in. */
  readonly buffers: readonly B[]
}

/** A drive with the operations on open files. */
export class DriveDescriptors extends DriveBase {
  /**
   * Open the file at `name`; gives a number for the calls below.
   *
   * @param flags - as in `fs.open`, text or number @param mode - permissions of a file that is made (0o644)
   */
  open(name: string, flags?: string | number, mode?: number): Promise<number>
  open(name: string, done: Callback<number>): void
  open(name: string, flags: string | number, done: Callback<number>): void
  open(name: string, flags: string | number, mode: number | undefined, done: Callback<number>): void
  open(
    name: string,
    flags?: string | number | Callback<number>,
    mode?: number | Callback<number>,
    done?: Callback<number>,
  ): Promise<number> {
    const [permissionBits, last] = optional(mode, done)
    const [given, callback] = optional(flags, last)
    // Under `exact` a missing flag is none, as in v10.
    const mayDefault = flags === undefined || typeof flags === 'function'
    const text = mayDefault && !this.context.exact ? 'r' : given
    return settle(this.descriptors.open(name, text ?? '', permissionBits), callback)
  }

  /** Read into `buffer`, from `position` or where the last call ended. A callback gets `(bytesRead, buffer)`. */
  read<B extends Uint8Array>(
    fd: number,
    buffer: B,
    at?: number,
    length?: number,
    position?: number | null,
  ): Promise<ReadResult<B>>
  read<B extends Uint8Array>(
    fd: number,
    buffer: B,
    at: number,
    length: number,
    position: number | null | Callbacks<[bytesRead: number, buffer: B]>,
    done?: Callbacks<[bytesRead: number, buffer: B]>,
  ): void
  read<B extends Uint8Array>(
    fd: number,
    buffer: B,
    at?: number,
    length?: number,
    position?: number | null | Callbacks<[bytesRead: number, buffer: B]>,
    done?: Callbacks<[bytesRead: number, buffer: B]>,
  ): Promise<ReadResult<B>> {
    const [place, callback] = optional(position, done)
    const read = this.descriptors.read(fd, buffer, at, length, place ?? null)
    return settleAll(read, ({ bytesRead }): [number, B] => [bytesRead, buffer], callback)
  }

  /**
   * Write `buffer[at, at + length)` at `position` or where the last call ended; with the flag for appending, at the end.
   * A callback gets `(bytesWritten, buffer)`.
   */
  write<B extends Uint8Array>(
    fd: number,
    buffer: B,
    at?: number,
    length?: number,
    position?: number | null,
  ): Promise<WriteResult<B>>
  write<B extends Uint8Array>(
    fd: number,
    buffer: B,
    at: number,
    length: number,
    position: number | null | Callbacks<[bytesWritten: number, buffer: B]>,
    done?: Callbacks<[bytesWritten: number, buffer: B]>,
  ): void
  write<B extends Uint8Array>(
    fd: number,
    buffer: B,
    at?: number,
    length?: number,
    position?: number | null | Callbacks<[bytesWritten: number, buffer: B]>,
    done?: Callbacks<[bytesWritten: number, buffer: B]>,
  ): Promise<WriteResult<B>> {
    const [place, callback] = optional(position, done)
    const write = this.descriptors.write(fd, buffer, at, length, place ?? null)
    return settleAll(write, ({ bytesWritten }): [number, B] => [bytesWritten, buffer], callback)
  }

  /** Fill several buffers, one after the other. A callback gets `(bytesRead, buffers)`. */
  readv<B extends NodeJS.ArrayBufferView>(
    fd: number,
    buffers: readonly B[],
    position?: number | null,
  ): Promise<ReadvResult<B>>
  readv<B extends NodeJS.ArrayBufferView>(
    fd: number,
    buffers: readonly B[],
    position: number | null | Callbacks<[bytesRead: number, buffers: readonly B[]]>,
    done?: Callbacks<[bytesRead: number, buffers: readonly B[]]>,
  ): void
  readv<B extends NodeJS.ArrayBufferView>(
    fd: number,
    buffers: readonly B[],
    position?: number | null | Callbacks<[bytesRead: number, buffers: readonly B[]]>,
    done?: Callbacks<[bytesRead: number, buffers: readonly B[]]>,
  ): Promise<ReadvResult<B>> {
    const [place, callback] = optional(position, done)
    const read = this.descriptors.readv(fd, buffers, place ?? null)
    return settleAll(
      read,
      ({ bytesRead }): [number, readonly B[]] => [bytesRead, buffers],
      callback,
    )
  }

  /** Write several buffers, one after the other. A callback gets `(bytesWritten, buffers)`. */
  writev<B extends NodeJS.ArrayBufferView>(
    fd: number,
    buffers: readonly B[],
    position?: number | null,
  ): Promise<WritevResult<B>>
  writev<B extends NodeJS.ArrayBufferView>(
    fd: number,
    buffers: readonly B[],
    position: number | null | Callbacks<[bytesWritten: number, buffers: readonly B[]]>,
    done?: Callbacks<[bytesWritten: number, buffers: readonly B[]]>,
  ): void
  writev<B extends NodeJS.ArrayBufferView>(
    fd: number,
    buffers: readonly B[],
    position?: number | null | Callbacks<[bytesWritten: number, buffers: readonly B[]]>,
    done?: Callbacks<[bytesWritten: number, buffers: readonly B[]]>,
  ): Promise<WritevResult<B>> {
    const [place, callback] = optional(position, done)
    const write = this.descriptors.writev(fd, buffers, place ?? null)
    return settleAll(
      write,
      ({ bytesWritten }): [number, readonly B[]] => [bytesWritten, buffers],
      callback,
    )
  }

  /** Make an open file `size` bytes long: cut, or filled up with zeros. */
  ftruncate(fd: number, size?: number): Promise<void>
  ftruncate(fd: number, done: Callback): void
  ftruncate(fd: number, size: number | undefined, done: Callback): void
  ftruncate(fd: number, size?: number | Callback, done?: Callback): Promise<void> {
    const [given, callback] = optional(size, done)
    return settle(this.descriptors.ftruncate(fd, given), callback)
  }

  /** Store what was written to an open file: it is a version of the drive, and survives a power cut. */
  fsync(fd: number): Promise<void>
  fsync(fd: number, done: Callback): void
  fsync(fd: number, done?: Callback): Promise<void> {
    return settle(this.#sync(fd, 'fsync'), done)
  }

  /** The same as `fsync`: size and content are stored together. */
  fdatasync(fd: number): Promise<void>
  fdatasync(fd: number, done: Callback): void
  fdatasync(fd: number, done?: Callback): Promise<void> {
    return settle(this.#sync(fd, 'fdatasync'), done)
  }

  /** What is known of an open file, with its size as it is now. */
  fstat(fd: number): Promise<Stat>
  fstat(fd: number, done: Callback<Stat>): void
  fstat(fd: number, done?: Callback<Stat>): Promise<Stat> {
    return settle(this.#stat(fd), done)
  }

  /** Set the permissions of an open file. */
  fchmod(fd: number, mode: number): Promise<void>
  fchmod(fd: number, mode: number, done: Callback): void
  fchmod(fd: number, mode: number, done?: Callback): Promise<void> {
    return settle(
      this.descriptors.change(fd, 'fchmod', () => permissions(mode)),
      done,
    )
  }

  /** Set the owners of an open file. */
  fchown(fd: number, uid: number, gid: number): Promise<void>
  fchown(fd: number, uid: number, gid: number, done: Callback): void
  fchown(fd: number, uid: number, gid: number, done?: Callback): Promise<void> {
    return settle(
      this.descriptors.change(fd, 'fchown', () => owners(uid, gid)),
      done,
    )
  }

  /** Set the time of modification of an open file; times of access are not kept. */
  futimes(fd: number, atime: Time, mtime: Time): Promise<void>
  futimes(fd: number, atime: Time, mtime: Time, done: Callback): void
  futimes(fd: number, _atime: Time, mtime: Time, done?: Callback): Promise<void> {
    const change = this.descriptors.change(fd, 'futimes', (path) =>
      modified(mtime, 'futimes', path),
    )
    return settle(change, done)
  }

  /** Close an open file; without a number, the drive: what it opened is closed, and every wait ends. */
  close(fd?: number): Promise<void>
  close(done: Callback): void
  close(fd: number, done: Callback): void
  close(fd?: number | Callback, done?: Callback): Promise<void> {
    const [number, callback] = optional(fd, done)
    return settle(
      number === undefined ? this.closeDrive() : this.descriptors.close(number),
      callback,
    )
  }

  async #sync(fd: number, syscall: string): Promise<void> {
    await this.descriptors.of(fd, syscall).sync()
  }

  async #stat(fd: number): Promise<Stat> {
    return this.descriptors.of(fd, 'fstat').stat()
  }
}
