/**
 * Appending: one write per file and one signature a batch.
 *
 * The first append runs alone; everything appended while it runs becomes one batch, in order; what has
 * to have the log to itself (truncation, finalizing) takes its turn between batches. A batch
 * that fails before its bitfield is written leaves the log as it was.
 *
 * @see spec/10-log.md 3.9
 * @module
 */
import { joined } from '../bytes.ts'
import { sign } from '../crypto.ts'
import { TreeBuilder, signable, treeHash } from '../merkle/index.ts'
import type { TreeGrowth } from '../merkle/index.ts'
import { MAX_LENGTH } from './core.ts'
import type { Core } from './core.ts'
import { LogError } from './errors.ts'
import { cutLeftovers } from './leftovers.ts'
import { becomeWhole } from './part.ts'
import { MAX_BLOCK_BYTES } from './options.ts'

interface Pending {
  readonly blocks: readonly Uint8Array[]
  readonly resolve: (index: number) => void
  readonly reject: (error: unknown) => void
}

/** Appends to one log. */
export class Appender {
  readonly #core: Core
  readonly #onappended: (start: number, blocks: readonly Uint8Array[]) => void
  /** What is done one after the other: batches, and work that wants the log to itself. None rejects. */
  readonly #steps: (() => Promise<void>)[] = []
  /** The batch at the end of the steps, as long as appends may join it. */
  #joining: Pending[] | null = null
  #running: Promise<void> | null = null

  /** @param onappended - called when blocks are stored, before the bitfield is written */
  constructor(core: Core, onappended: (start: number, blocks: readonly Uint8Array[]) => void) {
    this.#core = core
    this.#onappended = onappended
  }

  /**
   * Append values, coded by the log's encoding. Resolves with the index of the first, or with the
   * length when there are none.
   *
   * @throws {@link LogError} `LOG_NOT_WRITABLE`, `LOG_BLOCK_TOO_LARGE`; what the codec threw
   */
  async append(values: readonly unknown[]): Promise<number> {
    const core = this.#core
    assertWritable(core)
    if (core.refusesAppend) throw core.refusesAppend
    const blocks = values.map((value) => core.codec.encode(value))
    for (const block of blocks) {
      if (block.length <= MAX_BLOCK_BYTES) continue
      const message = `want a block of at most ${MAX_BLOCK_BYTES} bytes, got ${block.length}`
      throw new LogError('LOG_BLOCK_TOO_LARGE', message)
    }
    return new Promise<number>((resolve, reject) => {
      const pending = { blocks, resolve, reject }
      if (this.#joining) {
        this.#joining.push(pending)
        return
      }
      const batch: Pending[] = [pending]
      this.#joining = batch
      this.#enqueue(() => {
        if (this.#joining === batch) this.#joining = null
        return this.#writeBatch(batch)
      })
    })
  }

  /** Resolves once nothing is being appended. */
  async idle(): Promise<void> {
    while (this.#running) {
      // oxlint-disable-next-line no-await-in-loop
      await this.#running
    }
  }

  /** Run `work` between what was appended before the call and what is appended after it. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#joining = null
      this.#enqueue(() => work().then(resolve, reject))
    })
  }

  #enqueue(step: () => Promise<void>): void {
    this.#steps.push(step)
    this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    for (let step = this.#steps.shift(); step; step = this.#steps.shift()) {
      // oxlint-disable-next-line no-await-in-loop
      await step()
    }
    this.#running = null
  }

  /** Never rejects: a failure goes to the appends of the batch. */
  async #writeBatch(batch: readonly Pending[]): Promise<void> {
    try {
      let index = await this.#write(batch.flatMap((pending) => pending.blocks))
      for (const { blocks, resolve } of batch) {
        resolve(index)
        index += blocks.length
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  async #write(blocks: readonly Uint8Array[]): Promise<number> {
    const core = this.#core
    assertWritable(core) // it may have been finalized since the call
    const start = core.length
    if (start + blocks.length > MAX_LENGTH) {
      throw new LogError('LOG_TOO_LONG', `want at most ${MAX_LENGTH} blocks`)
    }
    if (core.onwrite) {
      for (const [i, block] of blocks.entries()) {
        // oxlint-disable-next-line no-await-in-loop
        await core.onwrite(start + i, block, null)
      }
    }
    const growth = new TreeBuilder(core.roots).append(blocks)
    try {
      if (core.leftovers) await cutLeftovers(core)
      if (core.durableBits.isPart) await becomeWhole(core)
      await core.durable.contentComing()
      await this.#writeContent(start, blocks, growth)
      await core.durable.contentWritten()
    } catch (error) {
      core.leftovers ??= 'signatures'
      throw error
    }
    core.length = growth.length
    core.byteLength = growth.byteLength
    core.roots = growth.roots
    core.tree.keep(growth.nodes)
    core.bitfield.set(start, growth.length, true)
    for (const { index } of growth.nodes) core.bitfield.setNode(index, true)
    this.#onappended(start, blocks)
    await core.bitfieldFile.flush()
    await core.durable.bitfieldWritten()
    if (blocks.length > 0) core.replicator?.appended(start, blocks.length)
    return start
  }

  async #writeContent(
    start: number,
    blocks: readonly Uint8Array[],
    growth: TreeGrowth,
  ): Promise<void> {
    const core = this.#core
    const count = blocks.length
    // New nodes at the right edge are one piece, with zeros for parents that are not full yet. Those
    // left of it complete pairs that began before, and lie apart.
    const edge = 2 * start
    const writes = [
      core.tree.writeRun(
        edge,
        Math.max(0, 2 * count - 1),
        growth.nodes.filter((node) => node.index >= edge),
      ),
      core.tree.write(growth.nodes.filter((node) => node.index < edge)),
    ]
    const [only] = blocks
    if (!core.indexing) {
      const bytes = only && count === 1 ? only : joined(blocks)
      writes.push(core.files.data.write(core.byteLength, bytes))
    }
    if (core.live && core.secretKey && count > 0) {
      const message = signable(treeHash(growth.roots), growth.length)
      writes.push(core.signatures.write(growth.length, sign(message, core.secretKey)))
    }
    // All have to end before anything else is written, also when one fails.
    for (const outcome of await Promise.allSettled(writes)) {
      if (outcome.status === 'rejected') throw outcome.reason
    }
  }
}

function assertWritable(core: Core): void {
  if (core.key === null || core.secretKey !== null) return
  throw new LogError('LOG_NOT_WRITABLE', 'the log has no secret key here')
}
