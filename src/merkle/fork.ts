/**
 * Two signed histories of one key that contradict each other: what proves it to anybody.
 *
 * Each side is a tree node, the siblings that lead from it up to a root, and all roots of a length with
 * the key's signature. When both hold and the nodes are at one place but have other hashes, the key
 * signed two histories; nothing else needs to be known, and nobody needs to be believed. Pure.
 *
 * @see spec/10-log.md 2.4 and quirk Q16
 * @module
 */
import { equals } from '../bytes.ts'
import * as flatTree from './flat-tree.ts'
import { parentNode, treeHash, verifySignature } from './hash.ts'
import type { NodeSet } from './node-set.ts'
import type { TreeNode } from './tree-node.ts'

/** One node of a history, and why the key vouches for it. */
export interface SignedNode {
  readonly node: TreeNode
  /** Siblings bottom-up, from that of `node` to that below a root; empty when `node` is a root. */
  readonly siblings: readonly TreeNode[]
  /** Blocks of the signed log. */
  readonly length: number
  /** Its roots, left to right. */
  readonly roots: readonly TreeNode[]
  /** 64 bytes. */
  readonly signature: Uint8Array
}

/** Whether `key` signed a log in which the node is. */
export function isSignedNode(signed: SignedNode, key: Uint8Array): boolean {
  const { node, siblings, length, roots, signature } = signed
  if (!Number.isSafeInteger(length) || length < 1) return false
  const expected = flatTree.fullRoots(2 * length)
  if (roots.length !== expected.length) return false
  if (!roots.every((root, i) => root.index === expected[i])) return false
  let top = node
  for (const sibling of siblings) {
    if (sibling.index !== flatTree.sibling(top.index)) return false
    if (!Number.isSafeInteger(top.size + sibling.size)) return false
    top = parentNode(top, sibling)
  }
  const reached = roots.find((root) => root.index === top.index)
  if (!reached || reached.size !== top.size || !equals(reached.hash, top.hash)) return false
  return verifySignature(signature, treeHash(roots), length, key)
}

/** Whether these two prove that `key` signed contradicting histories. */
export function isFork(a: SignedNode, b: SignedNode, key: Uint8Array): boolean {
  if (a.node.index !== b.node.index || equals(a.node.hash, b.node.hash)) return false
  return isSignedNode(a, key) && isSignedNode(b, key)
}

/**
 * The siblings from a node up to one of `roots`, out of what is at hand; `null` when one is missing.
 *
 * @param lookup - a node at hand, or `undefined`
 */
export function siblingsUp(
  treeIndex: number,
  roots: readonly TreeNode[],
  lookup: (treeIndex: number) => TreeNode | undefined,
): TreeNode[] | null {
  const siblings: TreeNode[] = []
  const highest = Math.max(...roots.map((root) => flatTree.depth(root.index)))
  for (let top = treeIndex; flatTree.depth(top) <= highest; top = flatTree.parent(top)) {
    if (roots.some((root) => root.index === top)) return siblings
    const sibling = lookup(flatTree.sibling(top))
    if (!sibling) return null
    siblings.push(sibling)
  }
  return null
}

/** The first blocks that both histories share for sure: as far as equal nodes, side by side, cover them. */
export function commonLength(equal: NodeSet, limit: number): number {
  let length = 0
  for (;;) {
    // The largest equal node that begins here.
    let top = -1
    for (
      let node = 2 * length;
      flatTree.leftSpan(node) === 2 * length;
      node = flatTree.parent(node)
    ) {
      if (flatTree.rightSpan(node) >= 2 * limit) break
      if (equal.has(node)) top = node
    }
    if (top < 0) return length
    length = flatTree.nextLeaf(top) / 2
  }
}
