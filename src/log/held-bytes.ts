/**
 * Bytes of the blocks that are held, told from the tree alone.
 *
 * A run of held blocks is cut into whole subtrees, whose tops know their bytes: a run costs a few nodes, however
 * long it is. Whoever holds both children of a node has the node too.
 *
 * @see spec/10-log.md 2.4
 * @module
 */
import { flatTree } from '../merkle/index.ts'
import type { Core } from './core.ts'

/**
 * Bytes of the held blocks of `[start, end)`.
 *
 * @throws LogError `LOG_NOT_PROVABLE` when a held block lost its tree node
 */
export async function heldBytes(
  { bitfield, tree }: Core,
  start: number,
  end: number,
): Promise<number> {
  let total = 0
  let from = bitfield.nextHeld(start, end)
  while (from >= 0) {
    const missing = bitfield.nextMissing(from, end)
    const tops = subtrees(from, missing < 0 ? end : missing, (node) => bitfield.hasNode(node))
    // One run after the other, so that no walk needs more nodes than fit.
    // oxlint-disable-next-line no-await-in-loop
    total += await tree.walk((node) => {
      tree.require(tops)
      return tops.reduce((sum, top) => sum + node(top).size, 0)
    })
    from = missing < 0 ? -1 : bitfield.nextHeld(missing, end)
  }
  return total
}

/** The largest whole subtrees that blocks `[start, end)` are made of, as far as their tops are known; left to right. */
function subtrees(start: number, end: number, isKnown: (treeIndex: number) => boolean): number[] {
  const tops: number[] = []
  for (let block = start; block < end;) {
    let top = 2 * block
    for (;;) {
      const parent = flatTree.parent(top)
      if (!flatTree.isLeft(top) || flatTree.rightSpan(parent) >= 2 * end || !isKnown(parent)) break
      top = parent
    }
    tops.push(top)
    block = flatTree.rightSpan(top) / 2 + 1
  }
  return tops
}
