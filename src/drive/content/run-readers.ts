/**
 * Readers of the runs that were read last: pieces of several runs, read in turns, each go on where they ended.
 *
 * @module
 */
import type { Reads } from '../context.ts'
import { RunReader } from './run-reader.ts'
import type { Run } from './run.ts'

/** Reads of several runs. Each reader keeps one block, so their number is bounded. */
export class RunReaders {
  readonly #limit: number
  readonly #readers = new Map<Run, RunReader>()

  /** @param limit - runs that are kept in mind */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Fill `out` with the bytes of a run from `position` on. @returns how many there were */
  read(run: Run, position: number, out: Uint8Array, reads: Reads): Promise<number> {
    const reader = this.#readers.get(run) ?? new RunReader(run)
    // The one that was asked last is the last to go.
    this.#readers.delete(run)
    this.#readers.set(run, reader)
    if (this.#readers.size > this.#limit) this.#dropFirst()
    return reader.read(position, out, reads)
  }

  /** Stop fetching ahead. */
  close(): void {
    while (this.#readers.size > 0) this.#dropFirst()
  }

  #dropFirst(): void {
    for (const [run, reader] of this.#readers) {
      reader.close()
      this.#readers.delete(run)
      return
    }
  }
}
