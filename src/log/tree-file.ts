/**
 * The `tree` file and a bounded cache of it.
 *
 * Node `i` lies at `32 + 40 i`: 32 bytes of hash, then the size. 40 zero bytes, or the end of the file,
 * mean that there is no such node. Nodes are cached in pages of 256 in their stored form, so that what
 * is near costs one read and no object. A node that was computed or verified here is marked as
 * *trusted*; one that was read is not (trust.ts checks it), and the mark goes when its page leaves.
 *
 * @see spec/10-log.md 2.5.1
 * @module
 */
import { byteAt, copy, isZero, readUint64, writeUint64 } from '../bytes.ts'
import type { TreeNode } from '../merkle/index.ts'
import type { RandomAccess } from '../storage/random-access.ts'
import { LogError } from './errors.ts'
import { HEADER_BYTES } from './header.ts'

/** Bytes of one stored node. */
export const NODE_BYTES = 40

const PAGE_NODES = 256
const PAGE_BYTES = PAGE_NODES * NODE_BYTES
/** Enough that no walk over one log (at most 2 * 52 nodes, plus their pages) evicts its own pages. */
const MIN_PAGES = 128
const FIRST_NODES = 16

interface Page {
  /** As in the file; grows to a whole page. */
  bytes: Uint8Array
  /** Whether a zero slot means "no node" rather than "not read". */
  complete: boolean
  readonly trusted: Uint8Array
}

/** Gives a node that is stored. Throws when it is not in memory: only for use inside `walk`. */
export type NodeLookup = (treeIndex: number) => TreeNode

class NodesNotLoaded extends Error {
  readonly indices: readonly number[]
  constructor(indices: readonly number[]) {
    super('tree nodes are not in memory')
    this.indices = indices
  }
}

/** Stored tree nodes. */
export class TreeFile {
  readonly #file: RandomAccess
  readonly #maxPages: number
  /** Two generations: what was not used while the young one filled is dropped. */
  #young = new Map<number, Page>()
  #old = new Map<number, Page>()
  #loading = new Map<number, Promise<void>>()
  #byteLength: number

  /** @param byteLength - bytes in the file now; @param cacheBytes - bound of the cache */
  constructor(file: RandomAccess, byteLength: number, cacheBytes: number) {
    this.#file = file
    this.#byteLength = byteLength
    this.#maxPages = Math.max(MIN_PAGES, Math.ceil(cacheBytes / PAGE_BYTES / 2))
  }

  /** Bytes in the file. */
  get byteLength(): number {
    return this.#byteLength
  }

  /** A node, if it is in memory. */
  cached(treeIndex: number): TreeNode | undefined {
    const page = this.#find(Math.floor(treeIndex / PAGE_NODES))
    if (!page) return undefined
    const at = (treeIndex % PAGE_NODES) * NODE_BYTES
    return at < page.bytes.length ? decode(treeIndex, page.bytes, at) : undefined
  }

  /** Whether the node is in memory and was computed or verified here. */
  isTrusted(treeIndex: number): boolean {
    const page = this.#find(Math.floor(treeIndex / PAGE_NODES))
    if (!page) return false
    const slot = treeIndex % PAGE_NODES
    return (byteAt(page.trusted, slot >>> 3) & (1 << (slot & 7))) !== 0
  }

  /** Mark a node that is in memory as verified. */
  trust(treeIndex: number): void {
    const page = this.#find(Math.floor(treeIndex / PAGE_NODES))
    const slot = treeIndex % PAGE_NODES
    if (page) page.trusted[slot >>> 3] = byteAt(page.trusted, slot >>> 3) | (1 << (slot & 7))
  }

  /** Throw what makes `walk` load these nodes together, unless all are in memory. */
  require(indices: readonly number[]): void {
    const missing = indices.filter((treeIndex) => !this.#isKnown(treeIndex))
    if (missing.length > 0) throw new NodesNotLoaded(missing)
  }

  /**
   * Run a synchronous calculation over stored nodes. At a node that is not in memory it is broken off,
   * the node's page is read, and it runs again from the start; so it must have no effects before its end.
   * Gives the result at once when everything was in memory.
   *
   * @throws {@link LogError} `LOG_NOT_PROVABLE` from the lookup, for a node that is not stored
   */
  walk<R>(calculate: (node: NodeLookup) => R): R | Promise<R> {
    try {
      return calculate(this.#lookup)
    } catch (error) {
      if (error instanceof NodesNotLoaded) return this.#walkOn(error.indices, calculate)
      throw error
    }
  }

  /** Bring nodes into memory. Those that are not stored are left out. */
  async load(indices: readonly number[]): Promise<void> {
    const pages = new Set<number>()
    for (const treeIndex of indices) {
      if (!this.#isKnown(treeIndex)) pages.add(Math.floor(treeIndex / PAGE_NODES))
    }
    await Promise.all([...pages].map((page) => this.#load(page)))
  }

  /** Nodes that are stored, of those asked for. */
  async read(indices: readonly number[]): Promise<Map<number, TreeNode>> {
    await this.load(indices)
    const found = new Map<number, TreeNode>()
    for (const treeIndex of indices) {
      const node = this.cached(treeIndex)
      if (node) found.set(treeIndex, node)
    }
    return found
  }

  /** Write nodes (in any order), joined where they are neighbours. Call `keep` once that succeeded. */
  async write(nodes: readonly TreeNode[]): Promise<void> {
    const runs: { readonly first: number; readonly nodes: TreeNode[] }[] = []
    for (const node of nodes.toSorted((a, b) => a.index - b.index)) {
      const run = runs.at(-1)
      if (run && run.first + run.nodes.length === node.index) run.nodes.push(node)
      else runs.push({ first: node.index, nodes: [node] })
    }
    await Promise.all(runs.map((run) => this.writeRun(run.first, run.nodes.length, run.nodes)))
  }

  /** Write nodes `[first, first + count)` as one piece; slots without a node become zeros. */
  async writeRun(first: number, count: number, nodes: readonly TreeNode[]): Promise<void> {
    const bytes = new Uint8Array(count * NODE_BYTES)
    for (const node of nodes) encode(node, bytes, (node.index - first) * NODE_BYTES)
    const at = HEADER_BYTES + first * NODE_BYTES
    await this.#file.write(at, bytes)
    if (count > 0) this.#byteLength = Math.max(this.#byteLength, at + bytes.length)
  }

  /** Put stored nodes into the cache; `verified` ones are trusted. */
  keep(nodes: readonly TreeNode[], verified = true): void {
    for (const node of nodes) {
      const page = this.#make(Math.floor(node.index / PAGE_NODES))
      const slot = node.index % PAGE_NODES
      grow(page, (slot + 1) * NODE_BYTES)
      encode(node, page.bytes, slot * NODE_BYTES)
      if (verified) this.trust(node.index)
    }
  }

  /** Cut the file after `byteLength` bytes and forget the cache. */
  async truncate(byteLength: number): Promise<void> {
    await this.#file.truncate(byteLength)
    this.#byteLength = byteLength
    this.#young.clear()
    this.#old.clear()
  }

  readonly #lookup: NodeLookup = (treeIndex) => {
    const node = this.cached(treeIndex)
    if (node) return node
    if (!this.#isKnown(treeIndex)) throw new NodesNotLoaded([treeIndex])
    throw new LogError('LOG_NOT_PROVABLE', `tree node ${treeIndex} is not stored`)
  }

  async #walkOn<R>(indices: readonly number[], calculate: (node: NodeLookup) => R): Promise<R> {
    await this.load(indices)
    for (;;) {
      try {
        return calculate(this.#lookup)
      } catch (error) {
        if (!(error instanceof NodesNotLoaded)) throw error
        // oxlint-disable-next-line no-await-in-loop
        await this.load(error.indices)
      }
    }
  }

  /** Whether memory can tell about the node: it is there, or its page was read. */
  #isKnown(treeIndex: number): boolean {
    const number = Math.floor(treeIndex / PAGE_NODES)
    const page = this.#find(number)
    if (HEADER_BYTES + number * PAGE_BYTES >= this.#byteLength) return true
    return page !== undefined && (page.complete || this.cached(treeIndex) !== undefined)
  }

  #load(number: number): Promise<void> {
    const running = this.#loading.get(number)
    if (running) return running
    const work = this.#read(number).finally(() => this.#loading.delete(number))
    this.#loading.set(number, work)
    return work
  }

  async #read(number: number): Promise<void> {
    const at = HEADER_BYTES + number * PAGE_BYTES
    const length = Math.min(PAGE_BYTES, this.#byteLength - at)
    const bytes = await this.#file.read(at, length)
    const page = this.#make(number)
    grow(page, length)
    // What is here already is newer than what was read.
    for (let from = 0; from + NODE_BYTES <= length; from += NODE_BYTES) {
      if (isZero(page.bytes, from, from + NODE_BYTES)) {
        page.bytes.set(bytes.subarray(from, from + NODE_BYTES), from)
      }
    }
    page.complete = true
  }

  #find(number: number): Page | undefined {
    const page = this.#young.get(number)
    if (page) return page
    const old = this.#old.get(number)
    if (old) this.#insert(number, old)
    return old
  }

  #make(number: number): Page {
    const found = this.#find(number)
    if (found) return found
    const page: Page = {
      bytes: new Uint8Array(FIRST_NODES * NODE_BYTES),
      complete: false,
      trusted: new Uint8Array(PAGE_NODES / 8),
    }
    this.#insert(number, page)
    return page
  }

  #insert(number: number, page: Page): void {
    if (this.#young.size >= this.#maxPages) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(number, page)
  }
}

function grow(page: Page, length: number): void {
  if (page.bytes.length >= length) return
  let size = page.bytes.length
  while (size < length) size *= 2
  const bytes = new Uint8Array(Math.min(size, PAGE_BYTES))
  bytes.set(page.bytes)
  page.bytes = bytes
}

function encode(node: TreeNode, out: Uint8Array, at: number): void {
  out.set(node.hash, at)
  writeUint64(node.size, out, at + 32)
}

/**
 * The node at `at`, its hash a copy; `undefined` for a blank slot, and for a size that no node can have,
 * which only damage makes.
 */
function decode(index: number, bytes: Uint8Array, at: number): TreeNode | undefined {
  const size = readUint64(bytes, at + 32)
  if (!Number.isSafeInteger(size)) return undefined
  if (size === 0 && isZero(bytes, at, at + 32)) return undefined
  return { index, hash: copy(bytes, at, at + 32), size }
}
