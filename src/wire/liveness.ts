/**
 * The timers of a connection: is the remote still there, and does it know that we are.
 *
 *     timeout     nothing heard for so long: the connection ends
 *     deadline    the handshake is not over by then, however the bytes trickle: the connection ends
 *     keepalive   nothing said for half the timeout: say one byte
 *
 * @see spec/20-wire.md 3.3 and 7
 * @module
 */
import { IdleTimer } from './timers.ts'
import type { Timers } from './timers.ts'

/** Whom the timers tell. */
export interface LivenessHost {
  /** It took too long. */
  readonly timedOut: () => void
  /** Say something. */
  readonly ping: () => void
  /** Whether the remote's silence is our doing, since we let the transport wait. */
  readonly isHeld: () => boolean
}

/** All timers of one connection. */
export class Liveness {
  readonly #timers: Timers
  readonly #host: LivenessHost
  #silence: IdleTimer
  #keepalive: IdleTimer
  #forgetDeadline: (() => void) | null = null

  /** Starts everything; milliseconds, 0 for no such timer. `handshakeMs` is the deadline. */
  constructor(timers: Timers, timeout: number, handshakeMs: number, host: LivenessHost) {
    this.#timers = timers
    this.#host = host
    this.#silence = this.#listen(timeout)
    this.#keepalive = new IdleTimer(timers, Math.ceil(timeout / 2), host.ping)
    if (handshakeMs > 0) this.#forgetDeadline = timers.set(host.timedOut, handshakeMs)
  }

  /** Bytes came. */
  heard(): void {
    this.#silence.restart()
  }

  /** Bytes left. */
  said(): void {
    this.#keepalive.restart()
  }

  /** The handshake is over: there is no deadline any more. */
  greeted(): void {
    this.#forgetDeadline?.()
    this.#forgetDeadline = null
  }

  /** Another timeout, from now on; 0 for none. The deadline stays. */
  setTimeout(ms: number): void {
    this.#silence.stop()
    this.#silence = this.#listen(ms)
  }

  /** Another time between keepalives, from now on; 0 for none. */
  setKeepAlive(ms: number): void {
    this.#keepalive.stop()
    this.#keepalive = new IdleTimer(this.#timers, ms, this.#host.ping)
  }

  /** Stop everything. */
  stop(): void {
    this.#silence.stop()
    this.#keepalive.stop()
    this.greeted()
  }

  #listen(ms: number): IdleTimer {
    return new IdleTimer(this.#timers, ms, () => {
      if (!this.#host.isHeld()) this.#host.timedOut()
    })
  }
}
