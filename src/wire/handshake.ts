/**
 * The handshake as bytes on a stream: length prefixes around Noise messages, and the nonce inside them.
 *
 *     varint(length) ‖ Noise message        three times
 *     payload: field 1 = 24 bytes, the nonce of the sender's keystream
 *
 * Pure: bytes in, bytes out. Whether to talk to the remote at all is asked in between; until `accept`,
 * nothing is written and what arrives waits in here.
 *
 * Limits: a length of at most three bytes, from 1 to `limits.handshakeBytes`.
 *
 * @see spec/20-wire.md 2.2 and 3.1
 * @module
 */
import { EMPTY, allocUnsafe, byteAt, concat, copy } from '../bytes.ts'
import { exchangeKeyPair } from '../crypto.ts'
import type { KeyPair } from '../crypto.ts'
import { ProtobufError, ProtobufReader, ProtobufWriter } from '../protobuf.ts'
import { encodeVarint, varintLength } from '../varint.ts'
import { WireError } from './errors.ts'
import { NoiseXX } from './noise.ts'
import type { Split } from './noise.ts'
import { staysInitiator } from './role.ts'

/** Bytes of a keystream's nonce. */
export const NONCE_BYTES = 24
/** Bytes of a first message with a standard payload: how it is told from a second one, of 122. */
const FIRST_MESSAGE_BYTES = 58
const MAX_LENGTH_BYTES = 3

/** What a handshake starts from. */
export interface HandshakeSetup {
  /** `null`: not agreed; initiate with `begin`, or respond to what arrives. */
  readonly initiator: boolean | null
  readonly keyPair: KeyPair
  readonly ephemeral: KeyPair
  /** Our nonce. */
  readonly nonce: Uint8Array
  /** Longest message that is accepted. */
  readonly maxBytes: number
}

/** What a handshake ends with. */
export interface HandshakeResult {
  readonly initiator: boolean
  readonly split: Split
  readonly handshakeHash: Uint8Array
  readonly remotePublicKey: Uint8Array
  readonly remoteNonce: Uint8Array
  /** Bytes that came after the last message: the transport's first. */
  readonly rest: Uint8Array
}

/** One end of a handshake on a stream. Any method may throw a {@link WireError}: it is then over. */
export class Handshake {
  /** Written, to be sent; the caller takes them with `take`. */
  #outgoing: Uint8Array[] = []
  readonly #setup: HandshakeSetup
  #noise: NoiseXX | null = null
  /** We spoke first without an agreed role, and have read nothing yet. */
  #contested = false
  #lastPayload: Uint8Array = EMPTY
  #asking: Uint8Array | null = null
  #accepted = false
  /** Bytes that wait for `accept`, or are left over. */
  readonly #kept: Uint8Array[] = []
  #length = 0
  #lengthBytes = 0
  /** The message being read, once its length is known. */
  #message: Uint8Array | null = null
  #filled = 0

  /** A responder waits; so does an undecided end. Call `begin` on an initiator. */
  constructor(setup: HandshakeSetup) {
    this.#setup = setup
    if (setup.initiator !== null) this.#assume(setup.initiator)
  }

  /** Whether the role is known, if only for now. */
  get decided(): boolean {
    return this.#noise !== null
  }

  /** The remote's static key while the caller has to `accept` it (or destroy the connection), else null. */
  get asking(): Uint8Array | null {
    return this.#asking
  }

  /** Send the first message, unless this end turned out to respond. */
  begin(): void {
    if (!this.#noise) {
      this.#assume(true)
      this.#contested = true
    }
    if (this.#noise?.writes) this.#write(this.#noise)
  }

  /** What was written since the last call. */
  take(): readonly Uint8Array[] {
    const taken = this.#outgoing
    this.#outgoing = []
    return taken
  }

  /** Read what the transport brought; it is copied where it is kept beyond the call. */
  receive(bytes: Uint8Array): void {
    if (!this.#noise && bytes.length > 0) this.#assume(false)
    let at = 0
    while (at < bytes.length) {
      if (this.#asking || this.#noise?.finished) {
        this.#kept.push(copy(bytes.subarray(at)))
        return
      }
      if (!this.#message) {
        this.#readLength(byteAt(bytes, at++))
        continue
      }
      const end = Math.min(bytes.length, at + this.#length - this.#filled)
      this.#message.set(bytes.subarray(at, end), this.#filled)
      this.#filled += end - at
      at = end
      if (this.#filled === this.#length) {
        const message = this.#message
        this.#message = null
        this.#read(message)
      }
    }
  }

  /** The caller wants to talk to the holder of `asking`. */
  accept(): void {
    this.#asking = null
    this.#accepted = true
    if (this.#noise?.writes) this.#write(this.#noise)
    const kept = concat(this.#kept.splice(0))
    this.receive(kept)
  }

  /** The outcome, or null while there is none. */
  result(): HandshakeResult | null {
    const noise = this.#noise
    if (!noise?.finished || !this.#accepted || !noise.remotePublicKey) return null
    return {
      initiator: noise.initiator,
      split: noise.split(),
      handshakeHash: noise.handshakeHash,
      remotePublicKey: noise.remotePublicKey,
      remoteNonce: decodePayload(this.#lastPayload),
      rest: concat(this.#kept),
    }
  }

  #assume(initiator: boolean, ephemeral: KeyPair = this.#setup.ephemeral): NoiseXX {
    this.#noise = new NoiseXX(initiator, this.#setup.keyPair, ephemeral)
    return this.#noise
  }

  #readLength(byte: number): void {
    this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes
    this.#lengthBytes++
    const more = byte >= 128
    if (
      this.#length > this.#setup.maxBytes ||
      (more ? this.#lengthBytes === MAX_LENGTH_BYTES : this.#length === 0)
    ) {
      throw new WireError('WIRE_HANDSHAKE', 'a handshake message of impossible length')
    }
    if (more) return
    this.#message = allocUnsafe(this.#length)
    this.#filled = 0
    this.#lengthBytes = 0
  }

  #read(message: Uint8Array): void {
    this.#length = 0
    let noise = this.#noise ?? this.#assume(false)
    if (this.#contested) {
      this.#contested = false
      if (message.length === FIRST_MESSAGE_BYTES) {
        if (staysInitiator(this.#setup.ephemeral.publicKey, message.subarray(0, 32))) return
        noise = this.#assume(false, exchangeKeyPair())
      }
    }
    const payload = noise.read(message)
    if (payload.length > 0) this.#lastPayload = payload
    this.#asking = noise.remotePublicKey
    if (!this.#asking) this.#write(noise)
  }

  #write(noise: NoiseXX): void {
    const message = noise.write(encodePayload(this.#setup.nonce))
    const framed = allocUnsafe(varintLength(message.length) + message.length)
    framed.set(message, encodeVarint(message.length, framed, 0))
    this.#outgoing.push(framed)
  }
}

/** The payload of a handshake message. */
export function encodePayload(nonce: Uint8Array): Uint8Array {
  return new ProtobufWriter().bytesField(1, nonce).finish()
}

/**
 * The nonce in a payload.
 *
 * @throws {@link WireError} `WIRE_HANDSHAKE_PAYLOAD` when there is none of 24 bytes
 */
export function decodePayload(payload: Uint8Array): Uint8Array {
  let nonce = EMPTY
  try {
    const reader = new ProtobufReader(payload)
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 1) nonce = reader.bytes()
      else reader.ignore()
    }
  } catch (cause) {
    /* c8 ignore next: the reader throws nothing else */
    if (!(cause instanceof ProtobufError)) throw cause
    throw new WireError('WIRE_HANDSHAKE_PAYLOAD', 'a handshake payload that is none', { cause })
  }
  if (nonce.length === NONCE_BYTES) return nonce
  throw new WireError(
    'WIRE_HANDSHAKE_PAYLOAD',
    `handshake payload: want a nonce of 24 bytes, got ${nonce.length}`,
  )
}
