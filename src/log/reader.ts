/**
 * Reading blocks that are held.
 *
 * Where a block lies follows from the sizes of tree nodes; nothing else is kept. A block is hashed when
 * it is read from disk for the first time since the log was opened, and compared with its leaf, which
 * the key vouches for (trust.ts). So a bit flipped on disk is `LOG_CORRUPT`, never data. Later reads of
 * the same block are not hashed again.
 *
 * @see spec/10-log.md 3.6
 * @module
 */
import { EMPTY, equals } from '../bytes.ts'
import { flatTree, leafHash } from '../merkle/index.ts'
import type { TreeNode } from '../merkle/index.ts'
import { StorageError } from '../storage/index.ts'
import { BlockMarks } from './block-marks.ts'
import type { Core } from './core.ts'
import { LogError } from './errors.ts'
import { trustNode } from './trust.ts'

/** Leaves fetched together for a run that may end early. */
const LIKELY_BLOCKS = 128

/** Where blocks lie in the data, with their leaves. */
interface Run {
  readonly byteOffset: number
  readonly leaves: readonly TreeNode[]
}

/** Reads held blocks of one log. */
export class Reader {
  readonly #core: Core
  readonly #checked = new BlockMarks()

  /** @param core - the log */
  constructor(core: Core) {
    this.#core = core
  }

  /**
   * Bytes before block `index`. Needs the roots left of it.
   *
   * @throws {@link LogError} `LOG_NOT_PROVABLE` when they were never downloaded
   */
  byteOffset(index: number): number | Promise<number> {
    const roots = flatTree.fullRoots(2 * index)
    return this.#core.tree.walk((node) => {
      this.#core.tree.require(roots)
      return roots.reduce((sum, root) => sum + node(root).size, 0)
    })
  }

  /**
   * The bytes of a held block; the caller's own.
   *
   * @throws {@link LogError} `LOG_NOT_HELD`, or `LOG_CORRUPT` when the stored bytes are not the block's
   */
  async read(index: number): Promise<Uint8Array> {
    const [block = EMPTY] = await this.readRun(index, index + 1)
    return block
  }

  /**
   * The bytes of held blocks `[start, end)`: one read, of which they are views. Stops early, but not before
   * the first block, where the sum would pass `maxBytes`.
   *
   * @throws {@link LogError} as `read`
   */
  async readRun(start: number, end: number, maxBytes: number = Infinity): Promise<Uint8Array[]> {
    const { bitfield } = this.#core
    this.#assertHeld(start, end)
    const run = await this.#placeHeld(start, end, maxBytes)
    const length = run.leaves.reduce((sum, leaf) => sum + leaf.size, 0)
    const bytes = length === 0 ? EMPTY : await this.#readData(start, end, run.byteOffset, length)
    const blocks: Uint8Array[] = []
    let at = 0
    for (const [i, leaf] of run.leaves.entries()) {
      const block =
        blocks.length === 0 && leaf.size === length ? bytes : bytes.subarray(at, at + leaf.size)
      at += leaf.size
      blocks.push(block)
      if (this.#checked.has(start + i)) continue
      const trusting = trustNode(this.#core, leaf.index)
      // oxlint-disable-next-line no-await-in-loop
      if (trusting) await trusting
      if (!equals(leafHash(block), leaf.hash)) {
        if (!bitfield.has(start + i)) throw notHeld(start + i) // cleared meanwhile
        throw new LogError('LOG_CORRUPT', `block ${start + i}: the stored bytes are not the block`)
      }
      this.#checked.set(start + i)
    }
    return blocks
  }

  /** Blocks `[start, end)` were stored anew or cleared: hash them again when they are read. */
  forget(start: number, end: number): void {
    this.#checked.unset(start, end)
  }

  /** Those of held blocks `[start, end)` whose stored bytes are not the block's, all read anew. */
  async unsound(start: number, end: number): Promise<number[]> {
    this.forget(start, end)
    if (await this.#isSound(start, end)) return []
    const bad: number[] = []
    for (let block = start; block < end; block++) {
      // oxlint-disable-next-line no-await-in-loop
      if (!(await this.#isSound(block, block + 1))) bad.push(block)
    }
    return bad
  }

  async #isSound(start: number, end: number): Promise<boolean> {
    try {
      await this.readRun(start, end)
      return true
    } catch (error) {
      if (error instanceof LogError && error.code === 'LOG_CORRUPT') return false
      throw error
    }
  }

  #assertHeld(start: number, end: number): void {
    const missing = this.#core.bitfield.nextMissing(start, end)
    if (missing >= 0) throw notHeld(missing)
  }

  async #placeHeld(start: number, end: number, maxBytes: number): Promise<Run> {
    try {
      return await this.#place(start, end, maxBytes)
    } catch (cause) {
      if (!(cause instanceof LogError) || cause.code !== 'LOG_NOT_PROVABLE') throw cause
      // It is held, so its leaf was stored once.
      const message = `blocks ${start} to ${end - 1}: their place is lost`
      throw new LogError('LOG_CORRUPT', message, { cause })
    }
  }

  #place(start: number, end: number, maxBytes: number): Run | Promise<Run> {
    const roots = flatTree.fullRoots(2 * start)
    return this.#core.tree.walk((node) => {
      const likely = maxBytes === Infinity ? end : Math.min(end, start + LIKELY_BLOCKS)
      const indices = [...roots]
      for (let block = start; block < likely; block++) indices.push(2 * block)
      this.#core.tree.require(indices)
      const byteOffset = roots.reduce((sum, root) => sum + node(root).size, 0)
      const leaves: TreeNode[] = []
      let length = 0
      for (let block = start; block < end; block++) {
        const leaf = node(2 * block)
        length += leaf.size
        if (length > maxBytes && block > start) break
        leaves.push(leaf)
      }
      return { byteOffset, leaves }
    })
  }

  async #readData(
    start: number,
    end: number,
    byteOffset: number,
    length: number,
  ): Promise<Uint8Array> {
    if (!Number.isSafeInteger(byteOffset + length)) {
      throw new LogError('LOG_CORRUPT', `blocks ${start} to ${end - 1}: no data reaches that far`)
    }
    try {
      return await this.#core.files.data.read(byteOffset, length)
    } catch (cause) {
      this.#assertHeld(start, end)
      if (!(cause instanceof StorageError)) throw cause
      if (cause.code === 'STORAGE_CLOSED') throw new LogError('LOG_CLOSED', 'the log is closed')
      if (cause.code === 'STORAGE_IO') throw cause
      throw new LogError('LOG_CORRUPT', `data ends before blocks ${start} to ${end - 1} do`, {
        cause,
      })
    }
  }
}

function notHeld(index: number): LogError {
  return new LogError('LOG_NOT_HELD', `block ${index} is not here`)
}
