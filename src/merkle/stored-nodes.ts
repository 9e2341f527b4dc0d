/**
 * Tree nodes that are on disk, as the pure functions of this layer see them.
 *
 * They cannot read. The caller gives a lookup into what it has in memory; when a node is not there,
 * they throw `MERKLE_MISSING_NODE`, the caller reads that node and calls again. Nothing has changed in
 * between, and there are no more such rounds than levels in the tree.
 *
 * @module
 */
import { MerkleError } from './merkle-error.ts'
import { type MutableNodeSet, type NodeSet, addNode } from './node-set.ts'
import type { TreeNode } from './tree-node.ts'

/** The content of a stored node that is in memory, or `undefined`. */
export type NodeLookup = (treeIndex: number) => TreeNode | undefined

/**
 * The content of a node that is known.
 *
 * @throws {@link MerkleError} `MERKLE_MISSING_NODE`, with its `treeIndex`, when it is not in memory
 */
export function storedNode(lookup: NodeLookup, treeIndex: number): TreeNode {
  const node = lookup(treeIndex)
  if (node) return node
  throw new MerkleError('MERKLE_MISSING_NODE', `want tree node ${treeIndex}`, treeIndex)
}

/**
 * What is stored, and over it what was proven since: so that a batch of proofs can be verified one
 * after another before the first of its nodes is written.
 */
export class ProvenNodes implements MutableNodeSet {
  readonly #base: NodeSet
  readonly #stored: NodeLookup
  readonly #nodes = new Map<number, TreeNode>()
  readonly #known = new Set<number>()

  /** Over the nodes of `base`, whose content `stored` gives. */
  constructor(base: NodeSet, stored: NodeLookup) {
    this.#base = base
    this.#stored = stored
  }

  /** Everything added, by tree index: what is to be written. */
  get nodes(): ReadonlyMap<number, TreeNode> {
    return this.#nodes
  }

  has(treeIndex: number): boolean {
    return this.#known.has(treeIndex) || this.#base.has(treeIndex)
  }

  set(treeIndex: number): void {
    this.#known.add(treeIndex)
  }

  /** The content of a node: the newest proven, or else the stored one. */
  readonly lookup: NodeLookup = (treeIndex) => this.#nodes.get(treeIndex) ?? this.#stored(treeIndex)

  /** Take in the nodes of a verified proof. */
  add(nodes: readonly TreeNode[]): void {
    for (const node of nodes) {
      this.#nodes.set(node.index, node)
      addNode(this, node.index)
    }
  }
}
