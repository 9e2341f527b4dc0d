/**
 * An open directory, shaped like Node's `fs.Dir`: its names one after the other, in bounded memory.
 *
 * @module
 */
/// <reference types="node" preserve="true" />
import { type Callback, settle } from '../../callback.ts'
import type { DriveContext, ReadOptions } from '../context.ts'
import { Dirent } from './dirent.ts'
import { DriveError } from '../errors.ts'
import { type DirectoryEntry, directory } from './listing.ts'
import { stat } from './lookup.ts'
import { absolute } from '../paths.ts'

/** Options of `opendir`. */
export interface OpendirOptions extends ReadOptions {
  /** What is in subdirectories too. Default false. */
  readonly recursive?: boolean | undefined
}

/** The names of one directory. Iterating to the end, or leaving the loop, closes it. */
export class Dir implements AsyncIterable<Dirent> {
  /** The directory, as it was named. */
  readonly path: string
  readonly #entries: AsyncGenerator<DirectoryEntry, void, undefined>
  #closed = false

  /** @param path - as it was named @param entries - ended when it is closed */
  constructor(path: string, entries: AsyncGenerator<DirectoryEntry, void, undefined>) {
    this.path = path
    this.#entries = entries
  }

  /** The next name, or null after the last. @throws {@link DriveError} `EBADF` after `close` */
  read(): Promise<Dirent | null>
  read(done: Callback<Dirent | null>): void
  read(done?: Callback<Dirent | null>): Promise<Dirent | null> {
    return settle(this.#read(), done)
  }

  /** Read no more. @throws {@link DriveError} `EBADF` the second time */
  close(): Promise<void>
  close(done: Callback): void
  close(done?: Callback): Promise<void> {
    return settle(this.#close(), done)
  }

  /** @yields each name, then closes */
  async *[Symbol.asyncIterator](): AsyncGenerator<Dirent, void, undefined> {
    try {
      for (;;) {
        // One name after the other.
        // oxlint-disable-next-line no-await-in-loop
        const entry = await this.#read()
        if (!entry) return
        yield entry
      }
    } finally {
      if (!this.#closed) await this.#close()
    }
  }

  /** Closes, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) await this.#close()
  }

  async #read(): Promise<Dirent | null> {
    this.#assertOpen('readdir')
    const { value } = await this.#entries.next()
    return value ? new Dirent(value) : null
  }

  async #close(): Promise<void> {
    this.#assertOpen('close')
    this.#closed = true
    await this.#entries.return()
  }

  #assertOpen(syscall: string): void {
    if (this.#closed) throw new DriveError('EBADF', { syscall, path: this.path, reason: 'closed' })
  }
}

/**
 * Open the directory at `name`, links followed.
 *
 * @throws {@link DriveError} `ENOENT`, `ENOTDIR`
 */
export async function opendir(
  context: DriveContext,
  name: string,
  options: OpendirOptions = {},
): Promise<Dir> {
  const path = absolute(name, context.exact)
  const found = await stat(context, path, { ...options, syscall: 'opendir' })
  if (!found.isDirectory()) throw new DriveError('ENOTDIR', { syscall: 'opendir', path })
  return new Dir(name, directory(context, name, { ...options, includeStats: true }))
}
