/**
 * What of the drive's content is on this device: fetching it ahead of reading, dropping it, and finding out.
 *
 * A transfer gives its handle whether or not there is a callback; the handle can be awaited.
 *
 * @see spec/40-drive.md 3.15
 * @module
 */
import type { Readable } from 'node:stream'
import { type Callback, optional, settle } from '../callback.ts'
import {
  type Availability,
  type AvailabilityOptions,
  availability,
} from './transfer/availability.ts'
import { type ClearOptions, type Cleared, clear } from './transfer/clear.ts'
import { type DownloadOptions, download } from './transfer/download.ts'
import { type BundleOptions, bundle } from './bundle/bundle.ts'
import { DriveChanges } from './drive-changes.ts'
import type { Transfer } from './transfer/transfer.ts'
import {
  type Stats,
  type StatsOptions,
  type StatsWatcher,
  type WatchStatsOptions,
} from './transfer/usage.ts'
import * as usage from './transfer/usage.ts'

/** A drive with the operations that move content to and from this device. */
export class DriveTransfers extends DriveChanges {
  /** Fetch all files at and below `path` (all of the drive). The handle can be awaited, watched and given up. */
  download(path?: string, options?: DownloadOptions): Transfer
  download(done: Callback): Transfer
  download(path: string | undefined, done: Callback): Transfer
  download(
    path: string | undefined,
    options: DownloadOptions | undefined,
    done?: Callback,
  ): Transfer
  download(
    path?: string | Callback,
    options?: DownloadOptions | Callback,
    done?: Callback,
  ): Transfer {
    const [name, first] = optional(path, undefined)
    const [given, callback] = optional(options, done)
    return told(download(this.context, name, given), first ?? callback)
  }

  /** What of the files at and below `path` (all of the drive) is here. Asks nobody and waits for nothing. */
  availability(path?: string, options?: AvailabilityOptions): Promise<Availability>
  availability(done: Callback<Availability>): void
  availability(path: string | undefined, done: Callback<Availability>): void
  availability(
    path: string | undefined,
    options: AvailabilityOptions | undefined,
    done?: Callback<Availability>,
  ): void
  availability(
    path?: string | Callback<Availability>,
    options?: AvailabilityOptions | Callback<Availability>,
    done?: Callback<Availability>,
  ): Promise<Availability> {
    const [name, first] = optional(path, undefined)
    const [given, callback] = optional(options, done)
    return settle(availability(this.context, name, given), first ?? callback)
  }

  /** Drop the content of all files at and below `path` from local storage, save what other files share. */
  clear(path?: string, options?: ClearOptions): Transfer<Cleared>
  clear(path: string | undefined, done: Callback<Cleared | undefined>): Transfer<Cleared>
  clear(
    path: string | undefined,
    options: ClearOptions | undefined,
    done?: Callback<Cleared | undefined>,
  ): Transfer<Cleared>
  clear(
    path?: string,
    options?: ClearOptions | Callback<Cleared | undefined>,
    done?: Callback<Cleared | undefined>,
  ): Transfer<Cleared> {
    const [given, callback] = optional(options, done)
    return told(clear(this.context, path, given), callback)
  }

  /**
   * A snapshot of the drive, or of a path of it, as a stream of bytes that `importBundle` takes: it proves itself to
   * whoever knows the key. Without a version: the newest.
   */
  bundle(version?: number | null | BundleOptions, options?: BundleOptions): Readable {
    const [number, given] =
      typeof version === 'object' && version !== null ? [null, version] : [version, options]
    return bundle(this.context, number ?? this.context.checkout, given)
  }

  /** How much of a file, or of each file of a directory, there is, and is here. */
  stats(path: string, options?: StatsOptions): Promise<Stats>
  stats(path: string, done: Callback<Stats>): void
  stats(path: string, options: StatsOptions | undefined, done: Callback<Stats>): void
  stats(
    path: string,
    options?: StatsOptions | Callback<Stats>,
    done?: Callback<Stats>,
  ): Promise<Stats> {
    const [given, callback] = optional(options, done)
    return settle(usage.stats(this.context, path, given), callback)
  }

  /** `stats` again and again: emits `update`. */
  watchStats(path: string, options?: WatchStatsOptions): StatsWatcher {
    return usage.watchStats(this.context, path, options)
  }
}

/** Tell the callback, if there is one, when a transfer ends; give the transfer either way. */
function told<T>(transfer: Transfer<T>, done?: Callback<T | undefined>): Transfer<T> {
  if (done) void settle(transfer.done, done)
  return transfer
}
