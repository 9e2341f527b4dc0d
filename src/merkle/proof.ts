/**
 * Which tree nodes prove a block (or any node) to somebody who already knows some of them.
 *
 * Indices alone: the caller reads the nodes, and the signature of the length that covers them.
 *
 * @see spec/10-log.md 3.3
 * @module
 */
import * as flatTree from './flat-tree.ts'
import {
  type MutableNodeSet,
  type NodeSet,
  SparseNodeSet,
  addNode,
  verifiedBy,
} from './node-set.ts'

/** What the asker told, and what is already known about it. */
export interface ProofRequest {
  /** What it has on the way up, as {@link digest} tells it. Default 0: nothing. */
  readonly digest?: number
  /** Prove the node's hash alone: the node itself comes first. Default `false`. */
  readonly hash?: boolean
  /** What it is known to have from earlier requests; what `digest` tells is added. */
  readonly remoteTree?: MutableNodeSet
  /** Prove by the signature of this length, as if the log had no more blocks. Default: the longest there is. */
  readonly length?: number | undefined
}

/** What a proof consists of. */
export interface ProofPlan {
  /** Tree indices in the order they are sent: siblings bottom-up, then the other roots. */
  readonly indices: readonly number[]
  /** Twice the length whose signature goes with them, or 0 when the asker trusts an ancestor. */
  readonly verifiedBy: number
}

/** The proof of node `treeIndex` out of the nodes in `set`, or `null` when the node is not in it. */
export function planProof(
  all: NodeSet,
  treeIndex: number,
  request: ProofRequest = {},
): ProofPlan | null {
  const { digest = 0, hash = false, remoteTree = new SparseNodeSet(), length } = request
  const set = length === undefined ? all : nodesWithin(all, 2 * length)
  if (!set.has(treeIndex)) return null
  const indices = hash ? [treeIndex] : []
  if (digest === 1) return { indices, verifiedBy: 0 }
  learn(remoteTree, set, treeIndex, digest)

  let top = treeIndex
  while (!remoteTree.has(top)) {
    const sibling = flatTree.sibling(top)
    if (!set.has(sibling)) {
      // Nothing beside it: it is a root, and all roots go along.
      const end = length === undefined ? verifiedBy(set, top) : 2 * length
      const roots = flatTree.fullRoots(end)
      // Of a length that was asked for, some node on the way may not be here.
      if (length !== undefined && !roots.includes(top)) return null
      for (const root of roots) {
        if (root !== top && !remoteTree.has(root)) indices.push(root)
      }
      return { indices, verifiedBy: end }
    }
    if (!remoteTree.has(sibling)) indices.push(sibling)
    top = flatTree.parent(top)
  }
  return { indices, verifiedBy: 0 }
}

/** The nodes of a set that lie wholly before leaf `end`. */
function nodesWithin(set: NodeSet, end: number): NodeSet {
  return { has: (treeIndex) => flatTree.rightSpan(treeIndex) < end && set.has(treeIndex) }
}

/** Add to `remoteTree` what `digest` tells, as far as it is in `set` too. */
function learn(remoteTree: MutableNodeSet, set: NodeSet, treeIndex: number, digest: number): void {
  const rooted = digest % 2 === 1
  let at = treeIndex
  // Up to 2 ** 53: halved, not shifted.
  for (let bits = Math.floor(digest / 2); bits > 0; bits = Math.floor(bits / 2)) {
    const sibling = flatTree.sibling(at)
    if (bits === 1 && rooted) {
      // The top bit is an ancestor. Who has it had all roots left of it, too, when it was verified.
      if (set.has(at)) addNode(remoteTree, at)
      const left = Math.min(at, sibling)
      for (const root of flatTree.fullRoots(flatTree.nextLeaf(left))) {
        if (set.has(root)) addNode(remoteTree, root)
      }
      return
    }
    if (bits % 2 === 1 && set.has(sibling)) addNode(remoteTree, sibling)
    at = flatTree.parent(at)
  }
}
