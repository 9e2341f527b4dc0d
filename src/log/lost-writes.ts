/**
 * What a power cut may have lost of writes that nobody had synced, found when the log is opened.
 *
 * Only what the bits say beyond the durable ones is looked at (durable-bits.ts), so the cost is that of
 * what was written since the last sync. A writer's tail has to be whole, or the log ends before it
 * (recover.ts). Of a copy, and of what a writer fetched again, whatever cannot be proven counts as not
 * held, so that peers give it again.
 *
 * @see docs/reliability.md, what survives a crash
 * @module
 */
import type { TreeNode } from '../merkle/index.ts'
import type { Core } from './core.ts'
import type { Doubts } from './durable-bits.ts'
import { LogError } from './errors.ts'
import { isSource } from './part.ts'
import type { StoredContent } from './stored-content.ts'
import { trustNode } from './trust.ts'

/** Whether a writer's blocks from `since` on, and the tree above them, are all there. */
export async function isTailSound(
  core: Core,
  content: StoredContent,
  since: number,
  length: number,
  roots: readonly TreeNode[],
): Promise<boolean> {
  if (core.bitfield.nextMissing(since, length) >= 0) return false
  if (!(await content.matches(since, length))) return false
  if (content.exchange().size > 0) return false // of some the leaf had to be derived
  return content.hasParents(since, roots)
}

/** Unset the bits of what is in doubt and cannot be proven, and write them. */
export async function dropLost(core: Core, content: StoredContent, doubts: Doubts): Promise<void> {
  const { bitfield } = core
  const before = bitfield.unset
  const isWriter = isSource(core)
  if (!isWriter) await dropNodes(core, doubts.nodes)
  const end = isWriter ? doubts.length : Infinity
  const held = doubts.blocks.filter((block) => block < end && bitfield.has(block))
  for (const [start, stop] of runsOf(held)) {
    let block = start
    // oxlint-disable-next-line no-await-in-loop
    for await (const isSound of content.compare(start, stop)) {
      if (!isSound || !bitfield.hasNode(2 * block)) bitfield.set(block, block + 1, false)
      block++
    }
  }
  if (bitfield.unset !== before) await core.bitfieldFile.flush()
}

/**
 * Nodes that the key does not vouch for are not known. One that is gone may have stood between another and
 * the roots, which then has to be vouched for by an older signature: so until nothing more goes.
 */
async function dropNodes(core: Core, doubted: readonly number[]): Promise<void> {
  const { bitfield, tree } = core
  let left = doubted.filter((treeIndex) => bitfield.hasNode(treeIndex))
  for (let lost = left; lost.length > 0;) {
    lost = []
    for (const treeIndex of left) {
      try {
        // oxlint-disable-next-line no-await-in-loop
        await tree.load([treeIndex])
        // oxlint-disable-next-line no-await-in-loop
        await trustNode(core, treeIndex)
      } catch (error) {
        if (!(error instanceof LogError)) throw error
        lost.push(treeIndex)
      }
    }
    for (const treeIndex of lost) bitfield.setNode(treeIndex, false)
    left = left.filter((treeIndex) => bitfield.hasNode(treeIndex))
  }
}

/** Neighbours as half-open ranges. */
function runsOf(blocks: readonly number[]): Array<readonly [start: number, end: number]> {
  const runs: Array<readonly [number, number]> = []
  for (const block of blocks) {
    const last = runs.at(-1)
    if (last?.[1] === block) runs[runs.length - 1] = [last[0], block + 1]
    else runs.push([block, block + 1])
  }
  return runs
}
