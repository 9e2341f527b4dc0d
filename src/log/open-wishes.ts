/**
 * The wishes of a log that may not be open yet: then there are none.
 *
 * @module
 */
import type { Parts } from './parts.ts'
import type { Selection, WaitingWish, Wishes } from './wish.ts'

const NONE: ReadonlySet<never> = new Set<never>()

/** The live list, from the moment the log is open. */
export class OpenWishes implements Wishes {
  readonly #parts: () => Parts | null

  /** @param parts - what is asked once the log is open */
  constructor(parts: () => Parts | null) {
    this.#parts = parts
  }

  get waiting(): ReadonlySet<WaitingWish> {
    return this.#parts()?.waiting.wishes ?? NONE
  }

  get selections(): ReadonlySet<Selection> {
    return this.#parts()?.downloads.selections ?? NONE
  }

  /** As `Waiting.waitedMs`. */
  waitedMs(wish: WaitingWish): number | null {
    return this.#parts()?.waiting.waitedMs(wish) ?? null
  }
}
