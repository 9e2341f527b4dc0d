/**
 * What every open file can do, whichever rules it follows: those of POSIX (`shared-descriptor.ts`), or, where the drive
 * is of others, a checkout, or under `exact`, those of v10 (`descriptor.ts`).
 *
 * @module
 */
import type { ReadOptions } from '../context.ts'
import type { Place } from '../entries/lookup.ts'
import type { Stat } from '../entries/stat.ts'

/** An open file. Failures are `DriveError`s with the descriptor's path. */
export interface OpenDescriptor {
  /** Absolute, links resolved. */
  readonly path: string
  /**
   * Fill `out` from `position`; null is where the last call ended.
   *
   * @returns how many bytes; 0 at the end and past it
   * @throws {@link DriveError} `EBADF` when it is not open for reading
   */
  read(out: Uint8Array, position: number | null, options: ReadOptions): Promise<number>
  /**
   * Write `bytes` at `position`; null is where the last call ended. They may be reused once it settles.
   *
   * @throws {@link DriveError} `EBADF` when it is not open for writing (`exact`: nor at another place)
   */
  write(bytes: Uint8Array, position: number | null): Promise<void>
  /** Make the file `size` bytes long. @throws {@link DriveError} `EBADF`; `EINVAL` (`exact`: for all but 0) */
  truncate(size: number): Promise<void>
  /** Store what was written, as a new version. Under `exact` that is left to `close`. */
  store(): Promise<void>
  /** The same, and make it survive a power cut. */
  sync(): Promise<void>
  /** What is known of the file, with its size as it is now. */
  stat(): Promise<Stat>
  /** Where its entry is; null once that was removed. */
  place(): Promise<Place | null>
  /** End: reads that wait fail, and what was written is stored. */
  close(): Promise<void>
}
