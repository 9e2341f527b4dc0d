/**
 * The `name` file of a derived log: `varint(length) ‖ name`, and nothing after it.
 *
 * @see spec/40-drive.md 2.2
 * @module
 */
import { allocUnsafe } from '../bytes.ts'
import { decodeVarint, encodeVarint, varintLength } from '../varint.ts'

/** Names longer than this are not read back: a file that claims one is damaged. */
export const MAX_NAME_BYTES: number = 1 << 20

/** The bytes of the file. */
export function encodeName(name: Uint8Array): Uint8Array {
  const out = allocUnsafe(varintLength(name.length) + name.length)
  out.set(name, encodeVarint(name.length, out, 0))
  return out
}

/** The name in a file's bytes, or null when they hold none. */
export function decodeName(bytes: Uint8Array): Uint8Array | null {
  if (bytes.length < 2) return null
  let length
  try {
    length = decodeVarint(bytes, 0)
  } catch {
    return null // a varint out of range: no name of ours
  }
  if (!length || length.end + length.value !== bytes.length) return null
  return bytes.subarray(length.end)
}
