/**
 * Whether a proof from outside contradicts what the same key signed before.
 *
 * A proof that does not go with what is stored has three explanations: the sender lies, the store is
 * damaged, or the key signed two histories. The last is told only when it can be proven to anybody: the
 * proof verifies with nothing of ours, some node of ours is covered by a signature too, and the two
 * differ. Otherwise it is unclear, and the block is asked for again with a proof that stands alone.
 *
 * @see spec/10-log.md quirk Q16; docs/reliability.md
 * @module
 */
import { equals } from '../bytes.ts'
import {
  MerkleError,
  commonLength,
  flatTree,
  isFork,
  parentNode,
  siblingsUp,
  verifiedBy,
  verifyProof,
} from '../merkle/index.ts'
import type { NodeSet, SignedNode, TreeNode, VerifiedHead } from '../merkle/index.ts'
import type { Core } from './core.ts'
import type { ForkEvidence } from './events.ts'
import type { ReceivedBlock } from './replicator.ts'
import { isHead, storedRoots } from './trust.ts'

const NOTHING: NodeSet = { has: () => false }

/** What a proof turned out to be. */
export type Judgement =
  /** The key did sign two histories. */
  | { readonly type: 'fork'; readonly evidence: ForkEvidence }
  /** It stands alone, and nothing here that is vouched for says otherwise. */
  | { readonly type: 'sound' }
  /** It stands alone, or pretends to, and does not hold. */
  | { readonly type: 'bad' }
  /** It leans on what is stored here: nobody can tell who is wrong. */
  | { readonly type: 'unclear' }

/** Judge a proof that did not go with what is stored. */
export async function judge(core: Core, block: ReceivedBlock): Promise<Judgement> {
  const { key, length, live } = core
  if (key === null || length === 0 || !live) return { type: 'bad' }
  let nodes: readonly TreeNode[]
  let head: VerifiedHead | null
  try {
    const known = { key, live, length, set: NOTHING, stored: () => undefined }
    ;({ nodes, head } = verifyProof(block, known, { trust: false }))
  } catch (error) {
    if (!(error instanceof MerkleError)) throw error
    return { type: error.code === 'MERKLE_MISSING_ROOTS' ? 'unclear' : 'bad' }
  }
  /* c8 ignore next: without a trusted node a proof ends at roots, and those of a signed log are signed */
  if (!head?.signature) return { type: 'bad' }
  const evidence = await compare(core, key, nodes, { ...head, signature: head.signature })
  return evidence ? { type: 'fork', evidence } : { type: 'sound' }
}

/** Look for a node that both histories have, and have differently. */
async function compare(
  core: Core,
  key: Uint8Array,
  nodes: readonly TreeNode[],
  head: { length: number; roots: readonly TreeNode[]; signature: Uint8Array },
): Promise<ForkEvidence | null> {
  const proven = new Map([...nodes, ...head.roots].map((node) => [node.index, node]))
  const shared = [...proven.keys()].filter((treeIndex) => core.bitfield.hasNode(treeIndex))
  const stored = await core.tree.read(shared)
  const equal = new Set<number>()
  const different: TreeNode[] = []
  for (const node of proven.values()) {
    const own = stored.get(node.index)
    if (!own) continue
    if (equals(own.hash, node.hash)) equal.add(node.index)
    else different.push(node)
  }
  const { length, roots, signature } = head
  for (const node of different) {
    // oxlint-disable-next-line no-await-in-loop -- the first is enough, unless it is our disk's fault
    const ours = await vouchFor(core, node.index)
    const siblings = siblingsUp(node.index, roots, (treeIndex) => proven.get(treeIndex))
    if (!ours || !siblings) continue
    const theirs: SignedNode = { node, siblings, length, roots, signature }
    if (!isFork(ours, theirs, key)) continue
    const limit = Math.min(ours.length, length)
    return { commonLength: commonLength(equal, limit), ours, theirs }
  }
  return null
}

/** Why our key vouches for a stored node: the way up to signed roots, or `null` when there is none. */
async function vouchFor(core: Core, treeIndex: number): Promise<SignedNode | null> {
  return (await climb(core, treeIndex, false)) ?? climb(core, treeIndex, true)
}

/** @param older - look for heads before the last, too: the log may have grown over a fork unseen */
async function climb(core: Core, treeIndex: number, older: boolean): Promise<SignedNode | null> {
  const node = await storedNode(core, treeIndex)
  if (!node) return null
  const siblings: TreeNode[] = []
  let top = node
  while (flatTree.leftSpan(top.index) < 2 * core.length) {
    // oxlint-disable-next-line no-await-in-loop
    const head = await headOver(core, top, older)
    if (head) return { node, siblings, ...head }
    // oxlint-disable-next-line no-await-in-loop
    const sibling = await storedNode(core, flatTree.sibling(top.index))
    if (!sibling || !Number.isSafeInteger(top.size + sibling.size)) return null
    siblings.push(sibling)
    top = parentNode(top, sibling)
  }
  return null
}

async function storedNode(core: Core, treeIndex: number): Promise<TreeNode | null> {
  if (!core.bitfield.hasNode(treeIndex)) return null
  return (await core.tree.read([treeIndex])).get(treeIndex) ?? null
}

/** A signed head of which `top` is a root. */
async function headOver(
  core: Core,
  top: TreeNode,
  older: boolean,
): Promise<Pick<SignedNode, 'length' | 'roots' | 'signature'> | null> {
  if (core.roots.some((root) => root.index === top.index)) {
    const head = await headOf(core, core.length, await core.signatures.read(core.length))
    if (head && isRoot(top, head.roots)) return head
  }
  if (!older) return null
  const likely = verifiedBy(core.bitfield.nodes, top.index) / 2
  const guess = await headOf(core, likely, await core.signatures.read(likely))
  if (guess && isRoot(top, guess.roots)) return guess
  // Any length at which `top` was a root: from its own end until its sibling was full.
  const first = flatTree.nextLeaf(top.index) / 2
  const last = Math.min(core.length, first + flatTree.countLeaves(top.index) - 1)
  for await (const each of core.signatures.scan(first, last)) {
    const head = await headOf(core, each.length, each.signature)
    if (head && isRoot(top, head.roots)) return head
  }
  return null
}

async function headOf(
  core: Core,
  length: number,
  signature: Uint8Array | null,
): Promise<Pick<SignedNode, 'length' | 'roots' | 'signature'> | null> {
  if (!signature || core.key === null) return null
  const roots = await storedRoots(core, length)
  return roots && isHead(roots, length, signature, core.key) ? { length, roots, signature } : null
}

function isRoot(node: TreeNode, roots: readonly TreeNode[]): boolean {
  return roots.some((root) => root.index === node.index && equals(root.hash, node.hash))
}

/**
 * Whether a log that grew is known to have grown out of what it was: every root of the shorter log leads,
 * by nodes that are here, to a root of the longer.
 */
export async function isLinked(core: Core, before: readonly TreeNode[]): Promise<boolean> {
  for (const root of before) {
    let top = root
    while (!isRoot(top, core.roots)) {
      // oxlint-disable-next-line no-await-in-loop
      const sibling = await storedNode(core, flatTree.sibling(top.index))
      if (!sibling || !Number.isSafeInteger(top.size + sibling.size)) return false
      top = parentNode(top, sibling)
    }
  }
  return true
}
