/**
 * Growing the tree at its right edge.
 *
 * Only the roots are kept: a new leaf is merged with the roots left of it as long as it completes a
 * pair, as in binary addition. So n blocks cost n leaf hashes and fewer than n parent hashes.
 *
 * @see spec/10-log.md 3.9 step 2
 * @module
 */
import * as flatTree from './flat-tree.ts'
import { leafNode, parentNode } from './hash.ts'
import type { TreeNode } from './tree-node.ts'

/** What appending a batch adds. */
export interface TreeGrowth {
  /** Every new node: each leaf, followed by the parents it completes. */
  readonly nodes: readonly TreeNode[]
  /** All roots afterwards, left to right. */
  readonly roots: readonly TreeNode[]
  /** Blocks afterwards. */
  readonly length: number
  /** Bytes of data afterwards. */
  readonly byteLength: number
}

/**
 * The roots of a log, and how they grow.
 *
 * To undo an append whose writing failed, go on from a new builder over the roots from before it.
 */
export class TreeBuilder {
  #roots: readonly TreeNode[]
  #byteLength: number

  /** @param roots - of the log so far, left to right */
  constructor(roots: readonly TreeNode[] = []) {
    this.#roots = [...roots]
    this.#byteLength = roots.reduce((sum, root) => sum + root.size, 0)
  }

  /** All roots, left to right. */
  get roots(): readonly TreeNode[] {
    return this.#roots
  }

  /** Blocks so far. */
  get length(): number {
    return lengthOf(this.#roots)
  }

  /** Bytes of data so far. */
  get byteLength(): number {
    return this.#byteLength
  }

  /** Add blocks. All or nothing: when it throws, the builder is as it was. */
  append(blocks: readonly Uint8Array[]): TreeGrowth {
    const roots = [...this.#roots]
    const nodes: TreeNode[] = []
    const start = this.length
    let byteLength = this.#byteLength
    let index = start
    for (const block of blocks) {
      let node = leafNode(index, block)
      nodes.push(node)
      byteLength += block.length
      // A block ends as many pairs as its number has trailing one-bits.
      for (let n = index; n % 2 === 1; n = (n - 1) / 2) {
        const left = roots.pop()
        /* c8 ignore next: an odd number of blocks always leaves a root to merge with */
        if (!left) throw new RangeError(`no root left of tree node ${node.index}`)
        node = parentNode(left, node)
        nodes.push(node)
      }
      roots.push(node)
      index++
    }
    this.#roots = roots
    this.#byteLength = byteLength
    return { nodes, roots, length: start + blocks.length, byteLength }
  }
}

/** Blocks under these roots. */
function lengthOf(roots: readonly TreeNode[]): number {
  const last = roots.at(-1)
  return last ? flatTree.nextLeaf(last.index) / 2 : 0
}
