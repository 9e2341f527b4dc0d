/**
 * An open file as an object, shaped like the `FileHandle` of `fs.promises`.
 *
 * It stands on the descriptors of the drive and has their rules: reads and writes anywhere, seen by every descriptor of
 * the file at once; what was written is a version once `sync` or `close` resolves.
 *
 * @see spec/40-drive.md 3.7
 * @module
 */
/// <reference types="node" preserve="true" />
import { EventEmitter } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { asBuffer, concat, decodeText } from '../../bytes.ts'
import type { Time } from '../entries/attributes.ts'
import {
  type HandleReadOptions,
  type HandleWriteOptions,
  readStreamOf,
  writeStreamOf,
} from './descriptor-streams.ts'
import type { ReadResult, WriteResult } from './descriptor-table.ts'
import type { DriveDescriptors, ReadvResult, WritevResult } from '../drive-descriptors.ts'
import { asBytes } from '../content/file.ts'
import type { Stat } from '../entries/stat.ts'

/** What a handle needs of its drive: its calls that take a number. */
export type HandleDrive = Pick<
  DriveDescriptors,
  | 'read'
  | 'write'
  | 'readv'
  | 'writev'
  | 'ftruncate'
  | 'fsync'
  | 'fdatasync'
  | 'fstat'
  | 'fchmod'
  | 'fchown'
  | 'futimes'
  | 'close'
>

/** Which part of a buffer, and where in the file. */
export interface TransferOptions {
  /** First byte in the buffer; default 0. */
  readonly offset?: number | null | undefined
  /** Bytes; default up to the end of the buffer. */
  readonly length?: number | null | undefined
  /** First byte in the file; null, -1 or left out: where the last call ended. */
  readonly position?: number | null | undefined
}

/** The encoding of text, alone or among options. */
export type EncodingArgument =
  { readonly encoding?: BufferEncoding | null | undefined } | BufferEncoding | null

/** What `writeFile` and `appendFile` of a handle take: at once, or piece by piece. */
export type HandleData =
  | string
  | ArrayBufferView
  | Iterable<string | ArrayBufferView>
  | AsyncIterable<string | ArrayBufferView>

/** Bytes that `read` makes room for when it is given no buffer. */
const READ_BYTES = 16384
/** Bytes read at a time by `readFile`. */
const CHUNK = 65536

/** An open file. Emits `close`. */
export class FileHandle extends EventEmitter<{ close: [] }> {
  /** Its number, which the calls of the drive that take one take. */
  readonly fd: number
  readonly #drive: HandleDrive
  #closed: Promise<void> | null = null

  /** @param drive - where it is open; @param fd - its number */
  constructor(drive: HandleDrive, fd: number) {
    super()
    this.#drive = drive
    this.fd = fd
  }

  /**
   * Read into `buffer[at, at + length)`, from byte `position` or where the last call ended.
   *
   * @returns how many bytes: 0 at the end
   * @throws {@link DriveError} `EBADF`, `EINVAL`, or why the bytes are not to be had
   */
  read<B extends Uint8Array>(
    buffer: B,
    at?: number | null,
    length?: number | null,
    position?: number | null,
  ): Promise<ReadResult<B>>
  read<B extends Uint8Array>(buffer: B, options?: TransferOptions): Promise<ReadResult<B>>
  read<B extends Uint8Array = Buffer>(
    options?: TransferOptions & { readonly buffer?: B | undefined },
  ): Promise<ReadResult<B>>
  read(
    first: Uint8Array | (TransferOptions & { readonly buffer?: Uint8Array | undefined }) = {},
    second?: TransferOptions | number | null,
    length?: number | null,
    position?: number | null,
  ): Promise<ReadResult> {
    const named = first instanceof Uint8Array ? { buffer: first } : first
    const rest =
      typeof second === 'object' && second !== null ? second : { offset: second, length, position }
    const given = { ...rest, ...named }
    const buffer = given.buffer ?? asBuffer(new Uint8Array(READ_BYTES))
    return this.#drive.read(
      this.fd,
      buffer,
      given.offset ?? undefined,
      given.length ?? undefined,
      placeOf(given.position),
    )
  }

  /**
   * Write `buffer[at, at + length)`, or text, at `position` or where the last call ended.
   *
   * @throws {@link DriveError} `EBADF`, `EINVAL`, or why it cannot be stored
   */
  write<B extends Uint8Array>(
    buffer: B,
    at?: number | null,
    length?: number | null,
    position?: number | null,
  ): Promise<WriteResult<B>>
  write<B extends Uint8Array>(buffer: B, options?: TransferOptions): Promise<WriteResult<B>>
  write(
    text: string,
    position?: number | null,
    encoding?: BufferEncoding | null,
  ): Promise<{ readonly bytesWritten: number; readonly buffer: string }>
  async write(
    data: Uint8Array | string,
    second?: TransferOptions | number | null,
    third?: number | BufferEncoding | null,
    position?: number | null,
  ): Promise<{ readonly bytesWritten: number; readonly buffer: Uint8Array | string }> {
    if (typeof data === 'string') {
      const encoding = typeof third === 'string' ? third : 'utf8'
      const bytes = asBytes(data, encoding) ?? asBuffer(new Uint8Array(0))
      const at = typeof second === 'number' ? second : null
      const { bytesWritten } = await this.#drive.write(this.fd, bytes, 0, bytes.length, placeOf(at))
      return { bytesWritten, buffer: data }
    }
    const length = typeof third === 'number' ? third : undefined
    const given =
      typeof second === 'object' && second !== null ? second : { offset: second, length, position }
    return this.#drive.write(
      this.fd,
      data,
      given.offset ?? undefined,
      given.length ?? undefined,
      placeOf(given.position),
    )
  }

  /** Fill several buffers, one after the other. */
  readv<B extends NodeJS.ArrayBufferView>(
    buffers: readonly B[],
    position?: number | null,
  ): Promise<ReadvResult<B>> {
    return this.#drive.readv(this.fd, buffers, placeOf(position))
  }

  /** Write several buffers, one after the other. */
  writev<B extends NodeJS.ArrayBufferView>(
    buffers: readonly B[],
    position?: number | null,
  ): Promise<WritevResult<B>> {
    return this.#drive.writev(this.fd, buffers, placeOf(position))
  }

  /** The rest of the file, from where the last call ended: a `Buffer`, or text with an encoding. */
  async readFile(options?: EncodingArgument): Promise<Buffer | string> {
    const encoding = encodingOf(options)
    const chunks: Uint8Array[] = []
    for (;;) {
      // One after the other: each goes on where the last ended.
      // oxlint-disable-next-line no-await-in-loop
      const { bytesRead, buffer } = await this.read(new Uint8Array(CHUNK))
      if (bytesRead === 0) break
      chunks.push(buffer.subarray(0, bytesRead))
    }
    const bytes = asBuffer(concat(chunks))
    return encoding && encoding !== 'binary' ? decodeText(bytes, encoding) : bytes
  }

  /** Write all of `data` where the last call ended; what lies behind it stays, as in Node. */
  async writeFile(data: HandleData, options?: EncodingArgument): Promise<void> {
    const encoding = encodingOf(options) ?? 'utf8'
    const pieces = typeof data === 'string' || ArrayBuffer.isView(data) ? [data] : data
    for await (const piece of pieces) {
      const bytes = asBytes(piece, encoding)
      if (bytes) await this.write(bytes)
    }
  }

  /** The same as `writeFile`: only with the flag for appending is that the end. */
  appendFile(data: HandleData, options?: EncodingArgument): Promise<void> {
    return this.writeFile(data, options)
  }

  /** What is known of the file, with its size as it is now. */
  stat(): Promise<Stat> {
    return this.#drive.fstat(this.fd)
  }

  /** Make the file `size` bytes long: cut, or filled up with zeros. */
  truncate(size = 0): Promise<void> {
    return this.#drive.ftruncate(this.fd, size)
  }

  /** Set the permissions. */
  chmod(mode: number): Promise<void> {
    return this.#drive.fchmod(this.fd, mode)
  }

  /** Set the owners. */
  chown(uid: number, gid: number): Promise<void> {
    return this.#drive.fchown(this.fd, uid, gid)
  }

  /** Set the time of modification; times of access are not kept. */
  utimes(atime: Time, mtime: Time): Promise<void> {
    return this.#drive.futimes(this.fd, atime, mtime)
  }

  /** Store what was written: it is a version of the drive, and survives a power cut. */
  sync(): Promise<void> {
    return this.#drive.fsync(this.fd)
  }

  /** The same as `sync`. */
  datasync(): Promise<void> {
    return this.#drive.fdatasync(this.fd)
  }

  /** A stream of the bytes from `start`, or from where the last call ended. Closes the handle at its end. */
  createReadStream(options?: HandleReadOptions): Readable {
    return readStreamOf(this, options)
  }

  /** A stream into the file from `start`, or from where the last call ended. Closes the handle at its end. */
  createWriteStream(options?: HandleWriteOptions): Writable {
    return writeStreamOf(() => Promise.resolve(this), options)
  }

  /** Give the file back: what was written is stored once this resolves. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#drive.close(this.fd).finally(() => this.emit('close'))
    return this.#closed
  }

  /** The same as `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function placeOf(position: number | null | undefined): number | null {
  return position === undefined || position === -1 ? null : position
}

function encodingOf(options: EncodingArgument | undefined): BufferEncoding | null {
  return (typeof options === 'string' ? options : options?.encoding) ?? null
}
