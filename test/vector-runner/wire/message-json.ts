/**
 * Messages as the vectors write them: byte strings in hexadecimal, absent ones null, and the texts `Infinity` and `NaN`
 * for numbers that are none.
 *
 * @module
 */
import { fromHex, toHex } from '../../../src/bytes.ts'

const BYTES = new Set(['discoveryKey', 'capability', 'bitfield', 'value', 'signature', 'hash'])

/** A message with its byte strings as bytes. (`hash` is a boolean in a Request: only text is bytes.) */
export function fromJson(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json), (key, value: unknown) =>
    BYTES.has(key) && typeof value === 'string' ? fromHex(value) : value,
  )
}

/** A message as the vectors write it. */
export function toJson(message: unknown): unknown {
  if (message instanceof Uint8Array) return toHex(message)
  if (Array.isArray(message)) return message.map(toJson)
  if (typeof message !== 'object' || message === null) return message
  return Object.fromEntries(Object.entries(message).map(([key, value]) => [key, toJson(value)]))
}
