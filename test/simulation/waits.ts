/**
 * Everything in a world that waits: each wait must be answered, and only as its options allow.
 *
 * @module
 */
import type { Network } from './link.ts'

/** What an answer may be. */
export interface Terms<T> {
  /** Who waits for what, for the report. */
  readonly what: string
  /** What is wrong with a value, or `null`. */
  readonly judge?: (value: T) => string | null
  /** Whether it may fail with this code; an aborted wait has the code `aborted`. */
  readonly mayFail: (code: string) => boolean
}

/** The waits of one world. */
export class Waits {
  /** What was answered and should not have been. */
  readonly failures: string[] = []
  readonly #network: Network
  #count = 0
  #open = 0

  /** @param network - whose trace gets every answer */
  constructor(network: Network) {
    this.#network = network
  }

  /** Waits so far. */
  get count(): number {
    return this.#count
  }

  /** Waits that were not answered yet. */
  get open(): number {
    return this.#open
  }

  /** Somebody waits. */
  watch<T>(answer: Promise<T>, { what, judge, mayFail }: Terms<T>): void {
    const number = this.#count++
    this.#open++
    const told = (value: T): void => {
      this.#open--
      this.#network.note(number)
      const wrong = judge?.(value) ?? null
      if (wrong !== null) this.failures.push(`${what}: ${wrong}`)
    }
    const refused = (error: Error & { code?: unknown }): void => {
      this.#open--
      const code = error.name === 'AbortError' ? 'aborted' : String(error.code)
      this.#network.note(number + 0x10000 * code.length)
      if (!mayFail(code)) this.failures.push(`${what}: ${error.stack ?? error.message}`)
    }
    void answer.then(told, refused)
  }
}
