/**
 * The stored tree and data as recovery sees them: nothing is believed, and what is missing but follows
 * from the rest is derived.
 *
 * @see spec/10-log.md 3.15
 * @module
 */
import { EMPTY, equals } from '../bytes.ts'
import { blocksOf, flatTree, leafHash, leafNode, parentNode } from '../merkle/index.ts'
import type { TreeNode } from '../merkle/index.ts'
import type { Core } from './core.ts'
import type { FileSizes } from './open.ts'
import { MAX_BLOCK_BYTES } from './options.ts'

/** Blocks read at once when many are compared. */
const RUN_BYTES = 2 ** 20

/** Reads, and completes, what is stored of one log. */
export class StoredContent {
  readonly #core: Core
  readonly #sizes: FileSizes
  #derived = new Map<number, TreeNode>()
  #doubtedFrom = Infinity

  /** @param sizes - bytes in the files */
  constructor(core: Core, sizes: FileSizes) {
    this.#core = core
    this.#sizes = sizes
  }

  /** Length that the bits tell. */
  recordedLength(): number {
    return blocksOf(this.#core.bitfield.nodes)
  }

  /**
   * Go on with other derived nodes than those so far, which are given back. What was derived for one
   * length must not leak into the next: a guess that no signature confirmed is nothing.
   */
  exchange(derived: Map<number, TreeNode> = new Map()): Map<number, TreeNode> {
    const before = this.#derived
    this.#derived = derived
    return before
  }

  /**
   * Roots of `length` blocks, stored or derived, or `null`.
   *
   * @param guess - the last block may be derived from the rest of the data: only where a signature then
   *   tells whether that was right
   */
  async roots(length: number, guess: boolean): Promise<TreeNode[] | null> {
    const roots: TreeNode[] = []
    for (const treeIndex of flatTree.fullRoots(2 * length)) {
      // oxlint-disable-next-line no-await-in-loop
      const node = await this.node(treeIndex, guess ? length : 0)
      if (!node) return null
      roots.push(node)
    }
    return roots
  }

  /** Roots of `length` blocks, computed from the leaves from block `since` on: what is stored of these may be older. */
  async rootsOfLeaves(since: number, length: number): Promise<TreeNode[] | null> {
    const roots: TreeNode[] = []
    for (const treeIndex of flatTree.fullRoots(2 * length)) {
      // oxlint-disable-next-line no-await-in-loop
      const node = await this.#compute(treeIndex, 2 * since, new Map())
      if (!node) return null
      roots.push(node)
    }
    return roots
  }

  /**
   * A stored node; or one derived: a parent from its children, a leaf from its parent, its sibling and the
   * data, or, for the last block of `length`, from the rest of the data. `null` when it cannot be had.
   */
  async node(treeIndex: number, length = 0): Promise<TreeNode | null> {
    const known = this.#derived.get(treeIndex)
    if (known) return known
    const stored = (await this.#core.tree.read([treeIndex])).get(treeIndex)
    if (stored) return stored
    const node = flatTree.isLeaf(treeIndex)
      ? ((await this.#leafByParent(treeIndex)) ?? (await this.#lastLeaf(treeIndex, length)))
      : await this.#parent(treeIndex, length)
    if (node) this.#derived.set(treeIndex, node)
    return node
  }

  /**
   * Make every node over blocks `[since, length)` right: of a batch that was cut short any may be missing,
   * or stored in part. Its leaves were compared with the data; parents are computed from them, and
   * replace what is stored if they lead to the same roots, which the key vouches for.
   */
  async complete(since: number, roots: readonly TreeNode[]): Promise<void> {
    for (const root of roots) {
      const computed = new Map<number, TreeNode>()
      // oxlint-disable-next-line no-await-in-loop
      const top = await this.#compute(root.index, 2 * since, computed)
      if (!top || !isSame(top, root)) {
        // oxlint-disable-next-line no-await-in-loop
        await this.#fill(Math.max(2 * since, flatTree.leftSpan(root.index)), root.index)
        continue
      }
      for (const [treeIndex, node] of computed) {
        // oxlint-disable-next-line no-await-in-loop
        const stored = (await this.#core.tree.read([treeIndex])).get(treeIndex)
        if (stored && isSame(stored, node)) continue
        this.#derived.set(treeIndex, node)
      }
    }
  }

  /** From this block on a data bit that is not set does not mean that the block was cleared. */
  doubtFrom(block: number): void {
    this.#doubtedFrom = block
  }

  /** Whether a block was held once, and let go. */
  isCleared(block: number): boolean {
    const { bitfield } = this.#core
    return block < this.#doubtedFrom && bitfield.hasNode(2 * block) && !bitfield.has(block)
  }

  /** Whether the stored parents over blocks from `since` on are those of the leaves, up to the roots. */
  async hasParents(since: number, roots: readonly TreeNode[]): Promise<boolean> {
    for (const root of roots) {
      const computed = new Map<number, TreeNode>()
      // oxlint-disable-next-line no-await-in-loop
      const top = await this.#compute(root.index, 2 * since, computed)
      if (!top || !isSame(top, root)) return false
      // oxlint-disable-next-line no-await-in-loop
      const stored = await this.#core.tree.read([...computed.keys()])
      for (const [treeIndex, node] of computed) {
        const found = stored.get(treeIndex)
        if (!found || !isSame(found, node)) return false
      }
    }
    return true
  }

  /** The first block of `[start, end)` that is neither cleared nor what its leaf says, or `end`. */
  async firstLost(start: number, end: number): Promise<number> {
    let block = start
    for await (const isSound of this.compare(start, end)) {
      if (!isSound) break
      block++
    }
    return block
  }

  /** Whether every block of `[start, end)` that was not cleared is stored and is what its leaf says. */
  async matches(start: number, end: number): Promise<boolean> {
    return (await this.firstLost(start, end)) === end
  }

  /**
   * Compare blocks `[start, end)` with their leaves.
   *
   * @yields for each in order, whether it was cleared or is what its leaf says
   */
  async *compare(start: number, end: number): AsyncGenerator<boolean> {
    const { files, indexing, tree } = this.#core
    let at = await this.#byteOffset(start)
    let run: Uint8Array | null = null
    let runAt = 0
    for (let block = start; block < end; block++) {
      // oxlint-disable-next-line no-await-in-loop
      const leaf = tree.cached(2 * block) ?? (await this.node(2 * block))
      // oxlint-disable-next-line no-await-in-loop
      if (leaf && at === null) at = await this.#byteOffset(block)
      if (!leaf || at === null) {
        yield false
        at = null
        continue
      }
      const from = at
      at += leaf.size
      if (indexing || this.isCleared(block)) {
        yield true
        continue
      }
      if (leaf.size === 0) {
        // It has no bytes to be missing.
        yield equals(leafHash(EMPTY), leaf.hash)
        continue
      }
      if (at > this.#sizes.data) {
        yield false
        continue
      }
      if (!run || from < runAt || at > runAt + run.length) {
        const length = Math.min(Math.max(leaf.size, RUN_BYTES), this.#sizes.data - from)
        // oxlint-disable-next-line no-await-in-loop
        run = await files.data.read(from, length)
        runAt = from
      }
      yield equals(leafHash(run.subarray(from - runAt, at - runAt)), leaf.hash)
    }
  }

  /** Whether the bytes of a block are here, whatever its bit says. Of an empty block nobody can tell: false. */
  async isHere(block: number): Promise<boolean> {
    const leaf = await this.node(2 * block)
    if (!leaf || leaf.size === 0) return false
    const found = await this.#leafOf(block, leaf.size)
    return found !== null && equals(found.hash, leaf.hash)
  }

  /** Write derived nodes that belong to a log of `length` blocks. */
  async writeDerived(length: number): Promise<void> {
    const nodes = [...this.#derived.values()].filter(
      (node) => flatTree.rightSpan(node.index) < 2 * length,
    )
    if (nodes.length === 0) return
    await this.#core.tree.write(nodes)
    this.#core.tree.keep(nodes, false)
  }

  /** Derive what is missing below a root, from leaf `first` on. */
  async #fill(first: number, root: number): Promise<void> {
    for (let treeIndex = first; treeIndex <= flatTree.rightSpan(root); treeIndex++) {
      // oxlint-disable-next-line no-await-in-loop
      await this.node(treeIndex)
    }
  }

  /** A node computed from the leaves at or above `end` below it, and from the nodes stored left of them. */
  async #compute(
    treeIndex: number,
    end: number,
    computed: Map<number, TreeNode>,
  ): Promise<TreeNode | null> {
    const isOlder = flatTree.rightSpan(treeIndex) < end
    if (isOlder || flatTree.isLeaf(treeIndex)) return this.node(treeIndex)
    const left = await this.#compute(flatTree.leftChild(treeIndex), end, computed)
    const right = left && (await this.#compute(flatTree.rightChild(treeIndex), end, computed))
    if (!right) return null
    const node = parentNode(left, right)
    computed.set(treeIndex, node)
    return node
  }

  async #parent(treeIndex: number, length: number): Promise<TreeNode | null> {
    const left = await this.node(flatTree.leftChild(treeIndex), length)
    if (!left) return null
    const right = await this.node(flatTree.rightChild(treeIndex), length)
    return right && parentNode(left, right)
  }

  async #leafByParent(treeIndex: number): Promise<TreeNode | null> {
    const [above, beside] = [flatTree.parent(treeIndex), flatTree.sibling(treeIndex)]
    const stored = await this.#core.tree.read([above, beside])
    const [parent, sibling] = [stored.get(above), stored.get(beside)]
    if (!parent || !sibling) return null
    const leaf = await this.#leafOf(treeIndex / 2, parent.size - sibling.size)
    return leaf && equals(parentNode(leaf, sibling).hash, parent.hash) ? leaf : null
  }

  async #lastLeaf(treeIndex: number, length: number): Promise<TreeNode | null> {
    const block = treeIndex / 2
    if (block !== length - 1) return null
    const from = await this.#byteOffset(block)
    return from === null ? null : this.#leafOf(block, this.#sizes.data - from)
  }

  /** The leaf that `size` bytes of data in the block's place would have. */
  async #leafOf(block: number, size: number): Promise<TreeNode | null> {
    const from = await this.#byteOffset(block)
    if (from === null || size < 0 || size > MAX_BLOCK_BYTES) return null
    if (size > 0 && from + size > this.#sizes.data) return null
    const bytes = size === 0 ? EMPTY : await this.#core.files.data.read(from, size)
    return leafNode(block, bytes)
  }

  async #byteOffset(block: number): Promise<number | null> {
    const roots = await this.roots(block, false)
    return roots && roots.reduce((sum, root) => sum + root.size, 0)
  }
}

function isSame(a: TreeNode, b: TreeNode): boolean {
  return a.size === b.size && equals(a.hash, b.hash)
}
