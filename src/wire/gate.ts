/**
 * Back-pressure on the way in: the transport's write is answered once nobody holds the gate.
 *
 * @module
 */

/** The gate of one connection. */
export class Gate {
  #holds = 0
  /** Answers the transport's last write. */
  #waiting: (() => void) | null = null

  /** Whether somebody lets the transport wait. */
  get isHeld(): boolean {
    return this.#holds > 0
  }

  /** Let the transport wait until the result is called; calling that again does nothing. */
  hold(): () => void {
    this.#holds++
    let held = true
    return () => {
      if (!held) return
      held = false
      this.#holds--
      this.open()
    }
  }

  /** A write came; `answer` is called by `open`. */
  wait(answer: () => void): void {
    this.#waiting = answer
  }

  /** Answer the write, unless somebody holds the gate. */
  open(): void {
    if (this.#holds > 0) return
    const answer = this.#waiting
    this.#waiting = null
    answer?.()
  }

  /** The connection is over: no write is answered any more. */
  stop(): void {
    this.#waiting = null
  }
}
