/**
 * What is written in one turn, and leaves as one buffer.
 *
 * Small things are written into a scratch buffer that is used over and over. A block is only remembered:
 * the cipher takes it from where it lies straight into the buffer that leaves, its only copy.
 *
 * @module
 */
import { allocUnsafe, EMPTY } from '../bytes.ts'
import type { StreamCipher } from '../crypto.ts'
import type { OutgoingMessages } from './channel.ts'
import {
  dataHeadLength,
  dataTailLength,
  encode,
  encodeDataHead,
  encodeDataTail,
  encodeHave,
  encodeRequest,
  haveLength,
  requestLength,
} from './encode.ts'
import { WireError } from './errors.ts'
import { encodeFrameHead } from './frame.ts'
import { MAX_PAYLOAD_BYTES } from './limits.ts'
import { MessageType } from './messages.ts'
import { encodeVarint, varintLength } from '../varint.ts'

const SCRATCH_BYTES = 16_384
/** Values below are copied into the scratch: one call of the cipher costs more than the copy. */
const SMALL_VALUE = 1024
/** Length and header of a frame, at most. */
const MAX_HEAD_BYTES = 13

/** Frames on their way out. */
export class Outbox {
  /** Full parts, in order; then comes `scratch[from, used)`. */
  #parts: Uint8Array[] = []
  #partBytes = 0
  #scratch: Uint8Array = allocUnsafe(SCRATCH_BYTES)
  #from = 0
  #used = 0

  /** Bytes queued. */
  get length(): number {
    return this.#partBytes + this.#used - this.#from
  }

  /** Queue a keepalive. */
  ping(): void {
    this.#reserve(1)
    this.#scratch[this.#used++] = 0
  }

  /**
   * Queue a message. The value of a Data is read when the turn is over.
   *
   * @throws {@link WireError} `WIRE_FRAME_TOO_LARGE`; nothing is queued then
   */
  message<Type extends keyof OutgoingMessages>(
    channel: number,
    type: Type,
    message: OutgoingMessages[Type],
  ): void
  message(channel: number, ...[type, message]: AnyMessage): void {
    switch (type) {
      case 'Data':
        this.#data(channel, message)
        return
      case 'Request': {
        this.#head(channel, MessageType.Request, requestLength(message))
        this.#used = encodeRequest(message, this.#scratch, this.#used)
        return
      }
      case 'Have': {
        this.#head(channel, MessageType.Have, haveLength(message))
        this.#used = encodeHave(message, this.#scratch, this.#used)
        return
      }
      case 'Open':
        this.#payload(channel, type, encode.Open(message))
        return
      case 'Options':
        this.#payload(channel, type, encode.Options(message))
        return
      case 'Status':
        this.#payload(channel, type, encode.Status(message))
        return
      case 'Unhave':
        this.#payload(channel, type, encode.Unhave(message))
        return
      case 'Want':
        this.#payload(channel, type, encode.Want(message))
        return
      case 'Unwant':
        this.#payload(channel, type, encode.Unwant(message))
        return
      case 'Cancel':
        this.#payload(channel, type, encode.Cancel(message))
        return
      case 'Close':
        this.#payload(channel, type, encode.Close(message))
    }
  }

  /** Queue an extension message; its bytes are copied. */
  extension(channel: number, id: number, message: Uint8Array): void {
    this.#head(channel, MessageType.Extension, varintLength(id) + message.length)
    this.#used = encodeVarint(id, this.#scratch, this.#used)
    this.#scratch.set(message, this.#used)
    this.#used += message.length
  }

  /** Everything queued as one new buffer, enciphered unless `cipher` is null; the outbox is then empty. */
  take(cipher: StreamCipher | null): Uint8Array {
    const out = allocUnsafe(this.length)
    this.#seal()
    let at = 0
    for (const part of this.#parts) {
      const end = at + part.length
      if (cipher) cipher.update(part, out.subarray(at, end))
      else out.set(part, at)
      at = end
    }
    this.#parts = []
    this.#partBytes = 0
    this.#from = 0
    this.#used = 0
    // One big message must not keep its memory for ever.
    if (this.#scratch.length > SCRATCH_BYTES) this.#scratch = allocUnsafe(SCRATCH_BYTES)
    return out
  }

  #data(channel: number, message: OutgoingMessages['Data']): void {
    const value = message.value ?? EMPTY
    const headBytes = dataHeadLength(message)
    const tailBytes = dataTailLength(message)
    const inline = value.length < SMALL_VALUE
    this.#head(
      channel,
      MessageType.Data,
      headBytes + value.length + tailBytes,
      inline ? 0 : value.length,
    )
    this.#used = encodeDataHead(message, this.#scratch, this.#used)
    if (inline) {
      this.#scratch.set(value, this.#used)
      this.#used += value.length
    } else {
      this.#seal()
      this.#parts.push(value)
      this.#partBytes += value.length
    }
    this.#used = encodeDataTail(message, this.#scratch, this.#used)
  }

  #payload(channel: number, type: keyof OutgoingMessages, payload: Uint8Array): void {
    this.#head(channel, MessageType[type], payload.length)
    this.#scratch.set(payload, this.#used)
    this.#used += payload.length
  }

  /** Write length and header, and make room for the payload but for `elsewhere` bytes of it. */
  #head(channel: number, type: number, payloadBytes: number, elsewhere = 0): void {
    if (payloadBytes > MAX_PAYLOAD_BYTES) {
      throw new WireError('WIRE_FRAME_TOO_LARGE', `cannot send a message of ${payloadBytes} bytes`)
    }
    this.#reserve(MAX_HEAD_BYTES + payloadBytes - elsewhere)
    this.#used = encodeFrameHead(channel, type, payloadBytes, this.#scratch, this.#used)
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#scratch.length) return
    this.#seal()
    this.#scratch = allocUnsafe(Math.max(SCRATCH_BYTES, bytes))
    this.#from = 0
    this.#used = 0
  }

  /** What is in the scratch becomes a part. */
  #seal(): void {
    if (this.#used === this.#from) return
    this.#parts.push(this.#scratch.subarray(this.#from, this.#used))
    this.#partBytes += this.#used - this.#from
    this.#from = this.#used
  }
}

/** Type and message as the pair they are. */
type AnyMessage = {
  [Type in keyof OutgoingMessages]: [type: Type, message: OutgoingMessages[Type]]
}[keyof OutgoingMessages]
