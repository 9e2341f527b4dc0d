/**
 * What else `fs` has: open directories, real names, names that nobody has, totals, and watching.
 *
 * With a callback as the last argument they call it and give nothing; otherwise they give a promise.
 *
 * @see spec/40-drive.md 3.12
 * @module
 */
import { type Callback, optional, settle } from '../callback.ts'
import type { ReadOptions } from './context.ts'
import { copyFile } from './entries/copy-file.ts'
import { type Dir, type OpendirOptions, opendir } from './entries/directory-handle.ts'
import { DriveTransfers } from './drive-transfers.ts'
import type { LookupOptions } from './entries/lookup.ts'
import { mkdtemp } from './entries/make-temporary.ts'
import { realpath } from './entries/real-path.ts'
import { type DriveTotals, statfs } from './transfer/totals.ts'
import { type DriveWatcher, type WatchOptions, watch } from './versions/watch.ts'

/** A drive with the rest of the operations that `fs` has. */
export class DriveDirectories extends DriveTransfers {
  /** The directory at `name`, to be read name by name: `for await (const dirent of await drive.opendir(name))`. */
  opendir(name: string, options?: OpendirOptions): Promise<Dir>
  opendir(name: string, done: Callback<Dir>): void
  opendir(name: string, options: OpendirOptions | undefined, done: Callback<Dir>): void
  opendir(
    name: string,
    options?: OpendirOptions | Callback<Dir>,
    done?: Callback<Dir>,
  ): Promise<Dir> {
    const [given, callback] = optional(options, done)
    return settle(opendir(this.context, name, given), callback)
  }

  /** The path that `name` leads to, without links. */
  realpath(name: string, options?: LookupOptions): Promise<string>
  realpath(name: string, done: Callback<string>): void
  realpath(name: string, options: LookupOptions | undefined, done: Callback<string>): void
  realpath(
    name: string,
    options?: LookupOptions | Callback<string>,
    done?: Callback<string>,
  ): Promise<string> {
    const [given, callback] = optional(options, done)
    return settle(realpath(this.context, name, given), callback)
  }

  /** Make a directory named `prefix` and six letters that nobody has; gives its name. */
  mkdtemp(prefix: string): Promise<string>
  mkdtemp(prefix: string, done: Callback<string>): void
  mkdtemp(prefix: string, done?: Callback<string>): Promise<string> {
    return settle(mkdtemp(this.context, prefix), done)
  }

  /**
   * Make the file at `to` hold what the one at `from` holds, with its mode; links are followed, and inside one drive no
   * content is copied. With mode 1 (`COPYFILE_EXCL`) nothing may be at `to`.
   */
  copyFile(from: string, to: string, mode?: number): Promise<void>
  copyFile(from: string, to: string, done: Callback): void
  copyFile(from: string, to: string, mode: number | undefined, done: Callback): void
  copyFile(from: string, to: string, mode?: number | Callback, done?: Callback): Promise<void> {
    const [given, callback] = optional(mode, done)
    return settle(copyFile(this.context, from, to, given), callback)
  }

  /** How much the drive that `name` lies in holds, and how much of that is here. */
  statfs(name?: string, options?: ReadOptions): Promise<DriveTotals>
  statfs(name: string, done: Callback<DriveTotals>): void
  statfs(name: string, options: ReadOptions | undefined, done: Callback<DriveTotals>): void
  statfs(
    name?: string,
    options?: ReadOptions | Callback<DriveTotals>,
    done?: Callback<DriveTotals>,
  ): Promise<DriveTotals> {
    const [given, callback] = optional(options, done)
    return settle(statfs(this.context, name, given), callback)
  }

  /**
   * Call `onchange` whenever something at or below `name` changes, and once at the start if anything is there. The
   * watcher can be iterated over: `{ eventType, filename }` for each name that changed.
   */
  watch(name: string, onchange?: () => void): DriveWatcher
  watch(name: string, options: WatchOptions | undefined, onchange?: () => void): DriveWatcher
  watch(name: string, options?: WatchOptions | (() => void), onchange?: () => void): DriveWatcher {
    const [given, listener] = optional(options, onchange)
    return watch(this.context, name, given, listener)
  }
}
