/**
 * Which small reads and writes of files are done at once, on the thread of the program.
 *
 * A kilobyte goes from or to the system's cache in 1.3 µs; by way of the thread pool, a callback and a promise the
 * same costs 17 µs of CPU (64 KiB: 4 to 7 against 26). A log of small blocks does little else: eight writes a file
 * stored, one read a file read. So what is small is done at once when nothing else waits for the file.
 *
 * But a program that awaits only what is done at once never comes back to its event loop: no timer, no socket. So
 * every so often one operation takes the long way, which does come back.
 *
 * @module
 */

/** Most bytes moved at once: some microseconds from the cache, one access where it has to come from the disk. */
const MOST_BYTES = 64 * 1024
/** Operations at once before one that takes the long way; a stored file is eight. */
const TURNS = 32

/** Deals out turns, to all files of the process together. */
export class SynchronousTurns {
  #left = TURNS

  /** Whether an operation of `length` bytes may be done at once. */
  take(length: number): boolean {
    if (length > MOST_BYTES) return false
    if (this.#left === 0) {
      this.#left = TURNS
      return false
    }
    this.#left--
    return true
  }
}

/** Those of the process. */
export const synchronousTurns: SynchronousTurns = new SynchronousTurns()
