/**
 * Inputs for decoders: noise, fields of nothing in particular, and valid inputs with faults in them. All of it
 * follows from the numbers that `random` gives.
 *
 * @module
 */
import { concat } from '../../src/bytes.ts'
import { encodeVarint } from '../../src/varint.ts'

/** A number in [0, 1). */
export type Random = () => number

const INTERESTING = [0, 1, 2, 0x7f, 0x80, 0x81, 0xfe, 0xff]
const EDGES = [0, 1, 127, 128, 255, 8191, 8192, 2 ** 20, 2 ** 31, 2 ** 32, 2 ** 52, 2 ** 53 - 1]
/** No varints: 2 ** 53, 2 ** 64 - 1, one of 11 bytes. */
const OVERLONG = ['8080808080808010', 'ffffffffffffffffff01', '8080808080808080808001']

/** An integer in [0, end). */
export function below(random: Random, end: number): number {
  return Math.floor(random() * end)
}

/** One of them. */
export function oneOf<T>(random: Random, values: readonly [T, ...T[]] | readonly T[]): T {
  const value = values[below(random, values.length)]
  if (value === undefined) throw new RangeError('one of nothing')
  return value
}

/** So many bytes of anything. */
export function noise(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => below(random, 256))
}

/** An integer that is often at an edge, as a varint; now and then one that is none. */
export function anyVarint(random: Random): Uint8Array {
  if (random() < 0.05) return Buffer.from(oneOf(random, OVERLONG), 'hex')
  const value = random() < 0.5 ? oneOf(random, EDGES) : below(random, 2 ** below(random, 53))
  const out = new Uint8Array(10)
  return out.slice(0, encodeVarint(value, out, 0))
}

/** Fields as protobuf writes them, of any number, type and content. */
export function fields(random: Random, depth = 0): Uint8Array {
  const parts: Uint8Array[] = []
  for (let count = below(random, 6); count > 0; count--) {
    const number = below(random, 8)
    const type = oneOf(random, [0, 0, 0, 2, 2, 2, 1, 5, 3, 4, 6, 7])
    parts.push(Uint8Array.of(number * 8 + type))
    if (type === 0) parts.push(anyVarint(random))
    else if (type === 1) parts.push(noise(random, 8))
    else if (type === 5) parts.push(noise(random, 4))
    else if (type === 2) {
      const length = oneOf(random, [0, 1, 8, 24, 32, 32, 64, below(random, 300)])
      const content =
        depth < 2 && random() < 0.4 ? fields(random, depth + 1) : noise(random, length)
      const claimed = random() < 0.9 ? lengthOf(content) : anyVarint(random)
      parts.push(claimed, content)
    }
  }
  return concat(parts)
}

/** `bytes` with one to eight faults. `others` are pieces that may find their way in. */
export function mutated(
  random: Random,
  bytes: Uint8Array,
  others: readonly Uint8Array[],
): Uint8Array {
  let result = Uint8Array.from(bytes)
  for (let count = 1 + below(random, 8); count > 0; count--) result = fault(random, result, others)
  return result
}

function fault(
  random: Random,
  bytes: Uint8Array,
  others: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const at = below(random, bytes.length + 1)
  const end = Math.min(bytes.length, at + below(random, 1 + Math.min(40, bytes.length)))
  const head = bytes.subarray(0, at)
  const tail = bytes.subarray(at)
  const out = Uint8Array.from(bytes)
  switch (below(random, 9)) {
    case 0:
      if (at < out.length) out[at] = (out[at] ?? 0) ^ (1 << below(random, 8))
      return out
    case 1:
      if (at < out.length) out[at] = oneOf(random, INTERESTING)
      return out
    case 2:
      if (at < out.length) out[at] = below(random, 256)
      return out
    case 3:
      return Uint8Array.from(head)
    case 4:
      return Uint8Array.from(concat([head, bytes.subarray(end)]))
    case 5:
      return Uint8Array.from(concat([bytes.subarray(0, end), tail]))
    case 6:
      return Uint8Array.from(concat([head, anyVarint(random), tail]))
    case 7:
      return Uint8Array.from(concat([head, noise(random, below(random, 9)), tail]))
    default: {
      const other = others.length > 0 ? oneOf(random, others) : head
      return Uint8Array.from(concat([head, other.subarray(below(random, other.length + 1))]))
    }
  }
}

function lengthOf(content: Uint8Array): Uint8Array {
  const out = new Uint8Array(10)
  return out.slice(0, encodeVarint(content.length, out, 0))
}
