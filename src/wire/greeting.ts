/**
 * Everything that has to be decided before two ends talk: our key pair, our role, and whether the remote is
 * welcome. Each may be decided later, by the program or by a timer; meanwhile the transport waits.
 *
 * @see spec/20-wire.md 3.1, role.ts
 * @module
 */
import type { KeyPair } from '../crypto.ts'
import { assertKeyPair } from './connection-options.ts'
import type { ConnectionOptions, Settings } from './connection-options.ts'
import { WireError } from './errors.ts'
import { LISTEN_JITTER_MS, LISTEN_MS } from './role.ts'
import type { Hint } from './role.ts'
import type { Session } from './session.ts'

/** What a greeting needs of its connection. */
export interface GreetingHost {
  readonly session: Session
  readonly settings: Settings
  readonly onauthenticate: ConnectionOptions['onauthenticate']
  /** Let the transport wait until the result is called. */
  readonly holdIncoming: () => () => void
  /** Do `work`; what it throws ends the connection. Nothing once that is destroyed. */
  readonly guarded: (work: () => void) => void
  /** The session started: read what came before. */
  readonly started: () => void
  /** The session moved on by itself: what came with it was read. */
  readonly read: () => void
}

/** The decisions of one connection. */
export class Greeting {
  /** Our static pair, once it is known. */
  keyPair: KeyPair | null = null
  readonly #host: GreetingHost
  #hint: Hint | null = null
  #forgetTimer: (() => void) | null = null

  /** @param host - is told */
  constructor(host: GreetingHost) {
    this.#host = host
  }

  /** Get our key pair, and begin once it is there. */
  start(initiator: boolean | null): void {
    const { settings, holdIncoming, guarded } = this.#host
    const { keyPair } = settings
    if (typeof keyPair !== 'function') {
      this.#begin(initiator, keyPair)
      return
    }
    const release = holdIncoming()
    const answer = (error: Error | null, pair: KeyPair | undefined): void => {
      if (this.keyPair) return
      if (error || !pair) throw new WireError('WIRE_HANDSHAKE', 'no key pair', { cause: error })
      this.#begin(initiator, pair)
      release()
    }
    guarded(() => keyPair((error, pair) => guarded(() => answer(error, pair))))
  }

  /** The remote showed its static key: ask the program, if it wants to be asked. */
  authenticate(remotePublicKey: Uint8Array): void {
    const { session, onauthenticate, holdIncoming, guarded, read } = this.#host
    if (!onauthenticate) {
      session.accept()
      return
    }
    const release = holdIncoming()
    let answered = false
    onauthenticate(remotePublicKey, (error) => {
      if (answered) return
      answered = true
      guarded(() => {
        if (error) throw new WireError('WIRE_HANDSHAKE', 'refused', { cause: error })
        session.accept()
        read()
        release()
      })
    })
  }

  /** Something tells about our role; it counts if we have none. */
  hint(hint: Hint): void {
    // What a socket says is final; that somebody listens says little.
    if (this.#hint !== null && hint === 'listen') return
    this.#hint = hint
    this.#act()
  }

  /** Bytes were read, or all is over: whatever the timer was for is decided. */
  stop(): void {
    this.#forgetTimer?.()
    this.#forgetTimer = null
  }

  #begin(initiator: boolean | null, keyPair: KeyPair): void {
    assertKeyPair(keyPair)
    this.keyPair = keyPair
    const { session, settings, started } = this.#host
    session.start({ initiator, keyPair, ephemeral: settings.ephemeral, nonce: settings.nonce })
    this.#act()
    started()
  }

  #act(): void {
    const { session, settings } = this.#host
    this.stop()
    if (!this.keyPair || session.hasRole) return
    if (this.#hint === 'initiate') {
      this.#speak()
    } else if (this.#hint === 'listen') {
      const ms = LISTEN_MS + Math.floor(settings.random() * LISTEN_JITTER_MS)
      // Two ends in one process may have nothing else that keeps it alive.
      this.#forgetTimer = settings.timers.set(() => this.#speak(), ms, true)
    }
  }

  #speak(): void {
    this.stop()
    this.#host.guarded(() => this.#host.session.speak())
  }
}
