/**
 * Which runs of blocks a content log has, by what they hold: so that a file whose bytes are there already is written by
 * its entry alone.
 *
 * Nothing is stored for it, and it cannot lie. It is a table from the hash of a file's first block to where that lies,
 * filled from the entries of the current version when it is first asked, and by what is written since; what it answers
 * is held against the hashes in the log's own tree, block by block, and against the byte at which the run begins.
 *
 *     hash of the first block ─► two places of 2 ** 17 pairs (4 MiB in all; a newer file displaces the older one)
 *
 * Files are the same when their bytes are cut into the same blocks: those of one call are, those of a stream need not
 * be. Blocks that were cleared here are not shared.
 *
 * @module
 */
import { byteAt, equals, toHex } from '../../bytes.ts'
import type { Log } from '../../log/index.ts'
import { leafHash } from '../../merkle/index.ts'
import type { DriveContext, DriveTrie } from '../context.ts'
import { DriveError } from '../errors.ts'
import { StagedLog } from '../batch/staged-log.ts'
import { Stat } from '../entries/stat.ts'

/** Where content lies. */
export interface Place {
  /** Its first block. */
  readonly offset: number
  /** Bytes of the log before that. */
  readonly byteOffset: number
}

/** Pairs of places. */
const PAIRS = 2 ** 17

const indices = new WeakMap<Log, ContentIndex>()

/** What a content log holds. */
export class ContentIndex {
  readonly #log: Log
  readonly #offsets = new Float64Array(2 * PAIRS).fill(-1)
  readonly #byteOffsets = new Float64Array(2 * PAIRS)
  #filling: Promise<void> | null = null

  private constructor(log: Log) {
    this.#log = log
  }

  /** The index of a content log, when there is one. */
  static at(content: Log): ContentIndex | null {
    return indices.get(content) ?? null
  }

  /** The index of a trie's content, or null where files do not share it. */
  static async of(
    context: DriveContext,
    trie: DriveTrie,
    content: Log,
  ): Promise<ContentIndex | null> {
    if (!context.settings.deduplicate || context.exact) return null
    // Of what a batch has yet to append nothing is known.
    const log = content instanceof StagedLog ? content.base : content
    let index = indices.get(log)
    if (!index) {
      index = new ContentIndex(log)
      indices.set(log, index)
    }
    index.#filling ??= index.#fill(context, trie).catch((error: unknown) => {
      index.#filling = null
      throw error
    })
    await index.#filling
    return index
  }

  /** Where blocks with these hashes lie, one behind the other; null when that is not known. */
  async find(hashes: readonly Uint8Array[]): Promise<Place | null> {
    const [first] = hashes
    if (!first) return null
    const slot = slotOf(first)
    for (let at = slot; at < slot + 2; at++) {
      const [offset = -1, byteOffset = 0] = [this.#offsets[at], this.#byteOffsets[at]]
      // oxlint-disable-next-line no-await-in-loop -- two at most
      if (offset >= 0 && (await this.#holds(offset, byteOffset, hashes))) {
        return { offset, byteOffset }
      }
    }
    return null
  }

  /** A file whose first block has this hash lies at a place. */
  add(first: Uint8Array, { offset, byteOffset }: Place): void {
    const slot = slotOf(first)
    const [left = -1, right = -1] = [this.#offsets[slot], this.#offsets[slot + 1]]
    if (left === offset || right === offset) return
    const at = left <= right ? slot : slot + 1
    this.#offsets[at] = offset
    this.#byteOffsets[at] = byteOffset
  }

  /** Take note of a file that was written block by block. */
  async addRun(place: Place): Promise<void> {
    this.add((await this.#log.getBlockInfo(place.offset)).hash, place)
  }

  async #holds(
    offset: number,
    byteOffset: number,
    hashes: readonly Uint8Array[],
  ): Promise<boolean> {
    const log = this.#log
    if (!log.has(offset, offset + hashes.length)) return false
    for (const [i, hash] of hashes.entries()) {
      // oxlint-disable-next-line no-await-in-loop -- from memory, mostly
      const leaf = await log.getBlockInfo(offset + i)
      if (!equals(leaf.hash, hash)) return false
    }
    const begin = await log.seek(byteOffset, { wait: false })
    return begin.index === offset && begin.offset === 0
  }

  /** From the entries of the current version. */
  async #fill(context: DriveContext, trie: DriveTrie): Promise<void> {
    const { trie: entries } = trie
    for await (const { value } of entries.iterator('', { wait: false })) {
      const stat = value && statIn(value, context.now())
      if (!stat || stat.blocks === 0 || stat.size === 0 || stat.mount) continue
      // An entry may name blocks that are not there: a copy by v10 across a mount does.
      if (this.#log.has(stat.offset)) await this.addRun(stat)
    }
  }
}

/** The stat that bytes hold; null when they hold none, which is told to whoever reads the entry. */
function statIn(bytes: Uint8Array, now: number): Stat | null {
  try {
    return Stat.decode(bytes, now)
  } catch (error) {
    if (error instanceof DriveError) return null
    throw error
  }
}

/** The hashes of blocks in the log's tree; null for content without a byte, which has nothing to share. */
export function hashesOf(blocks: readonly Uint8Array[]): Uint8Array[] | null {
  return blocks.some(({ length }) => length > 0) ? blocks.map((block) => leafHash(block)) : null
}

/** Hashes as the key of a map. */
export function contentKey(hashes: readonly Uint8Array[]): string {
  return hashes.map((hash) => toHex(hash)).join('')
}

function slotOf(hash: Uint8Array): number {
  const number = byteAt(hash, 0) + 256 * byteAt(hash, 1) + 65536 * byteAt(hash, 2)
  return 2 * (number % PAIRS)
}
