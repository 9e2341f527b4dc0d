/**
 * An open file as an object, shaped like the `FileHandle` of `fs.promises`.
 *
 * It stands on the descriptors of the drive and has their rules: reads anywhere, in the content there was at `open`;
 * writes in order; what was written is the file once `close` resolves.
 *
 * @see spec/40-drive.md 3.7
 * @module
 */
/// <reference types="node" preserve="true" />
import { asBuffer, concat, decodeText } from '../bytes.ts'
import type { ReadResult, WriteResult } from './descriptor-table.ts'
import type { DriveFiles } from './drive-files.ts'
import { asBytes } from './file.ts'
import type { Stat } from './stat.ts'

/** What a handle needs of its drive. */
export interface HandleDrive extends Pick<DriveFiles, 'stat'> {
  /** As of the drive. */
  read<B extends Uint8Array>(
    fd: number,
    buffer: B,
    at?: number,
    length?: number,
    position?: number | null,
  ): Promise<ReadResult<B>>
  /** As of the drive. */
  write<B extends Uint8Array>(
    fd: number,
    buffer: B,
    at?: number,
    length?: number,
    position?: number | null,
  ): Promise<WriteResult<B>>
  /** As of the drive. */
  ftruncate(fd: number, size?: number): Promise<void>
  /** As of the drive. */
  close(fd: number): Promise<void>
}

/** Bytes read at a time by `readFile`. */
const CHUNK = 65536

/** An open file. */
export class FileHandle {
  /** Its number, which the calls of the drive that take one take. */
  readonly fd: number
  readonly #drive: HandleDrive
  readonly #name: string
  #closed: Promise<void> | null = null

  /** @param drive - where it is open; @param name - of the file; @param fd - its number */
  constructor(drive: HandleDrive, name: string, fd: number) {
    this.#drive = drive
    this.#name = name
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
    at?: number,
    length?: number,
    position?: number | null,
  ): Promise<ReadResult<B>> {
    return this.#drive.read(this.fd, buffer, at, length, position ?? null)
  }

  /**
   * Write `buffer[at, at + length)` where the last call ended; `position` may only say that place.
   *
   * @throws {@link DriveError} `EBADF`
   */
  write<B extends Uint8Array>(
    buffer: B,
    at?: number,
    length?: number,
    position?: number | null,
  ): Promise<WriteResult<B>> {
    return this.#drive.write(this.fd, buffer, at, length, position ?? null)
  }

  /** What the file held at `open`, from where the last call ended: a `Buffer`, or text with an encoding. */
  async readFile(
    options?: { readonly encoding?: BufferEncoding | null | undefined } | BufferEncoding | null,
  ): Promise<Buffer | string> {
    const encoding = typeof options === 'string' ? options : options?.encoding
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

  /** Write all of `data` where the last call ended. */
  async writeFile(
    data: string | ArrayBufferView,
    options?: { readonly encoding?: BufferEncoding | null | undefined } | BufferEncoding | null,
  ): Promise<void> {
    const encoding = typeof options === 'string' ? options : options?.encoding
    const bytes = asBytes(data, encoding ?? 'utf8')
    if (bytes) await this.write(bytes)
  }

  /** The same as `writeFile`: writes are in order. */
  appendFile(
    data: string | ArrayBufferView,
    options?: { readonly encoding?: BufferEncoding | null | undefined } | BufferEncoding | null,
  ): Promise<void> {
    return this.writeFile(data, options)
  }

  /** What is known of the file; its size counts what was written so far. */
  stat(): Promise<Stat> {
    return this.#drive.stat(this.#name)
  }

  /** Make the file empty. @throws {@link DriveError} `EBADF`; `EINVAL` for a size other than 0 */
  truncate(size = 0): Promise<void> {
    return this.#drive.ftruncate(this.fd, size)
  }

  /** Give the file back: what was written is stored once this resolves. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#drive.close(this.fd)
    return this.#closed
  }
}
