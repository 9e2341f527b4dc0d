/**
 * Verified blocks on their way to disk: what will be written, joined, in one go.
 *
 * @module
 */
import { concat } from '../bytes.ts'
import type { TreeNode, VerifiedHead } from '../merkle/index.ts'
import type { Core } from './core.ts'
import type { LogPeer } from './replicator.ts'

/**
 * A block from so many bytes on is written as it came. Joining costs a copy, and memory whose collection cost more than
 * the copy; a call of the system costs as much as a copy of about 8 KiB.
 */
const ALONE_BYTES = 16_384

/** A verified block and where its bytes go. */
export interface VerifiedBlock {
  readonly index: number
  readonly value: Uint8Array
  readonly byteOffset: number
  readonly source: LogPeer | null
}

/** What one write of the receiver covers. */
export class ReceivedBatch {
  /** Proven nodes that are not stored yet, by tree index. */
  readonly nodes: Map<number, TreeNode> = new Map()
  /** Every index that is known through this batch, implied parents included. */
  readonly known: Set<number> = new Set()
  readonly blocks: VerifiedBlock[] = []
  /** Heads that were proven, by length. */
  readonly heads: Map<number, VerifiedHead> = new Map()
  /** Called when the batch is stored, or could not be. */
  readonly settled: Array<(error: unknown) => void> = []

  /** Whether there is anything to write. */
  get isEmpty(): boolean {
    return this.nodes.size === 0 && this.blocks.length === 0 && this.heads.size === 0
  }

  /** Whether it proves a log of more than `length` blocks. */
  growsBeyond(length: number): boolean {
    for (const head of this.heads.keys()) if (head > length) return true
    return false
  }

  /** Write nodes, signatures and data, each joined where neighbours meet. */
  async write(core: Core): Promise<void> {
    const writes = [core.tree.write([...this.nodes.values()])]
    for (const { length, signature } of this.heads.values()) {
      if (signature) writes.push(core.signatures.write(length, signature))
    }
    if (!core.indexing) for (const run of this.#runs()) writes.push(writeRun(core, run))
    for (const outcome of await Promise.allSettled(writes)) {
      if (outcome.status === 'rejected') throw outcome.reason
    }
  }

  /** Blocks whose bytes are neighbours, by offset; large ones alone. Empty blocks have no bytes. */
  #runs(): VerifiedBlock[][] {
    const runs: VerifiedBlock[][] = []
    let end = -1
    for (const block of this.blocks.toSorted((a, b) => a.byteOffset - b.byteOffset)) {
      if (block.value.length === 0) continue
      const last = runs.at(-1)
      const isLarge = block.value.length >= ALONE_BYTES
      if (last && block.byteOffset === end && !isLarge) last.push(block)
      else runs.push([block])
      end = isLarge ? -1 : block.byteOffset + block.value.length
    }
    return runs
  }
}

async function writeRun(core: Core, run: readonly VerifiedBlock[]): Promise<void> {
  const [first] = run
  /* c8 ignore next: no run is empty */
  if (!first) return
  const bytes = run.length === 1 ? first.value : concat(run.map((block) => block.value))
  await core.files.data.write(first.byteOffset, bytes)
}
