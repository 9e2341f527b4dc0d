/**
 * Nodes of one log, decoded and kept: the shell that runs the walks of the trie's algorithms.
 *
 * @see spec/30-trie.md 3.1
 * @module
 */
import type { KeyHash } from './hash-path.ts'
import { decodeNode, isReset, type TrieNode } from './node.ts'
import { NodeCache } from './node-cache.ts'
import { ReadAhead } from './read-ahead.ts'
import type { TrieLog, WaitOptions } from './trie-log.ts'
import type { NodeSource, Walk } from './walk.ts'
import { WriteLock } from './write-lock.ts'

/** By log, then by hash. */
const stores = new WeakMap<object, Map<KeyHash | null, NodeStore>>()

/** How the nodes of one operation are loaded. */
export interface LoadOptions extends WaitOptions {
  /** Called before every node that the operation looks at, whether it is at hand or not. */
  readonly onseq?: ((seq: number) => void) | undefined
  /** Called for each block that is not stored here and is about to be waited for. */
  readonly onwait?: ((seq: number) => void) | undefined
  /**
   * Called for each block that is not stored here, which then counts as one that holds nothing: what only it leads
   * to is left out. Nothing is waited for.
   */
  readonly onmissing?: ((seq: number) => void) | undefined
}

/** What one log's tries share. */
export class NodeStore {
  /** Where the blocks are. */
  readonly log: TrieLog
  /** Hash of keys other than the standard one, or null. */
  readonly customHash: KeyHash | null
  /** Held by whoever writes. */
  readonly lock: WriteLock = new WriteLock()
  readonly #cache: NodeCache
  readonly #ahead: ReadAhead

  /**
   * The store of a log: all tries on one log object share it, and so take turns when they write.
   *
   * @param cacheSize - number of decoded nodes to keep; the first trie of the log decides
   */
  static of(log: TrieLog, customHash: KeyHash | null, cacheSize?: number): NodeStore {
    const stored = stores.get(log) ?? new Map<KeyHash | null, NodeStore>()
    stores.set(log, stored)
    const store = stored.get(customHash) ?? new NodeStore(log, customHash, cacheSize)
    stored.set(customHash, store)
    return store
  }

  private constructor(log: TrieLog, customHash: KeyHash | null, cacheSize?: number) {
    this.log = log
    this.customHash = customHash
    this.#cache = new NodeCache(cacheSize)
    this.#ahead = new ReadAhead(log)
  }

  /** The node at `seq` when it is in memory: null for a reset block, undefined when it is not here. */
  peek(seq: number): TrieNode | null | undefined {
    const known = this.#cache.get(seq)
    if (known !== undefined) return known
    const block = this.#ahead.take(seq)
    return block && this.#decode(seq, block)
  }

  /** Keep a node that was appended. */
  keep(node: TrieNode): void {
    this.#cache.set(node.seq, isReset(node) ? null : node)
  }

  /** A source that reports what is looked at to `onseq`. */
  source(onseq?: (seq: number) => void): NodeSource {
    if (!onseq) return this
    return {
      peek: (seq) => {
        onseq(seq)
        return this.peek(seq)
      },
    }
  }

  /**
   * Run a walk. It runs to its end at once when all its nodes are in memory; otherwise the promise
   * rejects with the log's error for a block, or with `TRIE_BAD_NODE`.
   */
  run<Result>(
    start: (nodes: NodeSource) => Walk<Result>,
    options: LoadOptions = {},
  ): Result | Promise<Result> {
    const walk = start(this.source(options.onseq))
    const step = walk.next([])
    return step.done ? step.value : this.#finish(walk, step.value, options)
  }

  /**
   * Run a walk to its end when all its nodes are in memory; undefined, and nothing was loaded, when they are not.
   */
  runNow<Result>(start: (nodes: NodeSource) => Walk<Result>): Result | undefined {
    const step = start(this).next([])
    return step.done ? step.value : undefined
  }

  async #finish<Result>(
    walk: Walk<Result>,
    wanted: readonly number[],
    options: LoadOptions,
  ): Promise<Result> {
    let seqs = wanted
    for (;;) {
      // Each step of a walk depends on the nodes of the one before.
      // oxlint-disable-next-line no-await-in-loop
      const step = walk.next(await this.#loadAll(seqs, options))
      if (step.done) return step.value
      seqs = step.value
    }
  }

  async #loadAll(
    seqs: readonly number[],
    options: LoadOptions,
  ): Promise<readonly (TrieNode | null)[]> {
    const [first] = seqs
    if (seqs.length === 1 && first !== undefined) return [await this.load(first, options)]
    return Promise.all(seqs.map((seq) => this.load(seq, options)))
  }

  /** The node at `seq`, from memory or from the log; null for a reset block and for seq 0. */
  async load(seq: number, options: LoadOptions = {}): Promise<TrieNode | null> {
    if (seq < 1) return null
    const known = this.peek(seq)
    if (known !== undefined) return known
    if (options.onmissing && !this.log.has(seq)) {
      options.onmissing(seq)
      return null
    }
    return this.#decode(seq, await this.#ahead.read(seq, options))
  }

  /** @throws TrieError `TRIE_BAD_NODE` */
  #decode(seq: number, block: Uint8Array): TrieNode | null {
    const node = decodeNode(seq, block, this.customHash)
    const kept = isReset(node) ? null : node
    this.#cache.set(seq, kept)
    return kept
  }
}
