/**
 * One name of a directory and what it is, as Node's `fs.Dirent`.
 *
 * @module
 */
import { parentPath } from '../paths.ts'
import type { Stat } from './stat.ts'

/** A name of a directory, from `readdir` with `withFileTypes`. */
export class Dirent {
  /** The name alone, without directories. */
  readonly name: string
  /** The directory that it is in: an absolute path. */
  readonly parentPath: string
  readonly #stat: Stat

  /** @param entry - a listed entry: its path says name and parent */
  constructor({ path, stat }: { readonly path: string; readonly stat: Stat }) {
    this.name = path.slice(path.lastIndexOf('/') + 1)
    this.parentPath = parentPath(path)
    this.#stat = stat
  }

  /** The same as `parentPath`, by the name that Node 20 has for it. */
  get path(): string {
    return this.parentPath
  }

  /** Whether it is a regular file. */
  isFile(): boolean {
    return this.#stat.isFile()
  }

  /** Whether it is a directory, or implied by what is below it. */
  isDirectory(): boolean {
    return this.#stat.isDirectory()
  }

  /** Whether it is a symbolic link; what that leads to is not looked at. */
  isSymbolicLink(): boolean {
    return this.#stat.isSymbolicLink()
  }

  /** Whether it is a socket; a drive never makes one. */
  isSocket(): boolean {
    return this.#stat.isSocket()
  }

  /** Whether it is a block device; a drive never makes one. */
  isBlockDevice(): boolean {
    return this.#stat.isBlockDevice()
  }

  /** Whether it is a character device; a drive never makes one. */
  isCharacterDevice(): boolean {
    return this.#stat.isCharacterDevice()
  }

  /** Whether it is a named pipe; a drive never makes one. */
  isFIFO(): boolean {
    return this.#stat.isFIFO()
  }
}
