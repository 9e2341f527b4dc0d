/**
 * Many changes of one drive that are stored together: one append and one signature for the content, one for the
 * entries. Readers, here and elsewhere, see all of it or nothing; of a batch that is discarded or fails nothing is
 * stored.
 *
 *     const batch = drive.batch()
 *     await batch.writeFile('/a', 'one')
 *     await batch.rename('/b', '/c')
 *     await batch.flush()
 *
 * What is read through a batch has its changes in it. Calls take effect in the order in which they were made. The
 * drive may be written by others meanwhile; the batch does not see that, and its changes are laid over it.
 *
 * In memory are the changed entries (some 500 bytes each) and up to 4 MiB of content, and one file more; what is
 * beyond goes to the content log ahead of the batch, where nothing refers to it before the flush.
 *
 * @module
 */
/// <reference types="node" preserve="true" />
import { copy as copyBytes } from '../../bytes.ts'
import { type Callback, optional, settle } from '../../callback.ts'
import { type Time, chmod, chown, utimes } from '../entries/attributes.ts'
import { openContentWriter } from '../content/content.ts'
import type { DriveContext } from '../context.ts'
import { copy } from '../entries/copy.ts'
import { type CpOptions, cp } from '../entries/cp.ts'
import type { FileData } from '../drive-files.ts'
import * as entries from '../entries/entries.ts'
import type { MkdirOptions } from '../entries/entries.ts'
import { DriveError, inWords } from '../errors.ts'
import {
  type ReadFileOptions,
  type WriteFileOptions,
  asBytes,
  readFile,
  writeFile,
} from '../content/file.ts'
import { type Listing, type ReaddirOptions, readdir } from '../entries/listing.ts'
import * as lookup from '../entries/lookup.ts'
import type { LookupOptions } from '../entries/lookup.ts'
import * as metadata from '../entries/metadata.ts'
import { absolute } from '../paths.ts'
import { rename } from '../entries/rename.ts'
import { type RmOptions, rm } from '../entries/rm.ts'
import { readBlocks, runOf } from '../content/run.ts'
import { Staging } from './staging.ts'
import type { Stat, StatInput } from '../entries/stat.ts'

/** Changes of one drive, to be stored together or not at all. */
export class DriveBatch {
  readonly #drive: DriveContext
  readonly #staging: Staging
  #state: 'open' | 'flushing' | 'ended' = 'open'
  /** Settles when every call so far has ended; never rejects. */
  #last: Promise<unknown> = Promise.resolve()

  /** @internal @param drive - the drive that is changed */
  constructor(drive: DriveContext) {
    this.#drive = drive
    this.#staging = new Staging(drive)
  }

  /** Whether it was flushed or discarded: then every call fails with `DRIVE_BATCH_ENDED`. */
  get ended(): boolean {
    return this.#state === 'ended'
  }

  /**
   * Store all changes. After a failure nothing is stored, the batch is as it was, and may be flushed again.
   *
   * @throws DriveError `DRIVE_BATCH_ENDED`; `EIO` when storage fails
   */
  flush(): Promise<void>
  flush(done: Callback): void
  flush(done?: Callback): Promise<void> {
    return settle(this.#flush(), done)
  }

  /** Forget all changes. Idempotent. */
  discard(): void {
    if (this.#state !== 'open') return
    this.#state = 'ended'
    this.#staging.end()
  }

  /** As of a drive. Bytes are copied. */
  writeFile(
    name: string,
    data: FileData,
    options?: WriteFileOptions | BufferEncoding | null | Callback,
    done?: Callback,
  ): Promise<void> {
    const [given, callback] = optional(options, done)
    return settle(
      this.#then(() => this.#writeFile(name, data, given)),
      callback,
    )
  }

  /** As of a drive; but the file is always written anew. */
  appendFile(name: string, data: Uint8Array | string, done?: Callback): Promise<void> {
    return this.#view(
      (context) => inWords('open', absolute(name), () => appendTo(context, name, data)),
      done,
    )
  }

  /** As of a drive. */
  mkdir(
    name: string,
    options?: MkdirOptions | Callback<Stat>,
    done?: Callback<Stat>,
  ): Promise<Stat> {
    const [given, callback] = optional(options, done)
    return this.#view((context) => entries.mkdir(context, name, given), callback)
  }

  /** As of a drive. */
  symlink(target: string, linkName: string, done?: Callback<Stat>): Promise<Stat> {
    return this.#view((context) => entries.symlink(context, target, linkName), done)
  }

  /** As of a drive. */
  unlink(name: string, done?: Callback): Promise<void> {
    return this.#view((context) => entries.unlink(context, name), done)
  }

  /** As of a drive. */
  rmdir(name: string, done?: Callback): Promise<void> {
    return this.#view((context) => entries.rmdir(context, name), done)
  }

  /** As of a drive. */
  rm(name: string, options?: RmOptions | Callback, done?: Callback): Promise<void> {
    const [given, callback] = optional(options, done)
    return this.#view((context) => rm(context, name, given), callback)
  }

  /** As of a drive. */
  rename(from: string, to: string, done?: Callback): Promise<void> {
    return this.#view((context) => rename(context, from, to), done)
  }

  /** As of a drive. */
  copy(from: string, to: string, done?: Callback<Stat>): Promise<Stat> {
    return this.#view((context) => copy(context, from, to), done)
  }

  /** As of a drive. */
  cp(from: string, to: string, options?: CpOptions | Callback, done?: Callback): Promise<void> {
    const [given, callback] = optional(options, done)
    return this.#view((context) => cp(context, from, to, given), callback)
  }

  /** As of a drive. */
  chmod(name: string, mode: number, done?: Callback): Promise<void> {
    return this.#view((context) => chmod(context, name, mode), done)
  }

  /** As of a drive. */
  chown(name: string, uid: number, gid: number, done?: Callback): Promise<void> {
    return this.#view((context) => chown(context, name, uid, gid), done)
  }

  /** As of a drive. */
  utimes(name: string, atime: Time, mtime: Time, done?: Callback): Promise<void> {
    return this.#view((context) => utimes(context, name, atime, mtime), done)
  }

  /** As of a drive. */
  update(name: string, changes: StatInput, done?: Callback<Stat>): Promise<Stat> {
    return this.#view((context) => metadata.update(context, name, changes), done)
  }

  /** As of a drive, with the batch's changes. */
  readFile(
    name: string,
    options?: ReadFileOptions | BufferEncoding | null | Callback<Buffer | string>,
    done?: Callback<Buffer | string>,
  ): Promise<Buffer | string> {
    const [given, callback] = optional(options, done)
    return this.#view((context) => readFile(context, name, given), callback)
  }

  /** As of a drive, with the batch's changes. */
  stat(
    name: string,
    options?: LookupOptions | Callback<Stat>,
    done?: Callback<Stat>,
  ): Promise<Stat> {
    const [given, callback] = optional(options, done)
    return this.#view((context) => lookup.stat(context, name, given), callback)
  }

  /** As of a drive, with the batch's changes. */
  lstat(
    name: string,
    options?: LookupOptions | Callback<Stat>,
    done?: Callback<Stat>,
  ): Promise<Stat> {
    const [given, callback] = optional(options, done)
    return this.#view((context) => lookup.lstat(context, name, given), callback)
  }

  /** Whether `name` leads to anything, with the batch's changes. */
  exists(name: string, options?: LookupOptions): Promise<boolean> {
    return this.#view((context) => lookup.exists(context, name, options), undefined)
  }

  /** As of a drive, with the batch's changes. */
  readlink(name: string, done?: Callback<string | null>): Promise<string | null> {
    return this.#view((context) => lookup.readlink(context, name), done)
  }

  /** As of a drive, with the batch's changes. */
  readdir(
    name: string,
    options?: ReaddirOptions | Callback<Listing>,
    done?: Callback<Listing>,
  ): Promise<Listing> {
    const [given, callback] = optional(options, done)
    return this.#view((context) => readdir(context, name, given), callback)
  }

  async #writeFile(
    name: string,
    data: FileData,
    options: WriteFileOptions | BufferEncoding | null = {},
  ): Promise<void> {
    const { encoding, ...fields } =
      (typeof options === 'string' ? { encoding: options } : options) ?? {}
    const path = absolute(name, this.#drive.exact)
    const bytes = asBytes(data, encoding ?? 'utf8')
    const staging = this.#staging
    if (!staging.hasView) return staging.writeFile(path, bytes, fields)
    const own = typeof data === 'string' ? bytes : bytes && copyBytes(bytes)
    return writeFile(await staging.view(), path, own, fields)
  }

  #view<T>(work: (context: DriveContext) => Promise<T>, done?: Callback<T>): Promise<T> {
    return settle(
      this.#then(async () => work(await this.#staging.view())),
      done,
    )
  }

  /** Run `work` after everything asked for before. */
  async #then<T>(work: () => Promise<T>): Promise<T> {
    this.#assertOpen()
    const before = this.#last
    const mine = before.then(() => {
      if (this.#state === 'ended') throw new DriveError('DRIVE_BATCH_ENDED')
      return work()
    })
    this.#last = mine.catch(() => undefined)
    return mine
  }

  async #flush(): Promise<void> {
    this.#assertOpen()
    this.#state = 'flushing'
    await this.#last
    try {
      await this.#staging.flush()
      this.#state = 'ended'
    } catch (error) {
      this.#state = 'open'
      throw error
    }
  }

  #assertOpen(): void {
    if (this.#drive.closed) throw new DriveError('DRIVE_CLOSED')
    if (this.#state !== 'open') throw new DriveError('DRIVE_BATCH_ENDED')
  }
}

/**
 * Do changes in a batch, and store them when `work` is done; when it fails, nothing.
 *
 * @returns what `work` gave
 */
export async function inBatch<T>(
  drive: DriveContext,
  work: (batch: DriveBatch) => T | Promise<T>,
): Promise<T> {
  const batch = new DriveBatch(drive)
  try {
    const result = await work(batch)
    await batch.flush()
    return result
  } finally {
    batch.discard()
  }
}

async function appendTo(
  context: DriveContext,
  name: string,
  data: Uint8Array | string,
): Promise<void> {
  const bytes = asBytes(data, 'utf8')
  const found = await lookup.resolveEntry(context, absolute(name, context.exact))
  const { path, entry } = found
  const begin = async () => ({
    stat: entry?.stat ?? {},
    before: entry && (await runOf(context, entry, context.reads())),
  })
  const writer = await openContentWriter(context, path, {}, { begin })
  try {
    if (writer.before) {
      for await (const block of readBlocks(writer.before, 0, Infinity, context.reads())) {
        await writer.write([block])
      }
    }
    if (bytes) await writer.write([copyBytes(bytes)])
    await writer.finish()
  } catch (error) {
    await writer.abort()
    throw error
  }
}
