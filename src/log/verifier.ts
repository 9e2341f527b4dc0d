/**
 * Verifying what others send, against what is stored and what is on its way to disk.
 *
 * Synchronous as long as the nodes that a proof leans on are in memory and vouched for. What is stored may be
 * damaged, or a lie that came with an earlier proof: a block that meets such a node is *distrusted*,
 * and its next proof has to stand alone.
 *
 * @see spec/10-log.md 3.4 and Q15
 * @module
 */
import { equals } from '../bytes.ts'
import { nodesBefore, planVerify, verifyProof } from '../merkle/index.ts'
import type { MutableNodeSet, TreeNode, Verified } from '../merkle/index.ts'
import type { Core } from './core.ts'
import { LogError } from './errors.ts'
import { ReceivedBatch } from './received-batch.ts'
import type { ReceivedBlock } from './replicator.ts'
import { trustNode } from './trust.ts'

/** Verifies blocks of one log. */
export class Verifier {
  /** What was verified and is not being written yet. */
  staged: ReceivedBatch = new ReceivedBatch()
  /** What is being written. */
  writing: ReceivedBatch | null = null
  /** Blocks whose stored leaf, or way up from it, is not to be relied on. */
  readonly distrusted: Set<number> = new Set()
  readonly #core: Core
  /** Where the block after the last one taken begins. */
  #nextIndex = -1
  #nextOffset = 0

  /** @param core - the log */
  constructor(core: Core) {
    this.#core = core
  }

  /** Nodes that are known: stored, or proven and on their way to disk. */
  readonly nodes: MutableNodeSet = {
    has: (treeIndex) =>
      this.staged.known.has(treeIndex) ||
      (this.writing?.known.has(treeIndex) ?? false) ||
      this.#core.bitfield.hasNode(treeIndex),
    set: (treeIndex) => void this.staged.known.add(treeIndex),
  }

  /** The bytes of block `index` will end at `byteEnd`, where those of the next begin. */
  placed(index: number, byteEnd: number): void {
    this.#nextIndex = index + 1
    this.#nextOffset = byteEnd
  }

  /** Nothing is staged any more, and no place is known: what was verified could not be stored. */
  restart(): void {
    this.staged = new ReceivedBatch()
    this.#nextIndex = -1
  }

  /** Have the stored nodes that the proof leans on in memory, and vouched for. */
  prepare(block: ReceivedBlock): Promise<unknown> | null {
    const trust = !this.distrusted.has(block.index)
    const planned = planVerify(this.nodes, block, { trust })
    const { tree } = this.#core
    const untrusted = planned.filter((each) => !this.#fresh(each) && !tree.isTrusted(each))
    if (untrusted.length === 0) return null
    return this.#trustAll(block, untrusted)
  }

  /** Whether all of these stored nodes are vouched for; if not, the block needs a proof that stands alone. */
  async #trustAll(block: ReceivedBlock, indices: readonly number[]): Promise<boolean> {
    await this.#core.tree.load(indices)
    try {
      for (const treeIndex of indices) {
        // oxlint-disable-next-line no-await-in-loop
        await trustNode(this.#core, treeIndex)
      }
      return true
    } catch (error) {
      if (!(error instanceof LogError && /LOG_(CORRUPT|NOT_PROVABLE)/.test(error.code))) throw error
      // What is stored here is damaged: only a proof that does without it will do.
      this.distrusted.add(block.index)
      return false
    }
  }

  /**
   * Verify a prepared block.
   *
   * @throws MerkleError when it is wrong
   */
  check(block: ReceivedBlock): Verified | Promise<Verified> {
    const { key, tree } = this.#core
    if (!key) throw new LogError('LOG_BAD_KEY', 'a log without a key takes nothing from others')
    const trust = !this.distrusted.has(block.index)
    const head = lastOf(this.staged.heads) ?? lastOf(this.writing?.heads)
    const live = head ? head.signature !== null : this.#core.live
    const length = head ? Math.max(head.length, this.#core.length) : this.#core.length
    return tree.walk((node) => {
      const stored = (treeIndex: number): TreeNode => this.#fresh(treeIndex) ?? node(treeIndex)
      return verifyProof(block, { key, live, length, set: this.nodes, stored }, { trust })
    })
  }

  /** A proven node that is not on disk yet. */
  #fresh(treeIndex: number): TreeNode | undefined {
    return this.staged.nodes.get(treeIndex) ?? this.writing?.nodes.get(treeIndex)
  }

  /**
   * Where a verified block's bytes go: after those of all blocks before it.
   *
   * @throws {@link LogError} `LOG_CORRUPT`, `LOG_NOT_PROVABLE` when our disk cannot tell
   */
  place(block: ReceivedBlock, verified: Verified): number | Promise<number> {
    if (!block.value) return 0
    if (block.index === this.#nextIndex && !verified.nodes.some((node) => this.#corrects(node))) {
      return this.#nextOffset
    }
    const proven = new Map(verified.nodes.map((node) => [node.index, node]))
    const here = (root: number): TreeNode | undefined => proven.get(root) ?? this.#fresh(root)
    const { tree } = this.#core
    const roots = nodesBefore(block.index)
    const doubtful = roots.filter((root) => !here(root) && !tree.isTrusted(root))
    // A size that is wrong would put the bytes over those of other blocks.
    if (doubtful.length > 0) return this.#placeLater(block, verified, doubtful)
    return tree.walk((stored) =>
      roots.reduce((sum, root) => sum + (here(root) ?? stored(root)).size, 0),
    )
  }

  async #placeLater(
    block: ReceivedBlock,
    verified: Verified,
    doubtful: readonly number[],
  ): Promise<number> {
    if (await this.#trustAll(block, doubtful)) return this.place(block, verified)
    const message = `block ${block.index}: its place is damaged`
    throw new LogError('LOG_CORRUPT', message)
  }

  /** Whether a proven node is already known, and just so. */
  isKnown(node: TreeNode): boolean {
    const { bitfield, tree } = this.#core
    // One that is only implied may lie on disk all the same, left by a write that failed: nobody vouched.
    const stored = bitfield.hasNode(node.index) ? tree.cached(node.index) : undefined
    const known = this.#fresh(node.index) ?? stored
    return known !== undefined && known.size === node.size && equals(known.hash, node.hash)
  }

  /** Whether a proven node replaces what was known in its place. */
  #corrects(node: TreeNode): boolean {
    return this.nodes.has(node.index) && !this.isKnown(node)
  }

  /** Whether a proven node has another hash than what is known in its place. */
  contradicts(verified: Verified): boolean {
    return verified.nodes.some((node) => {
      if (!this.nodes.has(node.index)) return false
      const known = this.#fresh(node.index) ?? this.#core.tree.cached(node.index)
      return known !== undefined && !equals(known.hash, node.hash)
    })
  }
}

/** The value put last into a map. */
function lastOf<T>(map: ReadonlyMap<number, T> | undefined): T | undefined {
  let last: T | undefined
  for (const value of map?.values() ?? []) last = value
  return last
}
