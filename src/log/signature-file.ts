/**
 * The `signatures` file: the signature of a log of `length` blocks lies at `32 + 64 (length - 1)`. A
 * blank slot, or the end of the file, is no signature. Slots are not to be believed: whoever reads one
 * verifies it.
 *
 * @see spec/10-log.md 2.5.3
 * @module
 */
import { copy, isZero } from '../bytes.ts'
import { SIGNATURE_BYTES } from '../crypto.ts'
import type { RandomAccess } from '../storage/random-access.ts'
import { HEADER_BYTES } from './header.ts'

const CHUNK_SLOTS = 1024
const RECENT = 16

/** The signatures stored beside a log. */
export class SignatureFile {
  readonly #file: RandomAccess
  #byteLength: number
  /** The last few read or written, by length. */
  readonly #recent = new Map<number, Uint8Array>()

  /** @param byteLength - bytes in the file now */
  constructor(file: RandomAccess, byteLength: number) {
    this.#file = file
    this.#byteLength = byteLength
  }

  /** Lengths up to here may have a signature. */
  get slots(): number {
    return Math.max(0, Math.floor((this.#byteLength - HEADER_BYTES) / SIGNATURE_BYTES))
  }

  /** Bytes in the file. */
  get byteLength(): number {
    return this.#byteLength
  }

  /** What is stored for a log of `length` blocks, or `null`. */
  async read(length: number): Promise<Uint8Array | null> {
    if (length < 1 || length > this.slots) return null
    const bytes = await this.#file.read(slotAt(length), SIGNATURE_BYTES)
    if (isZero(bytes)) return null
    this.#remember(length, bytes)
    return bytes
  }

  /** The same without reading: only what was read or written lately. */
  cached(length: number): Uint8Array | undefined {
    return this.#recent.get(length)
  }

  /** Store the signature of a log of `length` blocks. */
  async write(length: number, signature: Uint8Array): Promise<void> {
    this.#recent.delete(length)
    await this.#file.write(slotAt(length), signature)
    this.#remember(length, copy(signature))
    this.#byteLength = Math.max(this.#byteLength, slotAt(length) + SIGNATURE_BYTES)
  }

  /**
   * Stored signatures of lengths `[start, end]`, read in large pieces.
   *
   * @yields each that is not blank, ascending
   */
  async *scan(
    start: number,
    end: number = this.slots,
  ): AsyncGenerator<{ readonly length: number; readonly signature: Uint8Array }> {
    const last = Math.min(end, this.slots)
    for (let from = Math.max(start, 1); from <= last; from += CHUNK_SLOTS) {
      const count = Math.min(CHUNK_SLOTS, last - from + 1)
      // oxlint-disable-next-line no-await-in-loop
      const bytes = await this.#file.read(slotAt(from), count * SIGNATURE_BYTES)
      for (let i = 0; i < count; i++) {
        const at = i * SIGNATURE_BYTES
        if (isZero(bytes, at, at + SIGNATURE_BYTES)) continue
        yield { length: from + i, signature: copy(bytes, at, at + SIGNATURE_BYTES) }
      }
    }
  }

  /**
   * The same from the highest slot down.
   *
   * @yields each that is not blank, descending
   */
  async *scanDown(
    end: number = this.slots,
  ): AsyncGenerator<{ readonly length: number; readonly signature: Uint8Array }> {
    for (let last = Math.min(end, this.slots); last >= 1; last -= CHUNK_SLOTS) {
      const from = Math.max(1, last - CHUNK_SLOTS + 1)
      const count = last - from + 1
      // oxlint-disable-next-line no-await-in-loop
      const bytes = await this.#file.read(slotAt(from), count * SIGNATURE_BYTES)
      for (let i = count - 1; i >= 0; i--) {
        const at = i * SIGNATURE_BYTES
        if (isZero(bytes, at, at + SIGNATURE_BYTES)) continue
        yield { length: from + i, signature: copy(bytes, at, at + SIGNATURE_BYTES) }
      }
    }
  }

  /**
   * Remove every signature of more than `length` blocks.
   *
   * @param uncertain - a write failed, so the file may be longer than was noted
   */
  async cutAfter(length: number, uncertain = false): Promise<void> {
    const end = slotAt(length + 1)
    // Never longer: a static log has no signatures at all.
    const byteLength = uncertain ? await this.#file.size() : this.#byteLength
    if (byteLength <= end) return
    this.#recent.clear()
    await this.#file.truncate(end)
    this.#byteLength = end
  }

  #remember(length: number, signature: Uint8Array): void {
    if (this.#recent.size >= RECENT) {
      for (const oldest of this.#recent.keys()) {
        this.#recent.delete(oldest)
        break
      }
    }
    this.#recent.set(length, signature)
  }
}

/** Where the signature of `length` blocks lies in the file. */
export function slotAt(length: number): number {
  return HEADER_BYTES + SIGNATURE_BYTES * (length - 1)
}
