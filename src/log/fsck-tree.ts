/**
 * Checking every stored tree node against signatures, from the roots down.
 *
 * A node is believed when a signature covers it as a root, or when it and its sibling hash to a parent
 * that is believed. Where they do not, what can be computed from below (parents from children, leaves
 * from data) is tried in their place: so one damaged node is found by itself, and its right value.
 *
 * @module
 */
import { byteAt, copy, equals } from '../bytes.ts'
import { sign } from '../crypto.ts'
import { flatTree, leafNode, parentNode, signable, treeHash } from '../merkle/index.ts'
import type { TreeNode } from '../merkle/index.ts'
import type { RandomAccess } from '../storage/random-access.ts'
import { BlockMarks } from './block-marks.ts'
import { HEADER_BYTES } from './header.ts'
import { MAX_BLOCK_BYTES } from './options.ts'
import type { SignatureFile } from './signature-file.ts'
import type { TreeFile } from './tree-file.ts'
import { isHead } from './trust.ts'

/** Damaged signatures in which a single flipped bit is searched for. */
const MOST_SEARCHED = 16

/** A signature slot that is not what the key would have made. */
export interface BadSignature {
  readonly length: number
  /** What belongs there; `null` when nobody here can tell. */
  readonly right: Uint8Array | null
}

/** Believes what it can of one log's tree. */
export class TreeCheck {
  /** Nodes that are vouched for, as stored or as in `fixes`. */
  readonly believed: BlockMarks = new BlockMarks()
  /** Right values of nodes that are stored otherwise, or not at all. */
  readonly fixes: Map<number, TreeNode> = new Map()
  readonly badSignatures: BadSignature[] = []
  /** Signatures that are right. */
  signatures = 0
  /** Believed nodes. */
  nodes = 0
  /** The greatest length that is vouched for. */
  length = 0
  readonly #tree: TreeFile
  readonly #data: RandomAccess
  readonly #dataBytes: number
  readonly #key: Uint8Array
  readonly #secretKey: Uint8Array | null
  readonly #isKnown: (treeIndex: number) => boolean

  /**
   * @param dataBytes - bytes in the data file
   * @param secretKey - to make lost signatures again
   * @param isKnown - whether a bit says that a node is stored: of a copy, others need not be
   */
  constructor(
    tree: TreeFile,
    data: RandomAccess,
    dataBytes: number,
    key: Uint8Array,
    secretKey: Uint8Array | null,
    isKnown: (treeIndex: number) => boolean,
  ) {
    this.#tree = tree
    this.#data = data
    this.#dataBytes = dataBytes
    this.#key = key
    this.#secretKey = secretKey
    this.#isKnown = isKnown
  }

  /** A node as it should be, or as it is stored; `null` for none. */
  async node(treeIndex: number): Promise<TreeNode | null> {
    const fixed = this.fixes.get(treeIndex)
    if (fixed) return fixed
    return (await this.#tree.read([treeIndex])).get(treeIndex) ?? null
  }

  /** Check every signature, and every node below what they vouch for. */
  async run(signatures: SignatureFile, recorded: number): Promise<void> {
    const suspects: Array<{ length: number; signature: Uint8Array | null }> = []
    for await (const { length, signature } of signatures.scanDown()) {
      if (!(await this.#accept(length, signature))) suspects.push({ length, signature })
    }
    // A static log has no signatures: its key is the hash of its tree.
    if (this.length === 0 && suspects.length === 0) await this.#accept(recorded, null)
    const isLost = this.#secretKey !== null && recorded > this.length
    if (isLost && !suspects.some(({ length }) => length === recorded)) {
      suspects.unshift({ length: recorded, signature: null })
    }
    for (const [i, { length, signature }] of suspects.entries()) {
      // oxlint-disable-next-line no-await-in-loop
      await this.#judge(length, signature, recorded, i < MOST_SEARCHED)
    }
  }

  /** Take roots of `length` if the signature is right over them. */
  async #accept(length: number, signature: Uint8Array | null): Promise<boolean> {
    const roots = await this.#roots(length)
    if (!roots || length === 0 || !isHead(roots, length, signature, this.#key)) return false
    await this.#believeHead(length, roots)
    if (signature) this.signatures++
    return true
  }

  async #believeHead(length: number, roots: readonly TreeNode[]): Promise<void> {
    this.length = Math.max(this.length, length)
    let byteOffset = 0
    for (const root of roots) {
      if (!this.believed.has(root.index)) {
        this.#believe(root)
        // oxlint-disable-next-line no-await-in-loop
        await this.#descend(root, byteOffset)
      }
      byteOffset += root.size
    }
  }

  /** A slot whose signature is not right over the stored roots: which of them is wrong? */
  async #judge(
    length: number,
    signature: Uint8Array | null,
    recorded: number,
    searches: boolean,
  ): Promise<void> {
    const stored = await this.#roots(length)
    if (signature) {
      for await (const roots of this.#otherRoots(length)) {
        if (!isHead(roots, length, signature, this.#key)) continue
        for (const root of roots) await this.#fix(root)
        await this.#believeHead(length, roots)
        this.signatures++
        return
      }
    }
    let right: Uint8Array | null = null
    const isBelieved = stored !== null && stored.every(({ index }) => this.believed.has(index))
    if (stored && this.#secretKey) {
      const made = sign(signable(treeHash(stored), length), this.#secretKey)
      // Signing is deterministic: what differs in few bits only was made over just these roots.
      const wasMade = signature !== null && distance(made, signature) <= 64
      const isWhole = length === recorded && (await this.#isWhole(length))
      if (isBelieved || wasMade || isWhole) right = made
    }
    if (!right && stored && signature && searches) {
      right = unflipped(signature, (each) => isHead(stored, length, each, this.#key))
    }
    this.badSignatures.push({ length, right })
    if (right && stored) await this.#believeHead(length, stored)
  }

  /**
   * Roots of `length` with one, then all of them, computed from below.
   *
   * @yields what might be the right ones
   */
  async *#otherRoots(length: number): AsyncGenerator<TreeNode[]> {
    const indices = length > 0 ? flatTree.fullRoots(2 * length) : []
    const stored: Array<TreeNode | null> = []
    const computed: Array<TreeNode | null> = []
    let byteOffset: number | null = 0
    for (const [i, index] of indices.entries()) {
      const before: number | null = byteOffset
      const isLast = i === indices.length - 1
      stored.push(await this.node(index))
      const size = isLast && before !== null ? this.#dataBytes - before : null
      computed.push(await this.#compute(index, before, size))
      const bytes = (computed[i] ?? stored[i])?.size
      byteOffset = before === null || bytes === undefined ? null : before + bytes
    }
    for (let i = 0; i < indices.length; i++) {
      const roots = stored.map((root, k) => (k === i ? computed[k] : root))
      if (roots.every((root) => root !== null && root !== undefined)) yield roots
    }
    if (computed.every((root) => root !== null)) yield computed
  }

  async #roots(length: number): Promise<TreeNode[] | null> {
    if (length === 0) return null
    const roots: TreeNode[] = []
    for (const index of flatTree.fullRoots(2 * length)) {
      // oxlint-disable-next-line no-await-in-loop
      const root = await this.node(index)
      if (!root) return null
      roots.push(root)
    }
    return roots
  }

  async #descend(parent: TreeNode, byteOffset: number): Promise<void> {
    if (flatTree.isLeaf(parent.index)) return
    const pair = await this.#pairOf(parent, byteOffset)
    if (!pair) return
    const [left, right] = pair
    for (const [child, at] of [
      [left, byteOffset],
      [right, byteOffset + left.size],
    ] as const) {
      if (this.believed.has(child.index)) continue
      // oxlint-disable-next-line no-await-in-loop
      if (!(await this.#isWanted(child.index))) continue
      // oxlint-disable-next-line no-await-in-loop
      await this.#fix(child)
      this.#believe(child)
      // oxlint-disable-next-line no-await-in-loop
      await this.#descend(child, at)
    }
  }

  /** The two nodes that hash to a believed one: as stored, or computed where those do not. */
  async #pairOf(parent: TreeNode, byteOffset: number): Promise<[TreeNode, TreeNode] | null> {
    const leftIndex = flatTree.leftChild(parent.index)
    const rightIndex = flatTree.rightChild(parent.index)
    const left = await this.node(leftIndex)
    const right = await this.node(rightIndex)
    if (!left && !right) return null
    const fits = (a: TreeNode | null, b: TreeNode | null): [TreeNode, TreeNode] | null =>
      a && b && isSame(parentNode(a, b), parent) ? [a, b] : null
    const asStored = fits(left, right)
    if (asStored) return asStored
    // The right one tells how long the left one is, and the other way round.
    const otherLeft = await this.#compute(leftIndex, byteOffset, right && parent.size - right.size)
    const one = fits(otherLeft, right)
    if (one) return one
    const rightAt = left && byteOffset + left.size
    const otherRight = await this.#compute(rightIndex, rightAt, left && parent.size - left.size)
    const two = fits(left, otherRight)
    if (two) return two
    if (!otherLeft) return null
    const both = byteOffset + otherLeft.size
    return fits(otherLeft, await this.#compute(rightIndex, both, parent.size - otherLeft.size))
  }

  /** A node from what lies below it; of a leaf, from `size` bytes of data at `byteOffset`. */
  async #compute(
    treeIndex: number,
    byteOffset: number | null,
    size: number | null,
  ): Promise<TreeNode | null> {
    if (flatTree.isLeaf(treeIndex)) {
      if (byteOffset === null || size === null || size < 0 || size > MAX_BLOCK_BYTES) return null
      if (byteOffset + size > this.#dataBytes) return null
      return leafNode(treeIndex / 2, await this.#data.read(byteOffset, size))
    }
    const left =
      (await this.node(flatTree.leftChild(treeIndex))) ??
      (await this.#compute(flatTree.leftChild(treeIndex), byteOffset, null))
    if (!left) return null
    const right =
      (await this.node(flatTree.rightChild(treeIndex))) ??
      (await this.#compute(
        flatTree.rightChild(treeIndex),
        byteOffset === null ? null : byteOffset + left.size,
        size === null ? null : size - left.size,
      ))
    const sum = left.size + (right?.size ?? 0)
    return right && Number.isSafeInteger(sum) ? parentNode(left, right) : null
  }

  /** Whether every leaf below `length` is stored, and the parents over them give its roots. */
  async #isWhole(length: number): Promise<boolean> {
    for (const index of flatTree.fullRoots(2 * length)) {
      // oxlint-disable-next-line no-await-in-loop
      const [root, computed] = [await this.node(index), await this.#deep(index)]
      if (!root || !computed || !isSame(root, computed)) return false
    }
    return true
  }

  async #deep(treeIndex: number): Promise<TreeNode | null> {
    if (flatTree.isLeaf(treeIndex)) return this.node(treeIndex)
    const left = await this.#deep(flatTree.leftChild(treeIndex))
    const right = left && (await this.#deep(flatTree.rightChild(treeIndex)))
    return right && parentNode(left, right)
  }

  /** Whether a node is stored, or should be. */
  async #isWanted(treeIndex: number): Promise<boolean> {
    if (this.#secretKey !== null || this.#isKnown(treeIndex)) return true
    return (await this.#tree.read([treeIndex])).has(treeIndex)
  }

  /** Note a right value, if another one is stored. */
  async #fix(node: TreeNode): Promise<void> {
    const stored = (await this.#tree.read([node.index])).get(node.index)
    if (!stored || !isSame(stored, node)) this.fixes.set(node.index, node)
  }

  #believe(node: TreeNode): void {
    this.believed.set(node.index)
    this.nodes++
  }
}

/** Where a node lies in the `tree` file. */
export function nodeAt(treeIndex: number): number {
  return HEADER_BYTES + 40 * treeIndex
}

function isSame(a: TreeNode, b: TreeNode): boolean {
  return a.size === b.size && equals(a.hash, b.hash)
}

/** Bits in which two signatures differ. */
function distance(a: Uint8Array, b: Uint8Array): number {
  let bits = 0
  for (const [i, byte] of a.entries()) {
    for (let rest = byte ^ byteAt(b, i); rest; rest &= rest - 1) bits++
  }
  return bits
}

/** The signature with the one flipped bit put back that makes it right, or `null`. */
function unflipped(
  signature: Uint8Array,
  isRight: (signature: Uint8Array) => boolean,
): Uint8Array | null {
  const tried = copy(signature)
  for (let bit = 0; bit < 8 * tried.length; bit++) {
    tried[bit >>> 3] = byteAt(tried, bit >>> 3) ^ (1 << (bit & 7))
    if (isRight(tried)) return tried
    tried[bit >>> 3] = byteAt(tried, bit >>> 3) ^ (1 << (bit & 7))
  }
  return null
}
