/**
 * The Noise XX handshake: who are you, and two keys that nobody else has. Bytes to bytes: no I/O, no timers.
 *
 *     1  initiator -> responder   e                 payload in clear
 *     2  responder -> initiator   e, ee, s, es      payload enciphered
 *     3  initiator -> responder   s, se             payload enciphered
 *
 * Noise_XX_25519_ChaChaPoly_BLAKE2b, revision 34, with a prologue of no bytes. Whatever is wrong with a
 * message is one error, `WIRE_HANDSHAKE`, which tells a stranger nothing.
 *
 * @see spec/20-wire.md 2.1
 * @module
 */
import { allocUnsafe, concat, copy, EMPTY, fromUtf8 } from '../bytes.ts'
import { exchange, hash512, seal, TAG_BYTES, unseal } from '../crypto.ts'
import type { KeyPair } from '../crypto.ts'
import { WireError } from './errors.ts'

const PROTOCOL_NAME = fromUtf8('Noise_XX_25519_ChaChaPoly_BLAKE2b')
const KEY_BYTES = 32
const HASH_BLOCK_BYTES = 128
const HASH_OUTPUT_BYTES = 64
const BROKEN = 4

/** The two keys of the transport, from one end's view: the other has them swapped. */
export interface Split {
  /** 32 bytes: for what we send. */
  readonly tx: Uint8Array
  /** 32 bytes: for what we receive. */
  readonly rx: Uint8Array
}

/** One end of one handshake. Write and read in turn, as the role says. */
export class NoiseXX {
  /** Whether this end writes messages 1 and 3. */
  readonly initiator: boolean
  /** The remote's static key, once its message was read. */
  remotePublicKey: Uint8Array | null = null
  readonly #symmetric = new SymmetricState()
  readonly #static: KeyPair
  readonly #ephemeral: KeyPair
  #remoteEphemeral: Uint8Array = EMPTY
  /** Messages written and read; `BROKEN` while one is, and for ever after a bad one. */
  #turn = 0

  /** Keep the ephemeral pair for this one handshake. */
  constructor(initiator: boolean, staticPair: KeyPair, ephemeralPair: KeyPair) {
    this.initiator = initiator
    this.#static = staticPair
    this.#ephemeral = ephemeralPair
  }

  /** Whether all three messages went through. */
  get finished(): boolean {
    return this.#turn === 3
  }

  /** Whether the next message is ours to write. */
  get writes(): boolean {
    return this.#turn < 3 && (this.#turn % 2 === 0) === this.initiator
  }

  /** 64 bytes, equal on both ends; only once `finished`. */
  get handshakeHash(): Uint8Array {
    return copy(this.#symmetric.h)
  }

  /** The next message, carrying `payload`. */
  write(payload: Uint8Array): Uint8Array {
    if (!this.writes) throw new WireError('WIRE_HANDSHAKE', 'not our turn in the handshake')
    const state = this.#symmetric
    const parts: Uint8Array[] = []
    const turn = this.#turn + 1
    this.#turn = BROKEN
    if (turn < 3) {
      parts.push(this.#ephemeral.publicKey)
      state.mixHash(this.#ephemeral.publicKey)
    }
    if (turn > 1) {
      if (turn === 2) this.#mixEphemerals()
      parts.push(state.encrypt(this.#static.publicKey))
      // es for the responder, se for the initiator: our static key, their ephemeral one.
      this.#mix(this.#static, this.#remoteEphemeral)
    }
    parts.push(state.encrypt(payload))
    this.#turn = turn
    return concat(parts)
  }

  /**
   * Read the next message.
   *
   * @returns its payload
   * @throws {@link WireError} `WIRE_HANDSHAKE`; the handshake is then over
   */
  read(message: Uint8Array): Uint8Array {
    if (this.writes || this.#turn >= 3) {
      throw new WireError('WIRE_HANDSHAKE', 'a handshake message out of turn')
    }
    const state = this.#symmetric
    let at = 0
    const turn = this.#turn + 1
    this.#turn = BROKEN
    if (turn < 3) {
      this.#remoteEphemeral = copy(take(message, at, KEY_BYTES))
      at += KEY_BYTES
      state.mixHash(this.#remoteEphemeral)
    }
    if (turn > 1) {
      if (turn === 2) this.#mixEphemerals()
      const key = state.decrypt(take(message, at, KEY_BYTES + TAG_BYTES))
      at += KEY_BYTES + TAG_BYTES
      this.#mix(this.#ephemeral, key)
      this.remotePublicKey = key
    }
    const payload = state.decrypt(take(message, at, message.length - at))
    this.#turn = turn
    return payload
  }

  /** The transport's keys; only once `finished`. */
  split(): Split {
    const [first, second] = this.#symmetric.derive(EMPTY)
    const [a, b] = [copy(first, 0, KEY_BYTES), copy(second, 0, KEY_BYTES)]
    return this.initiator ? { tx: a, rx: b } : { tx: b, rx: a }
  }

  /** The symmetric state, for the vectors. */
  get state(): { ck: Uint8Array; h: Uint8Array; cipherKey: Uint8Array; cipherNonce: number } {
    const { ck, h, cipherKey, cipherNonce } = this.#symmetric
    return { ck, h, cipherKey: cipherKey ?? new Uint8Array(KEY_BYTES), cipherNonce }
  }

  #mixEphemerals(): void {
    this.#mix(this.#ephemeral, this.#remoteEphemeral)
  }

  #mix(ours: KeyPair, theirs: Uint8Array): void {
    const shared = exchange(ours.secretKey, theirs)
    if (!shared) throw new WireError('WIRE_HANDSHAKE', 'a key of low order in the handshake')
    this.#symmetric.mixKey(shared)
  }
}

/** The running hash and key of Noise: `ck`, `h`, and a cipher once a key was mixed in. */
class SymmetricState {
  h: Uint8Array
  ck: Uint8Array
  cipherKey: Uint8Array | null = null
  cipherNonce = 0

  constructor() {
    const name = new Uint8Array(HASH_OUTPUT_BYTES)
    name.set(PROTOCOL_NAME)
    this.ck = name
    this.h = hash512([name, EMPTY]) // the empty prologue is mixed in
  }

  mixHash(bytes: Uint8Array): void {
    this.h = hash512([this.h, bytes])
  }

  mixKey(secret: Uint8Array): void {
    const [ck, key] = this.derive(secret)
    this.ck = ck
    this.cipherKey = copy(key, 0, KEY_BYTES)
    this.cipherNonce = 0
  }

  /** The two outputs of HKDF under `ck`. */
  derive(secret: Uint8Array): [Uint8Array, Uint8Array] {
    const key = hmac(this.ck, [secret])
    const first = hmac(key, [Uint8Array.of(1)])
    return [first, hmac(key, [first, Uint8Array.of(2)])]
  }

  encrypt(plain: Uint8Array): Uint8Array {
    const cipher = this.cipherKey
      ? seal(plain, this.h, this.#nextNonce(), this.cipherKey)
      : copy(plain)
    this.mixHash(cipher)
    return cipher
  }

  decrypt(cipher: Uint8Array): Uint8Array {
    const plain = this.cipherKey
      ? unseal(cipher, this.h, this.#nextNonce(), this.cipherKey)
      : copy(cipher)
    if (!plain) throw new WireError('WIRE_HANDSHAKE', 'a handshake message does not open')
    this.mixHash(cipher)
    return plain
  }

  /** Four zero bytes, then the counter, least byte first: it never gets past 2 in a handshake. */
  #nextNonce(): Uint8Array {
    const nonce = new Uint8Array(12)
    nonce[4] = this.cipherNonce++
    return nonce
  }
}

function take(message: Uint8Array, at: number, length: number): Uint8Array {
  if (length < 0 || at + length > message.length) {
    throw new WireError('WIRE_HANDSHAKE', 'a cut handshake message')
  }
  return message.subarray(at, at + length)
}

function hmac(key: Uint8Array, message: readonly Uint8Array[]): Uint8Array {
  const inner = allocUnsafe(HASH_BLOCK_BYTES).fill(0x36)
  const outer = allocUnsafe(HASH_BLOCK_BYTES).fill(0x5c)
  for (const [i, byte] of key.entries()) {
    inner[i] = 0x36 ^ byte
    outer[i] = 0x5c ^ byte
  }
  return hash512([outer, hash512([inner, ...message])])
}
