/**
 * Strict reading and careful writing of protobuf fields, shared by every codec of ours.
 *
 * protobufjs gives the walk over the bytes; here is what it leaves out. Its reader takes a field by
 * number whatever its wire type, reads a boolean of any length, skips groups and gives 64-bit
 * integers as objects. Its writer spells a lone surrogate in two ways. All of that matters here: two
 * implementations must agree on what is a message, and the bytes come from strangers.
 *
 * Rejected: field number 0, groups and wire types 6 and 7, a known field of another wire type, any
 * length that runs past its surrounding, a boolean that is not one byte, an integer of more than ten
 * bytes or above 2 ** 53 - 1. Accepted: any order, repeats (the caller's last assignment wins), longer
 * forms of an integer, unknown fields, invalid UTF-8 (read with U+FFFD).
 *
 * @see spec/20-wire.md 2.5 and 5
 * @module
 */
import protobuf from 'protobufjs/minimal.js'
import { byteAt, fromUtf8, toUtf8 } from './bytes.ts'
import { CodedError } from './errors.ts'
import { MAX_VARINT_BYTES } from './varint.ts'

/** Thrown for bytes that are no message. Each layer passes it on as the `cause` of its own error. */
export class ProtobufError extends CodedError<'PROTOBUF_INVALID'> {
  override readonly name = 'ProtobufError'

  /** @param message - what is wrong with the bytes */
  constructor(message: string) {
    super('PROTOBUF_INVALID', message)
  }
}

const VARINT = 0
const FIXED64 = 1
const LENGTH_DELIMITED = 2
const FIXED32 = 5

/**
 * Reads the fields of one message:
 *
 *     const reader = new ProtobufReader(bytes)
 *     for (let field = reader.next(); field !== 0; field = reader.next()) {
 *       if (field === 1) start = reader.uint()
 *       else if (field === 2) value = reader.bytes()
 *       else reader.ignore()
 *     }
 *
 * Every method throws a {@link ProtobufError} for what it does not accept.
 */
export class ProtobufReader extends protobuf.Reader {
  #wireType = VARINT

  /** Reads `bytes[start, end)`; keeps and shares `bytes`. */
  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    super(bytes)
    this.pos = start
    this.len = end
  }

  /** Whether bytes are left in the message, or in the part that was entered. */
  get more(): boolean {
    return this.pos < this.len
  }

  /** The number of the next field, or 0 at the end of the message. Its value must be read or ignored next. */
  next(): number {
    if (this.pos >= this.len) return 0
    const tag = this.varint()
    this.#wireType = tag % 8
    const field = (tag - this.#wireType) / 8
    if (field === 0) throw new ProtobufError('field number 0')
    return field
  }

  /** An unsigned integer up to 2 ** 53 - 1. */
  uint(): number {
    this.#want(VARINT)
    return this.varint()
  }

  /** A boolean: one byte, of which 0 is false and anything else below 128 true. */
  override bool(): boolean {
    this.#want(VARINT)
    if (this.pos >= this.len) throw new ProtobufError('cut boolean')
    const byte = byteAt(this.buf, this.pos++)
    if (byte >= 128) throw new ProtobufError('boolean of more than one byte')
    return byte !== 0
  }

  /** Bytes: a view into what is read, so copy what is kept. */
  override bytes(): Uint8Array {
    const end = this.#end()
    const view = this.buf.subarray(this.pos, end)
    this.pos = end
    return view
  }

  /** Text; invalid UTF-8 reads as U+FFFD. */
  override string(): string {
    return toUtf8(this.bytes())
  }

  /**
   * Go into a nested message, or a run of packed integers: until `leave`, its end is the end.
   *
   * @returns what `leave` takes
   */
  enter(): number {
    const end = this.#end()
    const outer = this.len
    this.len = end
    return outer
  }

  /** Come back out. Only once the nested part was read to its end. */
  leave(outer: number): void {
    this.len = outer
  }

  /** Step over the value of a field that means nothing here. */
  ignore(): void {
    switch (this.#wireType) {
      case VARINT:
        this.#ignoreVarint()
        return
      case FIXED64:
        this.#advance(8)
        return
      case LENGTH_DELIMITED:
        this.pos = this.#end()
        return
      case FIXED32:
        this.#advance(4)
        return
      default:
        throw new ProtobufError(`wire type ${this.#wireType}`)
    }
  }

  /** A bare integer without a tag, as packed ones are. */
  varint(): number {
    let at = this.pos
    const end = Math.min(this.len, at + MAX_VARINT_BYTES)
    let value = 0
    let factor = 1
    while (at < end) {
      const byte = byteAt(this.buf, at++)
      if (byte < 128) {
        value += byte * factor
        if (value > Number.MAX_SAFE_INTEGER) throw new ProtobufError('integer above 2 ** 53 - 1')
        this.pos = at
        return value
      }
      value += (byte - 128) * factor
      factor *= 128
    }
    throw new ProtobufError(at < this.len ? 'integer of more than ten bytes' : 'cut integer')
  }

  #want(wireType: number): void {
    if (this.#wireType !== wireType) {
      throw new ProtobufError(`want wire type ${wireType}, got ${this.#wireType}`)
    }
  }

  #end(): number {
    this.#want(LENGTH_DELIMITED)
    const length = this.varint()
    if (length > this.len - this.pos) throw new ProtobufError('a field runs past the end')
    return this.pos + length
  }

  #advance(length: number): void {
    if (length > this.len - this.pos) throw new ProtobufError('a field runs past the end')
    this.pos += length
  }

  /** Only the length counts here: an unknown field may hold a negative number, ten bytes long. */
  #ignoreVarint(): void {
    const end = Math.min(this.len, this.pos + MAX_VARINT_BYTES)
    while (this.pos < end) if (byteAt(this.buf, this.pos++) < 128) return
    throw new ProtobufError('cut or overlong integer')
  }
}

/**
 * Writes the fields of one message, in the order of the calls. What is `null` or `undefined` is left
 * out; a value that equals a default is written. `finish()` gives the bytes.
 */
export class ProtobufWriter extends protobuf.Writer {
  /** An unsigned integer up to 2 ** 53 - 1. */
  uintField(field: number, value: number | null | undefined): this {
    if (value === null || value === undefined) return this
    this.uint32(field * 8 + VARINT).uint64(value)
    return this
  }

  /** A boolean. */
  boolField(field: number, value: boolean | null | undefined): this {
    if (value === null || value === undefined) return this
    this.uint32(field * 8 + VARINT).bool(value)
    return this
  }

  /** Bytes; kept until `finish`, which copies them. */
  bytesField(field: number, value: Uint8Array | null | undefined): this {
    if (value === null || value === undefined) return this
    this.uint32(field * 8 + LENGTH_DELIMITED).bytes(value)
    return this
  }

  /** Text as UTF-8; a lone surrogate becomes U+FFFD. */
  stringField(field: number, value: string | null | undefined): this {
    if (value === null || value === undefined) return this
    return this.bytesField(field, fromUtf8(value))
  }

  /** A nested message, whose fields `write` writes. */
  messageField(field: number, write: (writer: this) => void): this {
    this.uint32(field * 8 + LENGTH_DELIMITED).fork()
    write(this)
    this.ldelim()
    return this
  }

  /** Integers as one packed field; left out when there are none. */
  packedField(field: number, values: readonly number[]): this {
    if (values.length === 0) return this
    return this.messageField(field, (writer) => {
      for (const value of values) writer.uint64(value)
    })
  }
}
