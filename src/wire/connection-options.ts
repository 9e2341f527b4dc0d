/**
 * How a connection is set up, checked once.
 *
 * @see spec/20-wire.md 2.3, 3.1 and 4.1
 * @module
 */
import { randomBytes, exchangeKeyPair, exchangeKeyPairOf } from '../crypto.ts'
import type { KeyPair } from '../crypto.ts'
import { NONCE_BYTES } from './handshake.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import type { Limits } from './limits.ts'
import { systemTimers } from './timers.ts'
import type { Timers } from './timers.ts'

/** Milliseconds of silence that end a connection that says nothing else. */
export const DEFAULT_TIMEOUT_MS = 20_000

/** How a connection is set up. */
export interface ConnectionOptions {
  /** Encrypt what follows the handshake (true). Both ends must agree; it is not negotiated. */
  readonly encrypted?: boolean | undefined
  /** Have a handshake (true); `false` only counts together with `encrypted: false`. */
  readonly noise?: boolean | undefined
  /** Our static X25519 pair; a function is asked once, and may answer later. Random when left out. */
  readonly keyPair?:
    KeyPair | ((done: (error: Error | null, keyPair?: KeyPair) => void) => void) | null | undefined
  /** Milliseconds of silence, and for the whole handshake, before `ETIMEDOUT` (20 000); 0 or false: never. */
  readonly timeout?: number | false | null | undefined
  /** Stay open when the last channel closes (false). */
  readonly live?: boolean | undefined
  /** Decide whether to talk to the holder of this static key; an error refuses. */
  readonly onauthenticate?:
    ((remotePublicKey: Uint8Array, done: (error?: Error | null) => void) => void) | null | undefined
  /** As the event `handshake`. */
  readonly onhandshake?: (() => void) | null | undefined
  /** As the event `discovery-key`. */
  readonly ondiscoverykey?: ((discoveryKey: Uint8Array) => void) | null | undefined
  /** As the event `remote-open`. */
  readonly onremoteopen?: ((discoveryKey: Uint8Array) => void) | null | undefined
  /** The remote closed a channel, or the connection ended; the key is null when we had not opened it. */
  readonly onchannelclose?:
    ((discoveryKey: Uint8Array, key: Uint8Array | null) => void) | null | undefined
  /** As the event `extensions`. */
  readonly onextensions?: ((names: readonly string[]) => void) | null | undefined
  /** Other limits than the defaults. */
  readonly limits?: Partial<Limits> | undefined
  /** A clock and timers of one's own. */
  readonly timers?: Timers | undefined
  /** For tests and vectors: the secret of the ephemeral pair instead of a random one. */
  readonly ephemeralSecret?: Uint8Array | undefined
  /** For tests and vectors: our 24 bytes of nonce instead of random ones. */
  readonly nonce?: Uint8Array | undefined
  /** A number in [0, 1), for the jitter of a role that is found out. */
  readonly random?: (() => number) | undefined
}

/** Answers with our static key pair, now or later. */
export type KeyPairSource = (done: (error: Error | null, keyPair?: KeyPair) => void) => void

/** The options with every default put in. */
export interface Settings {
  readonly encrypted: boolean
  readonly handshake: boolean
  readonly timeout: number
  readonly live: boolean
  readonly keyPair: KeyPair | KeyPairSource
  readonly ephemeral: KeyPair
  readonly nonce: Uint8Array
  readonly limits: Limits
  readonly timers: Timers
  readonly random: () => number
}

/**
 * Check options and put in defaults.
 *
 * @throws RangeError for a key or nonce of the wrong length, or a timeout that is no time
 */
export function settingsOf(options: ConnectionOptions): Settings {
  const { keyPair, nonce = randomBytes(NONCE_BYTES), ephemeralSecret } = options
  const encrypted = options.encrypted !== false
  const timeout = options.timeout ?? DEFAULT_TIMEOUT_MS
  if (nonce.length !== NONCE_BYTES) throw new RangeError('nonce: want 24 bytes')
  if (typeof keyPair !== 'function' && keyPair) assertKeyPair(keyPair)
  if (timeout !== false && !(timeout >= 0)) throw new RangeError('timeout: want milliseconds')
  return {
    encrypted,
    handshake: encrypted || options.noise !== false,
    timeout: timeout === false ? 0 : timeout,
    live: options.live === true,
    keyPair: keyPair ?? exchangeKeyPair(),
    ephemeral: ephemeralSecret ? exchangeKeyPairOf(ephemeralSecret) : exchangeKeyPair(),
    nonce,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    timers: options.timers ?? systemTimers,
    random: options.random ?? Math.random,
  }
}

/** The hooks that are listeners of an event, by its name. */
export function listenersOf(options: ConnectionOptions): ReadonlyMap<string, Listener> {
  const listeners = new Map<string, Listener>()
  if (options.onhandshake) listeners.set('handshake', options.onhandshake)
  if (options.ondiscoverykey) listeners.set('discovery-key', options.ondiscoverykey)
  if (options.onremoteopen) listeners.set('remote-open', options.onremoteopen)
  if (options.onextensions) listeners.set('extensions', options.onextensions)
  return listeners
}

type Listener = Parameters<NodeJS.EventEmitter['on']>[1]

/** Throws a RangeError unless both keys are 32 bytes. */
export function assertKeyPair({ publicKey, secretKey }: KeyPair): void {
  if (publicKey.length === 32 && secretKey.length === 32) return
  throw new RangeError('key pair: want two keys of 32 bytes (X25519)')
}
