/**
 * Frames: how messages are cut out of a stream of bytes.
 *
 *     frame      varint(length) ‖ header ‖ payload      length = bytes of header and payload
 *     header     varint(channel * 16 + type)
 *     keepalive  00
 *
 * A frame that lies within one chunk is read in place. One that spans chunks is put together in one
 * buffer, which grows with what has arrived and not with what was announced. A cipher can
 * write what is missing of a large one straight there (`receiveThrough`): that saves a copy, and memory
 * that has to be collected.
 *
 * Limits: a varint of at most eight bytes, a payload of at most 8 MiB, channel numbers below 2 ** 27.
 *
 * @see spec/20-wire.md 2.4 and 5
 * @module
 */
import { EMPTY, allocUnsafe, byteAt } from '../bytes.ts'
import { encodeVarint, varintLength } from '../varint.ts'
import { WireError } from './errors.ts'
import { MAX_CHANNEL_ID, MAX_PAYLOAD_BYTES } from './limits.ts'
import type { Limits } from './limits.ts'
import { MessageType } from './messages.ts'

const MAX_VARINT_BYTES = 8
const TYPES = 16
/** From so many bytes on a frame counts as large: below, one buffer for a whole chunk is cheaper. */
const LARGE_BYTES = 32_768
/** Bytes of a large frame that are read first, to know how long it is. */
const HEAD_BYTES = 32
/** Allocated at once for a frame that spans chunks, whatever it announced. */
const FIRST_ALLOCATION = 1_048_576

/**
 * Takes one frame; its payload is `bytes[start, end)`, which it may keep views of.
 *
 * @returns whether to go on: false stops the parser for good
 */
export type FrameSink = (
  channel: number,
  type: number,
  bytes: Uint8Array,
  start: number,
  end: number,
) => boolean

/** Largest payloads, by what they are; see `Limits`. Left out: the protocol's. */
export type FrameLimits = Partial<Pick<Limits, 'payloadBytes' | 'messageBytes' | 'extensionBytes'>>

/** Write length and header of a frame with a payload of `payloadLength` bytes. Returns the offset past them. */
export function encodeFrameHead(
  channel: number,
  type: number,
  payloadLength: number,
  out: Uint8Array,
  at: number,
): number {
  const header = channel * TYPES + type
  return encodeVarint(header, out, encodeVarint(varintLength(header) + payloadLength, out, at))
}

/** Cuts a stream into frames. After an error it must not be used again. */
export class FrameParser {
  readonly #sink: FrameSink
  readonly #limits: FrameLimits
  #phase: 'length' | 'header' | 'payload' = 'length'
  /** The varint being read, and how many bytes of it were. */
  #value = 0
  #valueBytes = 0
  /** Bytes of the frame that are still to come. */
  #left = 0
  /** Bytes of its payload in all. */
  #payloadBytes = 0
  #header = 0
  /** The payload of a frame that spans chunks. */
  #partial: Uint8Array = EMPTY
  #filled = 0
  #stopped = false
  /** Payload of the frame before this one, in bytes. */
  #lastBytes = 0

  /** @param limits - never above the protocol's 8 MiB */
  constructor(sink: FrameSink, limits: FrameLimits = {}) {
    this.#sink = sink
    this.#limits = limits
  }

  /**
   * Read a chunk, and keep views of it: it must not be reused.
   *
   * @throws {@link WireError} `WIRE_BAD_FRAME` or `WIRE_FRAME_TOO_LARGE`
   */
  receive(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length && !this.#stopped) {
      if (this.#phase === 'payload') at = this.#readPayload(bytes, at)
      else if (this.#idle && bytes[at] === 0) at++
      else if (this.#readVarint(byteAt(bytes, at++))) this.#varintRead()
    }
  }

  /**
   * Read a chunk that has to be deciphered, or copied, by `write`: in order, each byte once. The chunk is not kept.
   *
   * @throws {@link WireError} as `receive`
   */
  receiveThrough(bytes: Uint8Array, write: (from: Uint8Array, to: Uint8Array) => void): void {
    for (let at = 0; at < bytes.length && !this.#stopped;) {
      const left = bytes.length - at
      if (this.#phase === 'payload' && this.#payloadBytes >= LARGE_BYTES) {
        const take = Math.min(left, this.#left)
        this.#grow(take)
        const room = this.#partial.subarray(this.#filled, this.#filled + take)
        write(bytes.subarray(at, at + take), room)
        this.#took(take)
        at += take
        continue
      }
      // Where a large frame is to be expected, only its head: what follows goes where it belongs.
      const next = this.#phase === 'payload' ? this.#left : HEAD_BYTES
      const plain = allocate(this.#lastBytes >= LARGE_BYTES ? Math.min(left, next) : left)
      write(bytes.subarray(at, at + plain.length), plain)
      this.receive(plain)
      at += plain.length
      // It was none: small pieces of a flood of keepalives would cost more than they spare.
      if (this.#phase !== 'payload') this.#lastBytes = 0
    }
  }

  /** Between two frames: a zero is a keepalive. */
  get #idle(): boolean {
    return this.#valueBytes === 0 && this.#phase === 'length'
  }

  #maxOf(type: number): number {
    const { payloadBytes, messageBytes, extensionBytes } = this.#limits
    const most = payloadBytes ?? MAX_PAYLOAD_BYTES
    if (type === MessageType.Data) return most
    return Math.min(most, (type === MessageType.Extension ? extensionBytes : messageBytes) ?? most)
  }

  /** One byte of a varint; returns whether it was the last. */
  #readVarint(byte: number): boolean {
    this.#value += (byte & 0x7f) * 128 ** this.#valueBytes
    this.#valueBytes++
    if (byte < 128) return true
    if (this.#valueBytes === MAX_VARINT_BYTES) {
      throw new WireError('WIRE_BAD_FRAME', 'a frame with an endless varint')
    }
    return false
  }

  #varintRead(): void {
    const [value, read] = [this.#value, this.#valueBytes]
    this.#value = 0
    this.#valueBytes = 0
    if (this.#phase === 'length') {
      this.#left = value
      if (value > 0) this.#phase = 'header'
      return
    }
    if (read > this.#left) throw new WireError('WIRE_BAD_FRAME', 'a frame shorter than its header')
    this.#left -= read
    this.#header = value
    if (this.#left > MAX_PAYLOAD_BYTES || this.#left > this.#maxOf(value % TYPES)) {
      throw new WireError('WIRE_FRAME_TOO_LARGE', `a frame of ${this.#left} bytes`)
    }
    if (value >= (MAX_CHANNEL_ID + 1) * TYPES) {
      throw new WireError('WIRE_BAD_FRAME', 'a channel number that is too high')
    }
    this.#payloadBytes = this.#left
    if (this.#left === 0) this.#frame(EMPTY, 0, 0)
    else this.#phase = 'payload'
  }

  #readPayload(bytes: Uint8Array, at: number): number {
    const end = Math.min(bytes.length, at + this.#left)
    if (this.#filled === 0 && this.#left === end - at) {
      this.#left = 0
      this.#frame(bytes, at, end)
      return end
    }
    this.#grow(end - at)
    this.#partial.set(bytes.subarray(at, end), this.#filled)
    this.#took(end - at)
    return end
  }

  /** Make room for so many bytes more of the payload. */
  #grow(bytes: number): void {
    const filled = this.#filled + bytes
    if (filled <= this.#partial.length) return
    const wanted = Math.max(filled, 2 * this.#partial.length, FIRST_ALLOCATION)
    const grown = allocate(Math.min(this.#payloadBytes, wanted))
    grown.set(this.#partial.subarray(0, this.#filled))
    this.#partial = grown
  }

  /** So many bytes more of a frame that spans chunks are there. */
  #took(bytes: number): void {
    this.#left -= bytes
    this.#filled += bytes
    if (this.#left > 0) return
    const [partial, filled] = [this.#partial, this.#filled]
    this.#partial = EMPTY
    this.#filled = 0
    this.#frame(partial, 0, filled)
  }

  #frame(bytes: Uint8Array, start: number, end: number): void {
    this.#phase = 'length'
    this.#lastBytes = end - start
    const type = this.#header % TYPES
    const channel = (this.#header - type) / TYPES
    if (!this.#sink(channel, type, bytes, start, end)) this.#stopped = true
  }
}

/** Memory as a bare Uint8Array, not a Buffer: every node's hash is a view, and views of those cost two thirds. */
function allocate(length: number): Uint8Array {
  const { buffer, byteOffset } = allocUnsafe(length)
  return new Uint8Array(buffer, byteOffset, length)
}
