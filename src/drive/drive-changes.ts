/**
 * What v10 lacks of a file system: moving, copying and removing whole trees, appending, and changing what is known of
 * a file. v10 reads every drive that these make.
 *
 * With a callback as the last argument they call it and give nothing; otherwise they give a promise.
 *
 * @module
 */
import { type Callback, optional, settle } from '../callback.ts'
import { type AppendOptions, appendFile } from './content/append-file.ts'
import { type Time, chmod, chown, utimes } from './entries/attributes.ts'
import { DriveBatch, inBatch } from './batch/batch.ts'
import { type CpOptions, cp } from './entries/cp.ts'
import { DriveFiles } from './drive-files.ts'
import { type ExportOptions, exportDirectory } from './folders/export-directory.ts'
import type { FolderReport, FolderTransfer } from './folders/folder-transfer.ts'
import { type ImportOptions, importDirectory } from './folders/import-directory.ts'
import { rename } from './entries/rename.ts'
import { type RmOptions, rm } from './entries/rm.ts'

/** A drive with the operations that change what is there. */
export class DriveChanges extends DriveFiles {
  /**
   * Many changes, stored together or not at all. With a function: it makes them, they are stored when it is done, and
   * dropped when it fails; gives what it gave. Without: whoever asked stores them by `flush`.
   */
  batch(): DriveBatch
  batch<T>(work: (batch: DriveBatch) => T | Promise<T>): Promise<T>
  batch<T>(work: (batch: DriveBatch) => T | Promise<T>, done: Callback<T>): void
  batch<T>(
    work?: (batch: DriveBatch) => T | Promise<T>,
    done?: Callback<T>,
  ): DriveBatch | Promise<T> {
    return work ? settle(inBatch(this.context, work), done) : new DriveBatch(this.context)
  }

  /** Move what is at `from`, with everything below it, to `to`. Readers see all of it moved or nothing. */
  rename(from: string, to: string): Promise<void>
  rename(from: string, to: string, done: Callback): void
  rename(from: string, to: string, done?: Callback): Promise<void> {
    return settle(rename(this.context, from, to), done)
  }

  /** Copy what is at `from` to `to`, directories with `recursive`. No content is copied inside one drive. */
  cp(from: string, to: string, options?: CpOptions): Promise<void>
  cp(from: string, to: string, done: Callback): void
  cp(from: string, to: string, options: CpOptions | undefined, done?: Callback): void
  cp(from: string, to: string, options?: CpOptions | Callback, done?: Callback): Promise<void> {
    const [given, callback] = optional(options, done)
    return settle(cp(this.context, from, to, given), callback)
  }

  /** Remove what is at `name`, directories with `recursive`. */
  rm(name: string, options?: RmOptions): Promise<void>
  rm(name: string, done: Callback): void
  rm(name: string, options: RmOptions | undefined, done?: Callback): void
  rm(name: string, options?: RmOptions | Callback, done?: Callback): Promise<void> {
    const [given, callback] = optional(options, done)
    return settle(rm(this.context, name, given), callback)
  }

  /** Add `data` to the end of the file at `name`, which is made when it is missing. */
  appendFile(
    name: string,
    data: string | ArrayBufferView,
    options?: AppendOptions | BufferEncoding | null,
  ): Promise<void>
  appendFile(name: string, data: string | ArrayBufferView, done: Callback): void
  appendFile(
    name: string,
    data: string | ArrayBufferView,
    options: AppendOptions | BufferEncoding | null | undefined,
    done: Callback,
  ): void
  appendFile(
    name: string,
    data: string | ArrayBufferView,
    options?: AppendOptions | BufferEncoding | null | Callback,
    done?: Callback,
  ): Promise<void> {
    const [given, callback] = optional(options, done)
    return settle(appendFile(this.descriptors, name, data, given), callback)
  }

  /** Set the permissions of what is at `name`. */
  chmod(name: string, mode: number): Promise<void>
  chmod(name: string, mode: number, done: Callback): void
  chmod(name: string, mode: number, done?: Callback): Promise<void> {
    return settle(chmod(this.context, name, mode), done)
  }

  /** Set the owners of what is at `name`. */
  chown(name: string, uid: number, gid: number): Promise<void>
  chown(name: string, uid: number, gid: number, done: Callback): void
  chown(name: string, uid: number, gid: number, done?: Callback): Promise<void> {
    return settle(chown(this.context, name, uid, gid), done)
  }

  /** Set the owners of what is at `name`; of a link, the link's. */
  lchown(name: string, uid: number, gid: number): Promise<void>
  lchown(name: string, uid: number, gid: number, done: Callback): void
  lchown(name: string, uid: number, gid: number, done?: Callback): Promise<void> {
    return settle(chown(this.context, name, uid, gid, false), done)
  }

  /** Set the time of modification of what is at `name`; times of access are not kept. */
  utimes(name: string, atime: Time, mtime: Time): Promise<void>
  utimes(name: string, atime: Time, mtime: Time, done: Callback): void
  utimes(name: string, atime: Time, mtime: Time, done?: Callback): Promise<void> {
    return settle(utimes(this.context, name, atime, mtime), done)
  }

  /**
   * Make the directory at `name` (all of the drive) like a folder of the system: what changed is written, with modes,
   * times and links. The handle can be awaited, watched and given up; the next run goes on from there.
   */
  importDirectory(folder: string, name?: string, options?: ImportOptions): FolderTransfer
  importDirectory(
    folder: string,
    name: string | undefined,
    options: ImportOptions | undefined,
    done: Callback<FolderReport>,
  ): FolderTransfer
  importDirectory(
    folder: string,
    name?: string,
    options?: ImportOptions,
    done?: Callback<FolderReport>,
  ): FolderTransfer {
    const transfer = importDirectory(this.context, folder, name, options)
    void settle(transfer.done, done)
    return transfer
  }

  /**
   * Make a folder of the system like the directory at `name`: what changed is written, with modes, times and links.
   * Nothing is written outside the folder, whatever is in the drive.
   */
  exportDirectory(name: string, folder: string, options?: ExportOptions): FolderTransfer
  exportDirectory(
    name: string,
    folder: string,
    options: ExportOptions | undefined,
    done: Callback<FolderReport>,
  ): FolderTransfer
  exportDirectory(
    name: string,
    folder: string,
    options?: ExportOptions,
    done?: Callback<FolderReport>,
  ): FolderTransfer {
    const transfer = exportDirectory(this.context, name, folder, options)
    void settle(transfer.done, done)
    return transfer
  }

  /** The same of a link itself. */
  lutimes(name: string, atime: Time, mtime: Time): Promise<void>
  lutimes(name: string, atime: Time, mtime: Time, done: Callback): void
  lutimes(name: string, atime: Time, mtime: Time, done?: Callback): Promise<void> {
    return settle(utimes(this.context, name, atime, mtime, false), done)
  }
}
