/**
 * Makes each proof of a bundle stand alone.
 *
 * In a bundle a proof has only what those before it did not bring. That suits a log that knows nothing else; one that
 * knows some nodes already stops at them, and never keeps what later proofs lean on. So for such a log the way up to
 * the signed roots is put together again. Nothing is decided here: the log verifies what it gets.
 *
 * @see spec/60-bundle.md
 * @module
 */
import type { ReceivedBlock } from '../../log/index.ts'
import { type TreeNode, flatTree, leafNode, parentNode } from '../../merkle/index.ts'

/** Nodes kept before those that no later block asks for are forgotten. */
const MAX_NODES = 256

/** Completes the proofs of one log, whose blocks come in ascending order. */
export class ProofCompleter {
  readonly #roots: readonly number[]
  readonly #known = new Map<number, TreeNode>()
  #signature: Uint8Array | null = null

  /** @param length - blocks of the log that the signature is of */
  constructor(length: number) {
    this.#roots = flatTree.fullRoots(2 * length)
  }

  /** The block with all of its proof; as it is where something is missing. */
  complete(block: ReceivedBlock): ReceivedBlock {
    const { index, value } = block
    if (!value) return block
    this.#signature ??= block.signature
    for (const node of block.nodes) this.#known.set(node.index, node)
    let top = leafNode(index, value)
    const nodes: TreeNode[] = []
    this.#known.set(top.index, top)
    while (!this.#roots.includes(top.index)) {
      const sibling = this.#known.get(flatTree.sibling(top.index))
      if (!sibling) return block
      nodes.push(sibling)
      top = parentNode(top, sibling)
      this.#known.set(top.index, top)
    }
    for (const root of this.#roots) {
      if (root === top.index) continue
      const known = this.#known.get(root)
      if (!known) return block
      nodes.push(known)
    }
    if (this.#known.size > MAX_NODES) this.#forget(2 * index)
    return { index, value, nodes, signature: this.#signature }
  }

  /** Of what lies before `leaf`, blocks from there on need only nodes whose parent is not known: roots. */
  #forget(leaf: number): void {
    for (const treeIndex of this.#known.keys()) {
      const isBefore = flatTree.rightSpan(treeIndex) < leaf
      if (isBefore && this.#known.has(flatTree.parent(treeIndex))) this.#known.delete(treeIndex)
    }
  }
}
