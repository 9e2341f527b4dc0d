/**
 * Checking every bit against what is stored, and every held block against its leaf.
 *
 * @module
 */
import { equals } from '../bytes.ts'
import { flatTree, leafHash } from '../merkle/index.ts'
import type { RandomAccess } from '../storage/random-access.ts'
import { PAGE_BLOCKS } from './bitfield.ts'
import type { Bitfield } from './bitfield.ts'
import type { Fault } from './fsck-report.ts'
import { nodeAt } from './fsck-tree.ts'
import type { TreeCheck } from './fsck-tree.ts'
import { HEADER_BYTES } from './header.ts'
import { DATA_BYTES } from './page-set.ts'
import { NODE_BYTES } from './tree-file.ts'

/** Data read at once. */
const RUN_BYTES = 2 ** 20

/** Checks, and puts right in memory, one bitfield. */
export class BitsCheck {
  /** Nodes that nothing vouches for and a bit speaks of. */
  readonly droppedNodes: number[] = []
  /** Held blocks that are what was signed. */
  sound = 0
  readonly #bitfield: Bitfield
  readonly #bytes: number
  readonly #tree: TreeCheck
  readonly #data: RandomAccess
  readonly #dataBytes: number
  /** Bytes of the file that hold a wrong bit. */
  readonly #wrong = new Set<number>()
  #run: { readonly at: number; readonly bytes: Uint8Array } | null = null

  /** @param bytes - in the bitfield's file; @param tree - checked already */
  constructor(
    bitfield: Bitfield,
    bytes: number,
    tree: TreeCheck,
    data: RandomAccess,
    dataBytes: number,
  ) {
    this.#bitfield = bitfield
    this.#bytes = bytes
    this.#tree = tree
    this.#data = data
    this.#dataBytes = dataBytes
  }

  /** Check all. The bitfield in memory is right afterwards. */
  async run(note: (fault: Fault) => void): Promise<void> {
    await this.#checkBlocks(note)
    this.#checkNodes(note)
    for (const [from, to] of runs(this.#wrong)) {
      note({
        type: 'bits',
        file: 'bitfield',
        byteOffset: from,
        byteLength: to - from,
        message: 'these bits say other than what is stored',
        remedy: 'restored',
      })
    }
  }

  #checkNodes(note: (fault: Fault) => void): void {
    const { believed, length } = this.#tree
    const last = Math.max(this.#bitfield.lastNode(), 2 * length - 2)
    for (let treeIndex = 0; treeIndex <= last; treeIndex++) {
      const isKnown = this.#bitfield.hasNode(treeIndex)
      const isBelieved = believed.has(treeIndex)
      if (isKnown === isBelieved) continue
      this.#wrong.add(this.#byteOf(treeIndex / 2, 2))
      this.#bitfield.setNode(treeIndex, isBelieved)
      if (isBelieved) continue
      this.droppedNodes.push(treeIndex)
      if (flatTree.rightSpan(treeIndex) >= 2 * length) continue // the signature was named instead
      note({
        type: 'node',
        file: 'tree',
        byteOffset: nodeAt(treeIndex),
        byteLength: NODE_BYTES,
        message: `nothing vouches for node ${treeIndex}`,
        remedy: 'dropped',
      })
    }
  }

  async #checkBlocks(note: (fault: Fault) => void): Promise<void> {
    const { length, believed } = this.#tree
    const bitfield = this.#bitfield
    const beyond = bitfield.nextHeld(length, Infinity)
    for (let block = beyond; block >= 0; block = bitfield.nextHeld(block + 1, Infinity)) {
      this.#setBit(block, false)
    }
    let byteOffset: number | null = 0
    for (let block = 0; block < length; block++) {
      const isHeld = bitfield.has(block)
      if (!believed.has(2 * block)) {
        if (isHeld) this.#setBit(block, false)
        byteOffset = null
        continue
      }
      // oxlint-disable-next-line no-await-in-loop
      byteOffset ??= await this.#offsetOf(block)
      // oxlint-disable-next-line no-await-in-loop
      const leaf = await this.#tree.node(2 * block)
      if (!leaf || byteOffset === null) {
        if (isHeld) this.#setBit(block, false)
        byteOffset = null
        continue
      }
      const at: number = byteOffset
      byteOffset = at + leaf.size
      if (!isHeld && !this.#mayBeHeld(block)) continue
      // oxlint-disable-next-line no-await-in-loop
      const bytes = await this.#read(at, leaf.size)
      const isSound = bytes !== null && equals(leafHash(bytes), leaf.hash)
      if (isSound) this.sound++
      if (isSound === isHeld) continue
      this.#setBit(block, isSound)
      if (isSound) continue
      note({
        type: 'block',
        file: 'data',
        byteOffset: at,
        byteLength: leaf.size,
        message: `block ${block} is not the one that was signed`,
        remedy: 'dropped',
      })
    }
  }

  /**
   * Whether something speaks for a block that has no bit: the page is missing, or the index counts more
   * bits than there are. A block that was cleared must not come back.
   */
  #mayBeHeld(block: number): boolean {
    const page = Math.floor(block / PAGE_BLOCKS)
    const { pageBytes } = this.#bitfield
    if (HEADER_BYTES + page * pageBytes >= this.#bytes) return true
    const isTorn = this.#bytes < HEADER_BYTES + (page + 1) * pageBytes
    return isTorn || !this.#bitfield.agreesWithIndex(block)
  }

  #setBit(block: number, value: boolean): void {
    this.#wrong.add(this.#byteOf(block, 0))
    this.#bitfield.set(block, block + 1, value)
  }

  /** Where in the file the bit of a block (or, with `area` 2, of the node above `half` a block) lies. */
  #byteOf(block: number, area: 0 | 2): number {
    const page = Math.floor(block / PAGE_BLOCKS)
    const at = block - page * PAGE_BLOCKS
    const inPage = area === 0 ? Math.floor(at / 8) : DATA_BYTES + Math.floor((2 * at) / 8)
    return HEADER_BYTES + page * this.#bitfield.pageBytes + inPage
  }

  async #offsetOf(block: number): Promise<number | null> {
    let sum = 0
    for (const root of flatTree.fullRoots(2 * block)) {
      // oxlint-disable-next-line no-await-in-loop
      const node = this.#tree.believed.has(root) ? await this.#tree.node(root) : null
      if (!node) return null
      sum += node.size
    }
    return sum
  }

  async #read(at: number, length: number): Promise<Uint8Array | null> {
    if (length === 0) return new Uint8Array(0)
    if (at + length > this.#dataBytes) return null
    if (!this.#run || at < this.#run.at || at + length > this.#run.at + this.#run.bytes.length) {
      const count = Math.min(Math.max(length, RUN_BYTES), this.#dataBytes - at)
      this.#run = { at, bytes: await this.#data.read(at, count) }
    }
    const from = at - this.#run.at
    return this.#run.bytes.subarray(from, from + length)
  }
}

/**
 * Numbers as half-open runs of neighbours.
 *
 * @yields each run, ascending
 */
function* runs(numbers: ReadonlySet<number>): Generator<[from: number, to: number]> {
  let from = -1
  let to = -1
  for (const each of [...numbers].toSorted((a, b) => a - b)) {
    if (each === to) {
      to++
      continue
    }
    if (from >= 0) yield [from, to]
    from = each
    to = each + 1
  }
  if (from >= 0) yield [from, to]
}
