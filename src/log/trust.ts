/**
 * Why a stored tree node is believed.
 *
 * Nodes that were computed or verified since the log was opened are marked as trusted. One that is read
 * from disk is not: it is climbed from, along siblings that are stored too, to a node that is trusted
 * or to the roots of a signed length, and every parent on the way is computed again. All nodes passed
 * are then trusted, so a sequential read costs about one parent hash (0.4 µs) a block, and a random
 * one the logarithm of the length, once. A flipped bit in the tree is thus found before data is
 * compared with it.
 *
 * @see spec/10-log.md 3.1 and 3.4
 * @module
 */
import { equals } from '../bytes.ts'
import { flatTree, parentNode, treeHash, verifiedBy, verifySignature } from '../merkle/index.ts'
import type { TreeNode } from '../merkle/index.ts'
import type { Core } from './core.ts'
import { LogError } from './errors.ts'
import type { NodeLookup } from './tree-file.ts'

/**
 * Make sure that a stored node is one that the key vouches for. Returns nothing at once when all it
 * needs is in memory.
 *
 * @throws {@link LogError} `LOG_CORRUPT` when it is not
 */
export function trustNode(core: Core, treeIndex: number): void | Promise<void> {
  if (core.tree.isTrusted(treeIndex)) return
  let top: number | null | Promise<number | null>
  try {
    top = core.tree.walk((node) => climb(core, treeIndex, node))
  } catch (error) {
    return trustPastDamage(core, treeIndex, error)
  }
  if (top === null) return
  return anchorAndClimb(core, treeIndex, top)
}

async function anchorAndClimb(
  core: Core,
  treeIndex: number,
  climbing: number | Promise<number | null>,
): Promise<void> {
  try {
    const top = await climbing
    if (top === null) return
    if (!(await anchor(core, top))) throw corrupt(top)
    await core.tree.walk((node) => climb(core, treeIndex, node))
  } catch (error) {
    await trustPastDamage(core, treeIndex, error)
  }
}

/**
 * A node further up, or beside the way, is damaged. What was signed at a shorter length does not need
 * it: look for a signature of a length at which some node on the way was a root.
 */
async function trustPastDamage(core: Core, treeIndex: number, error: unknown): Promise<void> {
  if (!(error instanceof LogError) || error.code !== 'LOG_CORRUPT') throw error
  const end = 2 * core.length
  for (let top = treeIndex; flatTree.rightSpan(top) < end; top = flatTree.parent(top)) {
    try {
      // oxlint-disable-next-line no-await-in-loop
      if (!(await anchor(core, top))) continue
      // oxlint-disable-next-line no-await-in-loop
      if ((await core.tree.walk((node) => climb(core, treeIndex, node))) === null) return
    } catch (again) {
      if (!(again instanceof LogError) || again.code !== 'LOG_CORRUPT') throw again
    }
  }
  throw error
}

/** Trust every node on the way down from a trusted one; or name the top that nothing vouches for yet. */
function climb(core: Core, treeIndex: number, node: NodeLookup): number | null {
  const { tree, bitfield } = core
  const path: number[] = []
  let top = treeIndex
  while (!tree.isTrusted(top)) {
    const parent = flatTree.parent(top)
    if (!bitfield.hasNode(parent) || !bitfield.hasNode(flatTree.sibling(top))) break
    path.push(top)
    top = parent
  }
  tree.require([top, ...path.map(flatTree.sibling), ...path])
  if (!tree.isTrusted(top)) {
    const root = core.roots.find((each) => each.index === top)
    if (!root) return top
    if (!sameNode(stored(node, top), root)) throw corrupt(top)
    tree.trust(top)
  }
  let above = stored(node, top)
  for (const child of path.toReversed()) {
    const own = stored(node, child)
    const sibling = stored(node, flatTree.sibling(child))
    if (!sameNode(parentNode(own, sibling), above)) throw corrupt(above.index)
    tree.trust(own.index)
    tree.trust(sibling.index)
    above = own
  }
  return null
}

/** Find a signature over roots of which `top` is one, and trust these roots. */
async function anchor(core: Core, top: number): Promise<boolean> {
  if (core.key === null) {
    core.tree.trust(top) // a static log before its key is made: nobody can vouch
    return true
  }
  const likely = verifiedBy(core.bitfield.nodes, top) / 2
  if (await trustRoots(core, likely, await core.signatures.read(likely))) {
    if (core.tree.isTrusted(top)) return true
  }
  // Any length at which `top` was a root: from its own end until its sibling was full.
  const first = flatTree.nextLeaf(top) / 2
  const last = first + flatTree.countLeaves(top) - 1
  for await (const each of core.signatures.scan(first, last)) {
    if (!(await trustRoots(core, each.length, each.signature))) continue
    if (core.tree.isTrusted(top)) return true
  }
  return false
}

async function trustRoots(
  core: Core,
  length: number,
  signature: Uint8Array | null,
): Promise<boolean> {
  const roots = await storedRoots(core, length)
  if (!roots || core.key === null) return false
  if (!isHead(roots, length, signature, core.key)) return false
  for (const root of roots) core.tree.trust(root.index)
  return true
}

/**
 * Whether the key vouches for these roots of `length` blocks: by a signature, or, in a static log, by
 * being the hash of its tree.
 */
export function isHead(
  roots: readonly TreeNode[],
  length: number,
  signature: Uint8Array | null,
  key: Uint8Array,
): boolean {
  const hash = treeHash(roots)
  return signature ? verifySignature(signature, hash, length, key) : equals(hash, key)
}

/** The stored roots of `length` blocks, left to right, or `null` if any is missing. */
export async function storedRoots(
  core: Pick<Core, 'tree'>,
  length: number,
): Promise<TreeNode[] | null> {
  const indices = flatTree.fullRoots(2 * length)
  const found = await core.tree.read(indices)
  const roots: TreeNode[] = []
  for (const index of indices) {
    const root = found.get(index)
    if (!root) return null
    roots.push(root)
  }
  return roots
}

function stored(node: NodeLookup, treeIndex: number): TreeNode {
  try {
    return node(treeIndex)
  } catch (error) {
    if (error instanceof LogError) throw corrupt(treeIndex)
    throw error
  }
}

function sameNode(a: TreeNode, b: TreeNode): boolean {
  return a.size === b.size && equals(a.hash, b.hash)
}

function corrupt(treeIndex: number): LogError {
  return new LogError('LOG_CORRUPT', `tree node ${treeIndex} is not the one that was signed`)
}
