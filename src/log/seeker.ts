/**
 * Finding the block of a byte, with the help of peers where the tree here does not tell.
 *
 * @see spec/10-log.md 3.7
 * @module
 */
import { assertRange } from './core.ts'
import { LogError } from './errors.ts'
import type { SeekOptions } from './options.ts'
import { blocksBelow } from './prover.ts'
import type { Prover } from './prover.ts'
import type { BytePosition, OpenSeek, Patience, Waiting } from './waiting.ts'

/** Seeks in one log. */
export class Seeker {
  readonly #prover: Prover
  readonly #waiting: Waiting

  /** @param prover - knows the stored tree; @param waiting - holds those who wait */
  constructor(prover: Prover, waiting: Waiting) {
    this.#prover = prover
    this.#waiting = waiting
  }

  /**
   * The block of a byte.
   *
   * @throws {@link LogError} `LOG_OUT_OF_BOUNDS`, `LOG_NOT_HELD` without waiting, and what ends a wait;
   *   RangeError for what is no offset or range
   */
  async seek(
    byteOffset: number,
    options: SeekOptions,
    waits: boolean,
    patience: Patience,
  ): Promise<BytePosition> {
    const start = options.start ?? 0
    const end = options.end !== undefined && options.end >= 0 ? options.end : Infinity
    assertRange(start, end)
    const wish: OpenSeek = { type: 'seek', byteOffset, start, end, hash: options.hash ?? true }
    const found = await this.narrow(wish, !waits)
    if (found) return found
    if (!waits)
      throw new LogError('LOG_NOT_HELD', `byte ${byteOffset}: the tree here does not tell`)
    return this.#waiting.seek(wish, patience)
  }

  /**
   * Look once; if the stored tree does not tell, narrow the wish to where the byte can be.
   *
   * @param bounded - a byte past the end is an error, not something to wait for
   */
  async narrow(wish: OpenSeek, bounded = false): Promise<BytePosition | null> {
    const found = await this.#prover.seek(wish.byteOffset)
    if (found === null) {
      if (!bounded) return null
      throw new LogError('LOG_OUT_OF_BOUNDS', `byte ${wish.byteOffset} is past the end`)
    }
    if (found.type === 'block') return { index: found.index, offset: found.offset }
    const [start, end] = blocksBelow(found.treeIndex)
    wish.start = Math.max(wish.start, start)
    wish.end = Math.min(wish.end, end)
    if (wish.start < wish.end) return null
    throw new LogError('LOG_OUT_OF_BOUNDS', `byte ${wish.byteOffset} is not in the range given`)
  }
}
