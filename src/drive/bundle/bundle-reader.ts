/**
 * A bundle's bytes, in chunks of any size, cut into bodies.
 *
 * Holds one body at a time and what came with it; what a body says of its length is bounded before it is waited for.
 *
 * @see spec/60-bundle.md
 * @module
 */
import { concat, equals } from '../../bytes.ts'
import { MAGIC, MAX_BODY_BYTES, badBundle, varintAt } from './bundle-format.ts'

/** The bytes of a bundle: a stream, or any iterable of chunks. */
export type BundleSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/**
 * The bodies of a bundle, in order. Ends where the bytes end, which only the reader can judge.
 *
 * @yields bodies; each is a view that stays as it is
 * @throws {@link DriveError} `DRIVE_BAD_BUNDLE` for bytes that are no bundle, or end within a part
 */
export async function* bodiesOf(source: BundleSource): AsyncGenerator<Uint8Array, void, undefined> {
  let chunks: Uint8Array[] = []
  let length = 0
  /** How much is needed to go on. */
  let wanted = MAGIC.length
  let isBegun = false
  for await (const chunk of source) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('a bundle is bytes')
    chunks.push(chunk)
    length += chunk.length
    if (length < wanted) continue
    let bytes = concat(chunks)
    if (!isBegun) {
      if (!equals(bytes.subarray(0, MAGIC.length), MAGIC))
        throw badBundle('these bytes are no bundle')
      bytes = bytes.subarray(MAGIC.length)
      isBegun = true
    }
    for (let part = partOf(bytes); ; part = partOf(bytes)) {
      wanted = part.end
      if (part.end > bytes.length) break
      yield bytes.subarray(part.start, part.end)
      bytes = bytes.subarray(part.end)
    }
    chunks = bytes.length > 0 ? [bytes] : []
    ;({ length } = bytes)
  }
  if (!isBegun || length > 0) throw badBundle('cut off within a part')
}

/** Where the first body of `bytes` lies; past their end when it is not whole. */
function partOf(bytes: Uint8Array): { readonly start: number; readonly end: number } {
  const size = bytes.length === 0 ? null : varintAt(bytes, 0)
  if (!size) return { start: 0, end: bytes.length + 1 }
  if (size.value === 0 || size.value > MAX_BODY_BYTES)
    throw badBundle(`a part of ${size.value} bytes`)
  return { start: size.end, end: size.end + size.value }
}
