/**
 * The operations on files, directories and links, as `fs` names them. Each hands over to the file of its concept.
 *
 * With a callback as the last argument they call it and give nothing; otherwise they give a promise.
 *
 * @see spec/40-drive.md 4.3
 * @module
 */
import type { Readable, Writable } from 'node:stream'
import { type Callback, optional, settle } from '../callback.ts'
import { copy } from './entries/copy.ts'
import { DriveDescriptors } from './drive-descriptors.ts'
import * as entries from './entries/entries.ts'
import type { MkdirOptions } from './entries/entries.ts'
import { type ReadFileOptions, type WriteFileOptions, readFile, writeFile } from './content/file.ts'
import type { Dirent } from './entries/dirent.ts'
import {
  type DirectoryEntry,
  type Listing,
  type ReaddirOptions,
  directoryStream,
  readdir,
} from './entries/listing.ts'
import * as lookup from './entries/lookup.ts'
import type { LookupOptions } from './entries/lookup.ts'
import * as metadata from './entries/metadata.ts'
import { access } from './entries/real-path.ts'
import { type ReadStreamOptions, createReadStream } from './content/read-stream.ts'
import type { Stat, StatInput } from './entries/stat.ts'
import { truncate } from './content/truncate.ts'
import { type WriteStreamOptions, createWriteStream } from './content/write-stream.ts'

/** What `writeFile` takes: text, bytes, or nothing for a file without content. */
export type FileData = string | ArrayBufferView | null | undefined
/** Options of `readFile` that give text. */
export type TextOptions = (ReadFileOptions & { readonly encoding: TextEncoding }) | TextEncoding
/** Encodings that give text: all but `binary`, which gives bytes as in v10. */
export type TextEncoding = Exclude<BufferEncoding, 'binary'>
/** Options of `readFile` that give bytes. */
export type BytesOptions =
  (ReadFileOptions & { readonly encoding?: 'binary' | null | undefined }) | 'binary' | null

/** What `readFile` takes after the name. */
export type ReadFileArgument = ReadFileOptions | BufferEncoding | null
/** Options of `readdir` that give names. */
export type NamesOptions = ReaddirOptions & {
  readonly includeStats?: false | undefined
  readonly withFileTypes?: false | undefined
}
/** Options of `readdir` that give stats. */
export type StatsListOptions = ReaddirOptions & {
  readonly includeStats: true
  readonly withFileTypes?: false | undefined
}
/** Options of `readdir` that give types. */
export type TypesOptions = ReaddirOptions & { readonly withFileTypes: true }

/** A drive with the operations of a file system. */
export class DriveFiles extends DriveDescriptors {
  /** Make the file at `name` hold exactly `data`. */
  writeFile(
    name: string,
    data: FileData,
    options?: WriteFileOptions | BufferEncoding | null,
  ): Promise<void>
  writeFile(name: string, data: FileData, done: Callback): void
  writeFile(
    name: string,
    data: FileData,
    options: WriteFileOptions | BufferEncoding | null,
    done?: Callback,
  ): void
  writeFile(
    name: string,
    data: FileData,
    options?: WriteFileOptions | BufferEncoding | null | Callback,
    done?: Callback,
  ): Promise<void> {
    const [given, callback] = optional(options, done)
    return settle(writeFile(this.context, name, data, given), callback)
  }

  /** The content of the file at `name`: a `Buffer`, or text with an encoding. */
  readFile(name: string, options?: BytesOptions): Promise<Buffer>
  readFile(name: string, options: TextOptions): Promise<string>
  readFile(name: string, options?: ReadFileArgument): Promise<Buffer | string>
  readFile(name: string, done: Callback<Buffer>): void
  readFile(name: string, options: BytesOptions | undefined, done: Callback<Buffer>): void
  readFile(name: string, options: TextOptions, done: Callback<string>): void
  readFile(
    name: string,
    options: ReadFileArgument | undefined,
    done: Callback<Buffer | string>,
  ): void
  readFile(
    name: string,
    options?: ReadFileArgument | Callback<never>,
    done?: Callback<never>,
  ): Promise<Buffer | string> {
    const [given, callback] = optional(options, done)
    // The overloads say which of the two the callback of each kind of options gets.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const told = callback as Callback<Buffer | string> | undefined
    return settle(readFile(this.context, name, given), told)
  }

  /** A stream into the file at `name`; each chunk is a block of the content log. With `flags` or `start`: as in `fs`. */
  createWriteStream(name: string, options?: WriteStreamOptions): Writable {
    return createWriteStream(this.context, this.descriptors, name, options)
  }

  /** A stream of the bytes of the file at `name`, or of a range of them. */
  createReadStream(name: string, options?: ReadStreamOptions): Readable {
    return createReadStream(this.context, name, options)
  }

  /** An empty file at `name`, unless something is stored there, which is then the answer. */
  create(name: string, options?: StatInput): Promise<Stat>
  create(name: string, done: Callback<Stat>): void
  create(name: string, options: StatInput | undefined, done?: Callback<Stat>): void
  create(name: string, options?: StatInput | Callback<Stat>, done?: Callback<Stat>): Promise<Stat> {
    const [given, callback] = optional(options, done)
    return settle(entries.create(this.context, name, given), callback)
  }

  /** A directory at `name`. */
  mkdir(name: string, options?: MkdirOptions): Promise<Stat>
  mkdir(name: string, done: Callback<Stat>): void
  mkdir(name: string, options: MkdirOptions | undefined, done?: Callback<Stat>): void
  mkdir(
    name: string,
    options?: MkdirOptions | Callback<Stat>,
    done?: Callback<Stat>,
  ): Promise<Stat> {
    const [given, callback] = optional(options, done)
    return settle(entries.mkdir(this.context, name, given), callback)
  }

  /** A link at `linkName` to `target`. */
  symlink(target: string, linkName: string): Promise<Stat>
  symlink(target: string, linkName: string, done: Callback<Stat>): void
  symlink(target: string, linkName: string, done?: Callback<Stat>): Promise<Stat> {
    return settle(entries.symlink(this.context, target, linkName), done)
  }

  /** Remove the file or link at `name`. */
  unlink(name: string): Promise<void>
  unlink(name: string, done: Callback): void
  unlink(name: string, done?: Callback): Promise<void> {
    return settle(entries.unlink(this.context, name), done)
  }

  /** Remove the empty directory at `name`. */
  rmdir(name: string): Promise<void>
  rmdir(name: string, done: Callback): void
  rmdir(name: string, done?: Callback): Promise<void> {
    return settle(entries.rmdir(this.context, name), done)
  }

  /**
   * The names in the directory at `name`, in the trie's order; with `includeStats`, what is known of each; with
   * `withFileTypes`, each as Node gives it.
   */
  readdir(name: string, options?: NamesOptions): Promise<string[]>
  readdir(name: string, options: TypesOptions): Promise<Dirent[]>
  readdir(name: string, options: StatsListOptions): Promise<DirectoryEntry[]>
  readdir(name: string, options?: ReaddirOptions): Promise<Listing>
  readdir(name: string, done: Callback<string[]>): void
  readdir(name: string, options: NamesOptions | undefined, done: Callback<string[]>): void
  readdir(name: string, options: TypesOptions, done: Callback<Dirent[]>): void
  readdir(name: string, options: StatsListOptions, done: Callback<DirectoryEntry[]>): void
  readdir(
    name: string,
    options?: ReaddirOptions | Callback<never>,
    done?: Callback<never>,
  ): Promise<Listing> {
    const [given, callback] = optional(options, done)
    // As in `readFile`.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return settle(readdir(this.context, name, given), callback as Callback<Listing> | undefined)
  }

  /** A stream of {@link DirectoryEntry} objects: what is in the directory at `name`. */
  createDirectoryStream(name = '/', options: ReaddirOptions = {}): Readable {
    return directoryStream(this.context, name, options)
  }

  /** The entry that `name` leads to, links followed. */
  stat(name: string, options?: LookupOptions): Promise<Stat>
  stat(name: string, done: Callback<Stat>): void
  stat(name: string, options: LookupOptions | undefined, done: Callback<Stat>): void
  stat(
    name: string,
    options?: LookupOptions | Callback<Stat>,
    done?: Callback<Stat>,
  ): Promise<Stat> {
    const [given, callback] = optional(options, done)
    return settle(lookup.stat(this.context, name, given), callback)
  }

  /** The entry at `name`; links are not followed. */
  lstat(name: string, options?: LookupOptions): Promise<Stat>
  lstat(name: string, done: Callback<Stat>): void
  lstat(name: string, options: LookupOptions | undefined, done: Callback<Stat>): void
  lstat(
    name: string,
    options?: LookupOptions | Callback<Stat>,
    done?: Callback<Stat>,
  ): Promise<Stat> {
    const [given, callback] = optional(options, done)
    return settle(lookup.lstat(this.context, name, given), callback)
  }

  /** Fails when `name` leads to nothing, or cannot be used as `mode` says: `R_OK`, `W_OK`, `X_OK` of the constants. */
  access(name: string, mode?: number | LookupOptions, options?: LookupOptions): Promise<void>
  access(name: string, done: Callback): void
  access(name: string, mode: number | LookupOptions | undefined, done: Callback): void
  access(
    name: string,
    mode: number | undefined,
    options: LookupOptions | undefined,
    done: Callback,
  ): void
  access(
    name: string,
    mode?: number | LookupOptions | Callback,
    options?: LookupOptions | Callback,
    done?: Callback,
  ): Promise<void> {
    const [given, last] = optional(options, done)
    const [first, callback] = optional(mode, last)
    const [bits, reads] = typeof first === 'object' ? [undefined, first] : [first, given]
    return settle(access(this.context, name, bits, reads), callback)
  }

  /** Whether `name` leads to anything. As in v10 the callback gets that alone, false also when it cannot be known. */
  exists(name: string, options?: LookupOptions): Promise<boolean>
  exists(name: string, done: (exists: boolean) => void): void
  exists(name: string, options: LookupOptions | undefined, done: (exists: boolean) => void): void
  exists(
    name: string,
    options?: LookupOptions | ((exists: boolean) => void),
    done?: (exists: boolean) => void,
  ): Promise<boolean> {
    const [given, callback] = optional(options, done)
    const found = lookup.exists(this.context, name, given)
    const told = callback && ((error: Error | null, exists: boolean) => callback(!error && exists))
    return settle(found, told)
  }

  /** The target of the link at `name`; null for anything else. */
  readlink(name: string, options?: LookupOptions): Promise<string | null>
  readlink(name: string, done: Callback<string | null>): void
  readlink(name: string, options: LookupOptions | undefined, done: Callback<string | null>): void
  readlink(
    name: string,
    options?: LookupOptions | Callback<string | null>,
    done?: Callback<string | null>,
  ): Promise<string | null> {
    const [given, callback] = optional(options, done)
    return settle(lookup.readlink(this.context, name, given), callback)
  }

  /** Make the file at `name` `size` bytes long. */
  truncate(name: string, size?: number): Promise<void>
  truncate(name: string, size: number, done: Callback): void
  truncate(name: string, size?: number, done?: Callback): Promise<void> {
    return settle(truncate(this.context, this.descriptors, name, size), done)
  }

  /** Make `to` a copy of the file at `from`, sharing its blocks. */
  copy(from: string, to: string): Promise<Stat>
  copy(from: string, to: string, done: Callback<Stat>): void
  copy(from: string, to: string, done?: Callback<Stat>): Promise<Stat> {
    return settle(copy(this.context, from, to), done)
  }

  /** Lay `changes` over the entry at `name`; metadata is merged key by key. */
  update(name: string, changes: StatInput): Promise<Stat>
  update(name: string, changes: StatInput, done: Callback<Stat>): void
  update(name: string, changes: StatInput, done?: Callback<Stat>): Promise<Stat> {
    return settle(metadata.update(this.context, name, changes), done)
  }

  /** Set one metadata value of the entry at `name`. */
  setMetadata(name: string, key: string, value: Uint8Array | string): Promise<Stat>
  setMetadata(name: string, key: string, value: Uint8Array | string, done: Callback<Stat>): void
  setMetadata(
    name: string,
    key: string,
    value: Uint8Array | string,
    done?: Callback<Stat>,
  ): Promise<Stat> {
    return settle(metadata.setMetadata(this.context, name, key, value), done)
  }

  /** Remove one metadata value of the entry at `name`; the key stays and reads as null, as in v10. */
  removeMetadata(name: string, key: string): Promise<Stat>
  removeMetadata(name: string, key: string, done: Callback<Stat>): void
  removeMetadata(name: string, key: string, done?: Callback<Stat>): Promise<Stat> {
    return settle(metadata.removeMetadata(this.context, name, key), done)
  }
}
