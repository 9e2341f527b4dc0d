/**
 * The fields of a protobuf message as they stand there, in order: what a decoder throws away too.
 *
 * @module
 */
import { Refuted } from './case.ts'

/** One field. */
export interface Field {
  readonly number: number
  /** 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes. */
  readonly wire: number
  /** The number of a varint, else NaN. */
  readonly value: number
  /** What follows the tag (and the length). */
  readonly bytes: Uint8Array
}

/** @throws Refuted for what is no message */
export function fieldsOf(message: Uint8Array): Field[] {
  const fields: Field[] = []
  for (let at = 0; at < message.length;) {
    const tag = varintAt(message, at)
    at = tag.end
    const [number, wire] = [Math.floor(tag.value / 8), tag.value % 8]
    if (wire === 0) {
      const { value, end } = varintAt(message, at)
      fields.push({ number, wire, value, bytes: message.subarray(at, end) })
      at = end
      continue
    }
    let length = wire === 1 ? 8 : 4
    if (wire === 2) {
      const said = varintAt(message, at)
      length = said.value
      at = said.end
    } else if (wire !== 1 && wire !== 5) throw new Refuted(`a field of wire type ${wire}`)
    if (at + length > message.length) throw new Refuted('a field that runs past its message')
    fields.push({ number, wire, value: NaN, bytes: message.subarray(at, at + length) })
    at += length
  }
  return fields
}

/** A varint, and where it ends. */
export function varintAt(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0
  for (let i = 0; i < 10; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) break
    value += (byte % 128) * 128 ** i
    if (byte < 128) return { value, end: at + i + 1 }
  }
  throw new Refuted('a varint without end')
}

/** A varint in its shortest form. */
export function varint(value: number): Uint8Array {
  const bytes = []
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128)
  bytes.push(value)
  return Uint8Array.from(bytes)
}
