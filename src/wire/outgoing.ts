/**
 * The way out of a connection: once a turn, everything that was queued leaves as one buffer.
 *
 * @module
 */
import { WireError } from './errors.ts'
import type { Limits } from './limits.ts'
import { Pace } from './pace.ts'
import type { Session } from './session.ts'
import type { Timers } from './timers.ts'

/** The stream that output leaves through. */
export interface OutgoingHost {
  readonly session: Session
  readonly limits: Limits
  readonly timers: Timers
  /** Bytes that left the session and were not taken by the transport yet. */
  readonly waiting: () => number
  /** Give bytes to the transport; null ends our half. */
  readonly push: (bytes: Uint8Array | null) => void
  /** End the connection. */
  readonly fail: (error: WireError) => void
  /** There is room again, and somebody had seen that there was none. */
  readonly drained: () => void
}

/** Output of one connection. */
export class Outgoing {
  /** Bytes given to the transport. */
  bytesSent = 0
  readonly #host: OutgoingHost
  #due = false
  #ended = false
  #waitedFor = false
  readonly #pace: Pace
  /** Lets go of the timer that output waits for, when it goes faster than it may. */
  #forget: (() => void) | null = null

  /** @param host - is written to */
  constructor(host: OutgoingHost) {
    this.#host = host
    this.#pace = new Pace(host.limits.outgoingBytesPerSecond, () => host.timers.now())
  }

  /** Whether more than the limit is queued; whoever sees it is told when it is over. */
  get congested(): boolean {
    const { session, limits, waiting } = this.#host
    const congested = session.length + waiting() >= limits.outgoingBytes
    if (congested) this.#waitedFor = true
    return congested
  }

  /** Something was queued: let it leave at the end of this turn. */
  flushSoon(): void {
    if (this.#due) return
    this.#due = true
    process.nextTick(() => {
      this.#due = false
      if (this.#forget === null) this.flush()
    })
  }

  /** Let everything leave now; after the end of our half it goes nowhere. */
  flush(): void {
    const { session, limits, timers, waiting, fail, push } = this.#host
    const bytes = session.take()
    if (!bytes || this.#ended) return
    const queued = bytes.length + waiting()
    if (queued > limits.queuedBytes) {
      return fail(new WireError('WIRE_LIMIT', `the remote leaves ${queued} bytes unread`))
    }
    this.bytesSent += bytes.length
    const ms = this.#pace.took(bytes.length)
    if (ms > 0) {
      this.#forget = timers.set(() => {
        this.#forget = null
        this.flush()
        this.read()
      }, ms)
    }
    push(bytes)
  }

  /** End our half after what is queued. Idempotent. */
  end(): void {
    if (this.#ended) return
    this.flush()
    this.#ended = true
    this.#host.push(null)
  }

  /** Nothing leaves any more. */
  stop(): void {
    this.#ended = true
    this.#forget?.()
  }

  /** The transport takes more. */
  read(): void {
    if (!this.#waitedFor) return
    // The chunk that is being read still counts until the tick is over.
    process.nextTick(() => {
      if (this.#ended || !this.#waitedFor || this.congested) return
      this.#waitedFor = false
      this.#host.drained()
    })
  }
}
