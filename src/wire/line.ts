/**
 * One end of a connection below its logs: bytes of the transport in, frames out, and the other way.
 *
 *     take(chunk)  ->  greeting, pace, gate  ->  session  ->  frame
 *     session      ->  outgoing, pace        ->  push(bytes)
 *
 * It decides when the transport has to wait, when the remote has been silent too long, and when something leaves.
 * It owns no stream: the connection is one, and knows what to do with frames (channels.ts).
 *
 * @see spec/20-wire.md 3.1 to 3.3
 * @module
 */
import type { ConnectionOptions, Settings } from './connection-options.ts'
import type { WireError } from './errors.ts'
import { Gate } from './gate.ts'
import { Greeting } from './greeting.ts'
import { Liveness } from './liveness.ts'
import { Outgoing } from './outgoing.ts'
import { Pace } from './pace.ts'
import type { Hint } from './role.ts'
import { Session } from './session.ts'
import type { SessionHooks } from './session.ts'

/** What a line tells, and whom it asks. */
export interface LineHost {
  /** Asked about the remote's static key, when there is somebody to ask. */
  readonly onauthenticate: ConnectionOptions['onauthenticate']
  /** Do `work`, unless all is over; what it throws ends the connection. */
  readonly guarded: (work: () => void) => void
  /** The handshake is over. Returns whether to go on. */
  readonly handshaken: () => boolean
  /** A frame came in; see `FrameSink`. */
  readonly frame: SessionHooks['frame']
  /** Everything that came at once was read. */
  readonly batchEnd: () => void
  /** Bytes given to the transport that it did not take yet. */
  readonly waiting: () => number
  /** Give bytes to the transport; null ends our half. */
  readonly push: (bytes: Uint8Array | null) => void
  /** There is room again for output. */
  readonly drained: () => void
  /** Nothing was heard in time. */
  readonly timedOut: () => void
  /** End the connection. */
  readonly fail: (error: WireError) => void
}

/** The bytes of one connection. */
export class Line {
  readonly session: Session
  readonly greeting: Greeting
  readonly liveness: Liveness
  readonly outgoing: Outgoing
  /** Bytes taken from the transport. */
  bytesReceived = 0
  readonly #settings: Settings
  readonly #host: LineHost
  readonly #pace: Pace
  readonly #gate = new Gate()
  /** A chunk that came before our key pair did. */
  #early: Uint8Array | null = null

  /** A line that says nothing before `start`. */
  constructor(settings: Settings, host: LineHost) {
    const { limits, timers, timeout } = settings
    this.#settings = settings
    this.#host = host
    this.#pace = new Pace(limits.incomingBytesPerSecond, () => timers.now())
    this.session = new Session(
      settings,
      {
        queued: () => this.outgoing.flushSoon(),
        authenticate: (key) => this.greeting.authenticate(key),
        handshake: () => {
          this.liveness.greeted()
          return host.handshaken()
        },
        frame: host.frame,
      },
      limits,
    )
    this.outgoing = new Outgoing({
      session: this.session,
      limits,
      timers,
      waiting: host.waiting,
      push: (bytes) => {
        this.liveness.said()
        host.push(bytes)
      },
      fail: host.fail,
      drained: host.drained,
    })
    const handshakeMs = settings.handshake ? limits.handshakeMs || timeout : 0
    this.liveness = new Liveness(timers, timeout, handshakeMs, {
      timedOut: host.timedOut,
      ping: () => this.session.ping(),
      isHeld: () => this.#gate.isHeld,
    })
    this.greeting = new Greeting({
      session: this.session,
      settings,
      onauthenticate: host.onauthenticate,
      holdIncoming: () => this.hold(),
      guarded: host.guarded,
      started: () => this.#receiveEarly(),
      read: host.batchEnd,
    })
  }

  /** Begin the handshake, where there is one. */
  start(initiator: boolean | null): void {
    if (this.#settings.handshake) this.greeting.start(initiator)
  }

  /** Read what the transport brought; `done` is called once it may bring more. */
  take(chunk: Uint8Array, done: () => void): void {
    const { timers, handshake } = this.#settings
    this.bytesReceived += chunk.length
    this.liveness.heard()
    this.#gate.wait(done)
    if (handshake && !this.greeting.keyPair) this.#early = chunk
    else this.#receive(chunk)
    const ms = this.#pace.took(chunk.length)
    if (ms > 0) timers.set(this.hold(), ms)
    this.#gate.open()
  }

  /** Let the transport wait until the result is called: no timeout meanwhile. */
  hold(): () => void {
    return this.#gate.hold()
  }

  /** The transport takes more. */
  read(): void {
    // Without a transport piped in, a reader is the first sign of one.
    if (!this.session.hasRole) this.hint('listen')
    this.outgoing.read()
  }

  /** Something tells about our role. */
  hint(hint: Hint): void {
    this.greeting.hint(hint)
  }

  /** Nothing more is read, and nothing leaves; only the transport's last write is still unanswered. */
  stop(): void {
    this.session.stop()
    this.outgoing.stop()
    this.liveness.stop()
    this.greeting.stop()
  }

  /** The transport's last write is never answered. */
  close(): void {
    this.#gate.stop()
  }

  #receiveEarly(): void {
    const early = this.#early
    this.#early = null
    if (early) this.#receive(early)
  }

  #receive(chunk: Uint8Array): void {
    this.#host.guarded(() => {
      this.session.receive(chunk)
      if (this.session.hasRole) this.greeting.stop()
      this.#host.batchEnd()
    })
  }
}
