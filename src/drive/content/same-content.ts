/**
 * Whether a file outside the drive has the bytes of one in it, by the hashes of its blocks: the content itself need
 * not be here.
 *
 * @module
 */
import { concat, equals } from '../../bytes.ts'
import { LogError } from '../../log/index.ts'
import { leafHash } from '../../merkle/index.ts'
import type { Run } from './run.ts'

/**
 * Compare a run of blocks with pieces of a file.
 *
 * @returns false also when the hashes are not here
 */
export async function sameContent(
  { log, start, end, size }: Run,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<boolean> {
  const source = new Source(pieces)
  let left = size
  for (let index = start; index < end; index++) {
    const leaf = await leafOf(log, index)
    if (!leaf || leaf.size > left) return false
    const bytes = await source.take(leaf.size)
    if (!bytes || !equals(leafHash(bytes), leaf.hash)) return false
    left -= leaf.size
  }
  return left === 0 && (await source.take(1)) === null
}

async function leafOf(
  log: Run['log'],
  index: number,
): Promise<{ readonly hash: Uint8Array; readonly size: number } | null> {
  try {
    return await log.getBlockInfo(index)
  } catch (error) {
    if (error instanceof LogError && error.code === 'LOG_CLOSED') throw error
    return null
  }
}

/** Pieces of any length, taken in lengths of one's own. */
class Source {
  readonly #pieces: AsyncIterator<Uint8Array> | Iterator<Uint8Array>
  #rest: Uint8Array[] = []
  #bytes = 0

  constructor(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    this.#pieces =
      Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]()
  }

  /** The next `length` bytes, or null when there are fewer. */
  async take(length: number): Promise<Uint8Array | null> {
    while (this.#bytes < length) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      const next = await this.#pieces.next()
      if (next.done) return null
      this.#rest.push(next.value)
      this.#bytes += next.value.length
    }
    const [first] = this.#rest
    const all = this.#rest.length === 1 && first ? first : concat(this.#rest)
    this.#rest = [all.subarray(length)]
    this.#bytes -= length
    return all.subarray(0, length)
  }
}
