/**
 * What a remote may say that no honest one says, before the connection ends with `WIRE_LIMIT`.
 *
 * A message that is well formed and means nothing (of a channel that nobody opened, a Want asked again, a Cancel of
 * nothing, a block that nobody asked for) must be ignored, and may come by accident: what was on its way when a channel
 * closed, an answer that another peer gave first. Ignoring costs time, though, so each is charged to an allowance that
 * grows back with time; costs are about one a microsecond. Messages that mean something cost nothing.
 *
 * Pure: the clock is given.
 *
 * @module
 */
import { WireError } from './errors.ts'
import type { Limits } from './limits.ts'

/** What was ignored, or done in vain. */
export type Nuisance =
  /** A frame of a reserved type, or on a channel that nobody opened here. */
  | 'frame'
  /** A log closed by the remote, or a Close for none. */
  | 'close'
  /** A list of extensions. */
  | 'options'
  /** A Status. */
  | 'status'
  /** A Have that tells nothing, or more than is remembered of one remote. */
  | 'have'
  /** An Unhave; most of all one of what was just asked for. */
  | 'unhave'
  /** A Want of a crooked range, asked again, or beyond the log. */
  | 'want'
  /** A Cancel; an Unwant. */
  | 'cancel'
  /** A block that nobody asked for. */
  | 'data'
  /** A proof that nobody asked for. */
  | 'proof'
  /** An extension message that nobody takes. */
  | 'extension'

/** The allowance of one connection. */
export class Allowance {
  /** How often each was charged. */
  readonly counts: Map<Nuisance, number> = new Map()
  readonly #limits: Limits
  readonly #now: () => number
  #spent = 0
  #at: number

  /** @param now - milliseconds */
  constructor(limits: Limits, now: () => number) {
    this.#limits = limits
    this.#now = now
    this.#at = now()
  }

  /**
   * Charge one of these.
   *
   * @throws {@link WireError} `WIRE_LIMIT` when the allowance is used up
   */
  spend(nuisance: Nuisance, cost = 1): void {
    this.counts.set(nuisance, (this.counts.get(nuisance) ?? 0) + 1)
    const { nuisance: most, nuisancePerSecond } = this.#limits
    if (this.#spent + cost > most) {
      const now = this.#now()
      const forgiven = ((now - this.#at) / 1000) * nuisancePerSecond
      this.#at = now
      this.#spent = Math.max(0, this.#spent - forgiven)
    }
    this.#spent += cost
    if (this.#spent > most) {
      throw new WireError('WIRE_LIMIT', `too much of what means nothing, at last: ${nuisance}`)
    }
  }
}
