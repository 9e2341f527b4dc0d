/**
 * A place in the flat tree that moves from node to neighbouring node without recomputing its depth.
 *
 * @see spec/10-log.md 2.1, the cursor form
 * @module
 */
import * as flatTree from './flat-tree.ts'

/** Walks the tree. Every move returns the new `index`; a move that leads nowhere stays. */
export class Cursor {
  #index = 0
  #offset = 0
  /** `2 ** (depth + 1)`: the distance between neighbours of one depth. */
  #factor = 2

  /** @param treeIndex - where to start */
  constructor(treeIndex = 0) {
    this.seek(treeIndex)
  }

  /** The node it stands on. */
  get index(): number {
    return this.#index
  }

  /** Place from the left among the nodes of the same depth. */
  get offset(): number {
    return this.#offset
  }

  /** Distance between neighbours of this depth: `2 ** (depth + 1)`. */
  get factor(): number {
    return this.#factor
  }

  /** Whether it stands on the left one of a pair. */
  get isLeft(): boolean {
    return this.#offset % 2 === 0
  }

  /** Jump to a node. */
  seek(treeIndex: number): number {
    this.#factor = 2 * flatTree.countLeaves(treeIndex)
    this.#offset = flatTree.offset(treeIndex)
    return (this.#index = treeIndex)
  }

  /** One to the right, at the same depth. */
  next(): number {
    this.#offset += 1
    return (this.#index += this.#factor)
  }

  /** One to the left, at the same depth. */
  prev(): number {
    if (this.#offset === 0) return this.#index
    this.#offset -= 1
    return (this.#index -= this.#factor)
  }

  /** To the other one of the pair. */
  sibling(): number {
    return this.isLeft ? this.next() : this.prev()
  }

  /** One up. */
  parent(): number {
    this.#index += this.isLeft ? this.#factor / 2 : -this.#factor / 2
    this.#offset = Math.floor(this.#offset / 2)
    this.#factor *= 2
    return this.#index
  }

  /** Down to the left. */
  leftChild(): number {
    return this.#down(0)
  }

  /** Down to the right. */
  rightChild(): number {
    return this.#down(1)
  }

  #down(side: 0 | 1): number {
    if (this.#factor === 2) return this.#index
    this.#factor /= 2
    this.#offset = 2 * this.#offset + side
    return (this.#index += (side - 0.5) * this.#factor)
  }
}
