/**
 * The drive: a file system whose every version is kept, shared by one 32-byte key.
 *
 * A thin face: its methods hand over at once to one file per concept. Life cycle and properties are in
 * `drive-base.ts`, open files in `drive-descriptors.ts`, files and directories in `drive-files.ts`, transfers in
 * `drive-transfers.ts`, walking and watching in `drive-directories.ts`; here are versions and mounts.
 *
 * @see spec/40-drive.md 4
 * @module
 */
/// <reference types="node" preserve="true" />
import type { Readable } from 'node:stream'
import { type Callback, type Callbacks, optional, settle, settleAll } from '../callback.ts'
import { constants } from './open/constants.ts'
import type { ReadOptions } from './context.ts'
import { type OtherVersion, createDiffStream } from './versions/diff.ts'
import type { CheckoutSource, DriveBase } from './drive-base.ts'
import { DriveDirectories } from './drive-directories.ts'
import { createHistoryStream } from './versions/history.ts'
import type { HistoryOptions } from '../trie/index.ts'
import * as mounts from './mounts.ts'
import type { MountListOptions, MountLogs, MountOptions, Mounted, PathInfo } from './mounts.ts'
import type { CheckoutOptions, DriveOptions, DriveStorage } from './options.ts'
import { type DrivePromises, promisesOf } from './promises.ts'
import * as tags from './versions/tags.ts'

/** Names of versions. */
export type Tags = Map<string, number>
/** What the callback of `mount` gets after the error. */
export type MountResults = [trie: Mounted['trie'], info: Mounted['info']]
/** Logs by the path of their mount. */
export type Mounts = Map<string, MountLogs>

/** A drive. */
export class Drive extends DriveDirectories {
  /** The numbers of the `fs` interface. */
  static readonly constants: typeof constants = constants
  #promises: DrivePromises | null = null

  /**
   * @param storage - a folder, a function that gives each file, or a store
   * @param key - of the drive to read, as bytes or hexadecimal text; left out for one of our own
   * @param options - see {@link DriveOptions}; may stand in the place of the key
   * @throws {@link DriveError} `DRIVE_BAD_KEY`
   */
  constructor(
    storage: DriveStorage<Drive>,
    key?: Uint8Array | string | DriveOptions | null,
    options?: DriveOptions,
  )
  /** @internal */
  constructor(storage: CheckoutSource)
  constructor(
    storage: DriveStorage<Drive> | CheckoutSource,
    key?: Uint8Array | string | DriveOptions | null,
    options?: DriveOptions,
  ) {
    // The function is called with this drive, which is a Drive.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    super(storage as DriveStorage<DriveBase> | CheckoutSource, key, options)
  }

  /** The drive as `fs.promises`: methods that can be taken off it. */
  get promises(): DrivePromises {
    this.#promises ??= promisesOf(this)
    return this.#promises
  }

  /**
   * A read-only view of an older version; 0 and null stand for 1, the empty drive. Options are this drive's, unless
   * given. Closing it closes nothing else.
   */
  checkout(version?: number | null, options: CheckoutOptions = {}): Drive {
    return new Drive(this.checkoutSource(version, options))
  }

  /** Name a version; without one, the current. */
  createTag(name: string, version?: number | null): Promise<void>
  createTag(name: string, done: Callback): void
  createTag(name: string, version: number | null | undefined, done?: Callback): void
  createTag(name: string, version?: number | null | Callback, done?: Callback): Promise<void> {
    const [given, callback] = optional(version, done)
    return settle(tags.createTag(this.context, name, given), callback)
  }

  /** The version that a name stands for, or null. */
  getTaggedVersion(name: string, options?: ReadOptions): Promise<number | null>
  getTaggedVersion(name: string, done: Callback<number | null>): void
  getTaggedVersion(
    name: string,
    options: ReadOptions | undefined,
    done: Callback<number | null>,
  ): void
  getTaggedVersion(
    name: string,
    options?: ReadOptions | Callback<number | null>,
    done?: Callback<number | null>,
  ): Promise<number | null> {
    const [given, callback] = optional(options, done)
    return settle(tags.getTaggedVersion(this.context, name, given), callback)
  }

  /** Forget a name; one that is not there is no error. */
  deleteTag(name: string): Promise<void>
  deleteTag(name: string, done: Callback): void
  deleteTag(name: string, done?: Callback): Promise<void> {
    return settle(tags.deleteTag(this.context, name), done)
  }

  /** All names with their versions. */
  getAllTags(options?: ReadOptions): Promise<Tags>
  getAllTags(done: Callback<Tags>): void
  getAllTags(options: ReadOptions | undefined, done: Callback<Tags>): void
  getAllTags(options?: ReadOptions | Callback<Tags>, done?: Callback<Tags>): Promise<Tags> {
    const [given, callback] = optional(options, done)
    return settle(tags.getAllTags(this.context, given), callback)
  }

  /** A stream of what is different between this version and `other` (version 1 when left out), below `prefix`. */
  createDiffStream(other?: OtherVersion | null, prefix?: string, options?: ReadOptions): Readable {
    return createDiffStream(this.context, other, prefix, options)
  }

  /** A stream of what was written to the metadata log, block by block. */
  createHistoryStream(options?: HistoryOptions): Readable {
    return createHistoryStream(this.context, options)
  }

  /** Show the drive (or with `hypercore` the plain log) of `key` at `name`. */
  mount(name: string, key: Uint8Array, options?: MountOptions): Promise<Mounted>
  mount(name: string, key: Uint8Array, done: Callbacks<MountResults>): void
  mount(
    name: string,
    key: Uint8Array,
    options: MountOptions | undefined,
    done?: Callbacks<MountResults>,
  ): void
  mount(
    name: string,
    key: Uint8Array,
    options?: MountOptions | Callbacks<MountResults>,
    done?: Callbacks<MountResults>,
  ): Promise<Mounted> {
    const [given, callback] = optional(options, done)
    const mounted = mounts.mount(this.context, name, key, given)
    return settleAll(mounted, ({ trie, info }): MountResults => [trie, info], callback)
  }

  /** Show nothing at `name` any more. */
  unmount(name: string): Promise<void>
  unmount(name: string, done: Callback): void
  unmount(name: string, done?: Callback): Promise<void> {
    return settle(mounts.unmount(this.context, name), done)
  }

  /** Which drive holds `name`, and where that is mounted. */
  info(name: string, options?: ReadOptions): Promise<PathInfo>
  info(name: string, done: Callback<PathInfo>): void
  info(name: string, options: ReadOptions | undefined, done: Callback<PathInfo>): void
  info(
    name: string,
    options?: ReadOptions | Callback<PathInfo>,
    done?: Callback<PathInfo>,
  ): Promise<PathInfo> {
    const [given, callback] = optional(options, done)
    return settle(mounts.info(this.context, name, given), callback)
  }

  /** A stream of `{ path, metadata, content }`: this drive (`/`) and each mounted one. */
  createMountStream(options?: MountListOptions): Readable {
    return mounts.createMountStream(this.context, options)
  }

  /** The logs of this drive (`/`) and of each mounted one, by path. */
  getAllMounts(options?: MountListOptions): Promise<Mounts>
  getAllMounts(done: Callback<Mounts>): void
  getAllMounts(options: MountListOptions | undefined, done: Callback<Mounts>): void
  getAllMounts(
    options?: MountListOptions | Callback<Mounts>,
    done?: Callback<Mounts>,
  ): Promise<Mounts> {
    const [given, callback] = optional(options, done)
    return settle(mounts.getAllMounts(this.context, given), callback)
  }
}
