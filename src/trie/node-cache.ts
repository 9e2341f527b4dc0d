/**
 * Decoded nodes by index of their block: immutable once made, so they are shared by a trie and all its
 * checkouts, and never out of date. Bounded by number and by bytes of values.
 *
 * Least recently used, nearly: two generations. What is found in the old one moves to the young one;
 * when that has taken its half of the bounds it becomes the old one, and the old one is dropped.
 *
 * @module
 */
import type { TrieNode } from './node.ts'

/** Nodes a cache holds when nothing is said. */
export const CACHE_NODES = 32768
/** Bytes of values, keys and tables a cache holds, about. */
export const CACHE_BYTES: number = 32 * 1024 * 1024

/** A bounded map from seq to node; null stands for a reset block. */
export class NodeCache {
  readonly #maxNodes: number
  readonly #maxBytes: number
  #young = new Map<number, TrieNode | null>()
  #old = new Map<number, TrieNode | null>()
  #youngBytes = 0

  /** @param maxNodes - at least 2; @param maxBytes - of values, keys and tables, estimated */
  constructor(maxNodes: number = CACHE_NODES, maxBytes: number = CACHE_BYTES) {
    this.#maxNodes = maxNodes
    this.#maxBytes = maxBytes
  }

  /** The node at `seq`, null for a reset block, undefined when it is not here. */
  get(seq: number): TrieNode | null | undefined {
    const young = this.#young.get(seq)
    if (young !== undefined) return young
    const old = this.#old.get(seq)
    if (old !== undefined) this.set(seq, old)
    return old
  }

  /** Keep the node of `seq`. */
  set(seq: number, node: TrieNode | null): void {
    this.#young.set(seq, node)
    if (node) this.#youngBytes += weight(node)
    if (this.#young.size * 2 < this.#maxNodes && this.#youngBytes * 2 < this.#maxBytes) return
    this.#old = this.#young
    this.#young = new Map()
    this.#youngBytes = 0
  }

  /** Number of nodes held, at most; one in both generations counts twice. */
  get size(): number {
    return this.#young.size + this.#old.size
  }
}

function weight(node: TrieNode): number {
  return (
    200 +
    node.path.key.length * 2 +
    node.table.cells.length * 8 +
    (node.value ? node.value.length : 0)
  )
}
