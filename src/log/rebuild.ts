/**
 * Writing the bits anew after recovery, so that they say what is there and nothing beyond it.
 *
 * @see spec/10-log.md 3.15 step 5
 * @module
 */
import { addNode, flatTree } from '../merkle/index.ts'
import { PAGE_BLOCKS } from './bitfield.ts'
import type { TreeNode } from '../merkle/index.ts'
import type { Core } from './core.ts'
import type { Doubts } from './durable-bits.ts'
import { LogError } from './errors.ts'
import { HEADER_BYTES, bitfieldHeader } from './header.ts'
import type { StoredContent } from './stored-content.ts'
import { trustNode } from './trust.ts'

const CHUNK_NODES = 4096
/** Above this no node has a safe index. */
const MAX_DEPTH = 51

/** How far what was there may be believed. */
export interface Rebuild {
  /** Bits below the last batch are right, as far as they can be. */
  readonly usable: boolean
  readonly isWriter: boolean
  /** What the bits say that may not be so; null when that is not known. */
  readonly doubts: Doubts | null
  /** The tree file has room for every node of the length. */
  readonly treeReaches: boolean
}

/** Set the bits of a log of `head.length` blocks, and write them and what was derived of the tree. */
export async function rebuildBits(
  core: Core,
  content: StoredContent,
  head: { readonly length: number; readonly since: number; readonly roots: readonly TreeNode[] },
  { usable, isWriter, doubts, treeReaches }: Rebuild,
): Promise<void> {
  const { bitfield } = core
  const { length } = head
  const torn = isWriter && ((!treeReaches && !doubts) || bitfield.firstUnknownLeaf(head.since) >= 0)
  const since = usable && isWriter && !torn ? head.since : 0
  if (isWriter) await content.complete(since, head.roots)
  // Which blocks are held is judged by the bits as they were, so before any of them changes.
  const held: number[] = []
  // On a replica, whose blocks lie anywhere, usable bits stay as they are.
  const from = usable && !isWriter ? length : since
  let block = from
  for await (const isSound of content.compare(from, length)) {
    if (isSound && !content.isCleared(block)) held.push(block)
    block++
  }
  await content.writeDerived(length)
  cutBits(core, length)
  if (usable && !isWriter && doubts) addRoots(core, head.roots)
  else await addStoredNodes(core, since, length)
  bitfield.set(from, length, false)
  for (const each of held) bitfield.set(each, each + 1, true)
  dropUnreadable(core, length)
  // Where it is known what is in doubt, that alone is looked at (lost-writes.ts).
  if (!isWriter && !(usable && doubts)) await dropUnproven(core, length)
  await core.files.bitfield.write(0, bitfieldHeader(bitfield.pageBytes))
  await core.bitfieldFile.flush()
  const pages = Math.ceil(length / PAGE_BLOCKS)
  await core.files.bitfield.truncate(HEADER_BYTES + pages * bitfield.pageBytes)
}

/**
 * Of the last batch that a writer appended, only part of a page may have reached the disk: the tree bits,
 * not the data bits. That looks as if its last blocks were cleared; but then their bytes would be gone.
 */
export async function reclaimTail(
  core: Core,
  content: StoredContent,
  length: number,
): Promise<void> {
  const { bitfield, indexing, signatures } = core
  if (length === 0 || indexing || bitfield.has(length - 1)) return
  const before = await signatures.scanDown(length - 1).next()
  const since = before.done ? 0 : before.value.length
  const lost: number[] = []
  for (let block = length - 1; block >= since && !bitfield.has(block); block--) {
    // oxlint-disable-next-line no-await-in-loop
    if (await content.isHere(block)) lost.push(block)
  }
  if (lost.length === 0) return
  for (const block of lost) bitfield.set(block, block + 1, true)
  await core.bitfieldFile.flush()
}

/** Unset every bit that speaks of blocks at or above the length. */
export function cutBits(core: Core, length: number): void {
  const { bitfield } = core
  const last = bitfield.lastHeld()
  if (last >= length) bitfield.set(length, last + 1, false)
  for (let node = bitfield.lastNode(); node >= 2 * length; node--) bitfield.setNode(node, false)
  // Those with lower numbers are above the first leaf that goes.
  let above = 2 * length
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    bitfield.setNode(above, false)
    above = flatTree.parent(above)
  }
}

/** Bits that tell the length; its roots were verified. */
function addRoots({ bitfield }: Core, roots: readonly TreeNode[]): void {
  for (const root of roots) addNode(bitfield.nodes, root.index)
}

/** Set the tree bit of every stored node that covers a block of `[since, length)`. */
async function addStoredNodes(core: Core, since: number, length: number): Promise<void> {
  const { bitfield, tree } = core
  const end = 2 * length
  for (let first = 2 * since; first < end; first += CHUNK_NODES) {
    const indices: number[] = []
    for (let i = first; i < Math.min(first + CHUNK_NODES, end); i++) indices.push(i)
    // oxlint-disable-next-line no-await-in-loop
    const nodes = await tree.read(indices)
    for (const treeIndex of indices) {
      if (flatTree.rightSpan(treeIndex) >= end) bitfield.setNode(treeIndex, false)
      else if (nodes.has(treeIndex)) addNode(bitfield.nodes, treeIndex)
      else bitfield.setNode(treeIndex, false)
    }
  }
  // Parents that reach back over `since` have lower numbers than what was looked at.
  for (let above = 2 * since; flatTree.rightSpan(above) < end; above = flatTree.parent(above)) {
    // oxlint-disable-next-line no-await-in-loop
    if ((await tree.read([above])).has(above)) bitfield.setNode(above, true)
  }
}

/**
 * Of a copy, nodes and blocks may be stored whose way to signed roots is not: a write that was cut short
 * left it out. They have to come again, with a proof.
 */
async function dropUnproven(core: Core, length: number): Promise<void> {
  const { bitfield, tree } = core
  const unproven: number[] = []
  for (let treeIndex = 0; treeIndex <= bitfield.lastNode(); treeIndex++) {
    if (!bitfield.hasNode(treeIndex)) continue
    try {
      // oxlint-disable-next-line no-await-in-loop
      await tree.load([treeIndex])
      // oxlint-disable-next-line no-await-in-loop
      await trustNode(core, treeIndex)
    } catch (error) {
      if (!(error instanceof LogError)) throw error
      unproven.push(treeIndex)
    }
  }
  for (const treeIndex of unproven) bitfield.setNode(treeIndex, false)
  dropUnreadable(core, length)
}

/** No block is held whose leaf is not known. */
function dropUnreadable(core: Core, length: number): void {
  const { bitfield } = core
  for (let block = bitfield.nextHeld(0, length); block >= 0;) {
    if (!bitfield.hasNode(2 * block)) bitfield.set(block, block + 1, false)
    block = bitfield.nextHeld(block + 1, length)
  }
}
