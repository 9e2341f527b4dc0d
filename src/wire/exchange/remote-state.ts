/**
 * What the remote told about its log: which blocks it has, how long it is, and what it is willing to do.
 *
 * @see spec/20-wire.md 3.5 and 3.6
 * @module
 */
import { decodeRle } from '../../log/rle.ts'
import { WireError } from '../errors.ts'
import type { Have, Status, Unhave } from '../messages.ts'
import { bitLength, PAGE_BLOCKS, RemoteBlocks } from './remote-blocks.ts'

/** Most bytes of bits that one Have may stand for: 8 388 608 blocks. */
const MAX_BITFIELD_BYTES = 1_048_576

/** What a Have changed. */
export interface HaveEffect {
  /** Something is known that was not: false for what was known, and for what is more than is remembered. */
  readonly changed: boolean
  /** The remote has other blocks or another length than was known: worth an event. */
  readonly news: boolean
  /** The remote is of the kind that sends its bitfield unasked (before v7). */
  readonly legacy: boolean
}

/** The remote end of one channel, as far as it told. */
export class RemoteState {
  /** Blocks it has, whether or not we have them too. */
  readonly blocks: RemoteBlocks = new RemoteBlocks()
  /** One more than the highest block it ever claimed; 0 once it took everything back. */
  length = 0
  /** Whether it answers requests. */
  uploading = true
  /** Whether it asks for blocks. */
  downloading = true
  #told = false
  #heardStatus = false

  /**
   * The remote has more blocks.
   *
   * @throws {@link WireError} `WIRE_BAD_HAVE` for a span above 2 ** 53 - 1 or a bitfield that is none
   */
  have(message: Have): HaveEffect {
    const first = !this.#told
    this.#told = true
    if (message.bitfield !== null) return this.#haveBits(message, message.bitfield, first)
    const end = spanEnd(message)
    const missing = this.blocks.nextAbsent(message.start, end)
    this.blocks.add(message.start, end)
    const changed = missing >= 0 && this.blocks.has(missing)
    const news = first || end > this.length
    this.length = Math.max(this.length, end)
    return { changed, news, legacy: false }
  }

  /**
   * The remote has fewer blocks. Returns whether it was thought to have any of them.
   *
   * @throws {@link WireError} `WIRE_BAD_HAVE` for a span above 2 ** 53 - 1
   */
  unhave(message: Unhave): boolean {
    const end = spanEnd(message)
    const known = this.blocks.next(message.start, end) >= 0
    if (message.start === 0 && end >= this.length) {
      this.blocks.clear()
      this.length = 0
    } else this.blocks.remove(message.start, end)
    return known
  }

  /**
   * What the remote does from now on. Returns whether this is its farewell: it has all that it wanted.
   * A farewell says "uploading" whatever the truth was before (quirk Q-5), so that part is not believed.
   */
  status(message: Status): { readonly farewell: boolean } {
    const farewell = this.#heardStatus && this.downloading && !message.downloading
    this.#heardStatus = true
    if (!farewell || this.uploading) this.uploading = message.uploading
    this.downloading = message.downloading
    return { farewell }
  }

  #haveBits(message: Have, coded: Uint8Array, first: boolean): HaveEffect {
    const { start, length } = message
    const legacy = length < 2
    if (start % PAGE_BLOCKS !== 0) throw bad(`a bitfield at block ${start}, no multiple of 8192`)
    const bits = decode(coded, legacy ? MAX_BITFIELD_BYTES : 4 * Math.ceil(length / 32))
    if (!Number.isSafeInteger(start + 8 * bits.length)) throw bad(`a bitfield at block ${start}`)
    this.blocks.replace(start, bits)
    const news = first || start + 8 * bits.length > this.length
    // The maximum: a bitfield of blocks that stop short does not make the log shorter (quirk Q-7).
    const highest = bitLength(bits)
    if (highest > 0) this.length = Math.max(this.length, start + highest)
    return { changed: true, news, legacy }
  }
}

/** The bits, filled up with zeros to a multiple of four bytes as the receiver has to. */
function decode(coded: Uint8Array, maxBytes: number): Uint8Array {
  let bits: Uint8Array
  try {
    bits = decodeRle(coded, Math.min(maxBytes, MAX_BITFIELD_BYTES))
  } catch (cause) {
    throw bad('a bitfield that does not decode', cause)
  }
  if (bits.length % 4 === 0) return bits
  const padded = new Uint8Array(4 * Math.ceil(bits.length / 4))
  padded.set(bits)
  return padded
}

function spanEnd({ start, length }: { readonly start: number; readonly length: number }): number {
  const end = start + Math.max(length, 1)
  if (!Number.isSafeInteger(end)) throw bad(`a span of ${length} blocks at ${start}`)
  return end
}

function bad(what: string, cause?: unknown): WireError {
  return new WireError('WIRE_BAD_HAVE', `the remote announced ${what}`, { cause })
}
