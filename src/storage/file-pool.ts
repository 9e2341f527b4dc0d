/**
 * A bound on open file descriptors, shared by every file of a process.
 *
 * A drive of a thousand mounts has six thousand files, and a process has about a thousand descriptors.
 * So a file that wants one takes a place here; when all are taken, the file that has been idle longest
 * lets go of its own, and opens again when it is next used. A file at work is never touched.
 *
 * @module
 */
import FIFO from 'fast-fifo'

/** Places a pool has unless told otherwise: well below the usual limit of 1024 a process. */
export const DEFAULT_OPEN_FILES = 512

/** What the pool needs of a file. */
export interface PooledFile {
  /** Whether no operation runs or waits. */
  readonly idle: boolean
  /** Close the descriptor now; only called while idle. Never rejects. */
  letGo(): Promise<void>
}

/** At most so many files that hold a descriptor. */
export class FilePool {
  readonly #limit: number
  /** In order of last use, the longest ago first. */
  readonly #holders = new Set<PooledFile>()
  readonly #waiting = new FIFO<() => void>()

  /** @param limit - descriptors to hold at most, at least 1 */
  constructor(limit: number = DEFAULT_OPEN_FILES) {
    if (!Number.isSafeInteger(limit) || limit < 1) {
      throw new RangeError(`want at least one open file, got ${limit}`)
    }
    this.#limit = limit
  }

  /** Files that hold a place now. */
  get size(): number {
    return this.#holders.size
  }

  /** Take a place for `file`. Resolves once it may open its descriptor. */
  async enter(file: PooledFile): Promise<void> {
    while (this.#holders.size >= this.#limit) {
      const idle = this.#longestIdle()
      if (idle) {
        // The place changes hands at once, so that nobody else takes it meanwhile.
        this.#holders.delete(idle)
        this.#holders.add(file)
        return idle.letGo()
      }
      // One after another: whoever wakes looks again, and may have to wait again. Each place that becomes
      // free wakes one, or thousands of logs that open together would wake each other for minutes.
      // oxlint-disable-next-line no-await-in-loop
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    }
    this.#holders.add(file)
  }

  /**
   * Close the descriptor that has been idle longest, because the process has no more of them.
   *
   * @returns whether there was one
   */
  async shrink(): Promise<boolean> {
    const idle = this.#longestIdle()
    if (!idle) return false
    this.#holders.delete(idle)
    await idle.letGo()
    return true
  }

  /** `file` has closed its descriptor itself. */
  leave(file: PooledFile): void {
    if (this.#holders.delete(file)) this.#wake()
  }

  /** `file` has nothing to do for now: it was used last of all. */
  rest(file: PooledFile): void {
    if (!this.#holders.delete(file)) return
    this.#holders.add(file)
    this.#wake()
  }

  #longestIdle(): PooledFile | null {
    for (const file of this.#holders) if (file.idle) return file
    return null
  }

  #wake(): void {
    this.#waiting.shift()?.()
  }
}

/** The pool of files that are not given one of their own. */
export const sharedFilePool: FilePool = new FilePool()
