/**
 * The files of one log, read as the chapters describe them. Nothing is believed: what the files say is
 * what the statements are about.
 *
 * The whole files are read into memory, but `data`, which is read block by block.
 *
 * @see docs/protocol/10-log.md 2.5 and 2.6
 * @module
 */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { blocksOf, flatTree, treeHash, type NodeSet, type TreeNode } from 'varve/merkle'
import { hex } from '../expect.ts'

/** Bytes of the header of a file. */
export const HEADER = 32
/** Bytes of a page of the bitfield, as new logs have it. */
export const PAGE = 3584
const DATA_BYTES = 1024
const TREE_BYTES = 2048
const NODE = 40
const SIGNATURE = 64

/** One log on disk. */
export class StoredLog {
  /** Its folder, relative to what is looked at. */
  readonly name: string
  readonly folder: string
  readonly key: Uint8Array | null
  readonly secretKey: Uint8Array | null
  /** The file `name` of a store, if there is one. */
  readonly nameFile: Uint8Array | null
  readonly tree: Uint8Array
  readonly signatures: Uint8Array
  readonly bitfield: Uint8Array
  readonly dataBytes: number
  /** Blocks that the tree bits tell of. */
  readonly length: number
  /** The tree bits. */
  readonly known: NodeSet = { has: (index) => this.hasNode(index) }

  constructor(root: string, name: string) {
    this.name = name || '.'
    this.folder = join(root, name)
    this.key = this.#read('key')
    this.secretKey = this.#read('secret_key')
    this.nameFile = this.#read('name')
    this.tree = this.#read('tree') ?? new Uint8Array(0)
    this.signatures = this.#read('signatures') ?? new Uint8Array(0)
    this.bitfield = this.#read('bitfield') ?? new Uint8Array(0)
    this.dataBytes = this.#data((file) => fstatSync(file).size) ?? 0
    this.length = blocksOf(this.known)
  }

  /** Whether the log was written here: a key to sign with, or a name to derive it from. */
  get isOwn(): boolean {
    return this.secretKey !== null || (this.nameFile?.length ?? 0) > 1
  }

  /** Bytes of a page, as the header says. */
  get pageBytes(): number {
    const [high = 0, low = 0] = this.bitfield.subarray(5, 7)
    return high * 256 + low || PAGE
  }

  /** Pages that are there in whole. */
  get pages(): number {
    return Math.floor((this.bitfield.length - HEADER) / this.pageBytes)
  }

  /** Bytes of the index of a page. */
  get indexBytes(): number {
    return this.pageBytes - DATA_BYTES - TREE_BYTES
  }

  /** Whether the bit of a block is set. */
  hasBlock(index: number): boolean {
    return this.#bit(Math.floor(index / 8192), 0, index % 8192)
  }

  /** Whether the bit of a tree node is set. */
  hasNode(index: number): boolean {
    return this.#bit(Math.floor(index / 16384), DATA_BYTES, index % 16384)
  }

  /** Byte `at` of the index. */
  indexByte(at: number): number {
    const page = Math.floor(at / this.indexBytes)
    const offset = DATA_BYTES + TREE_BYTES + (at % this.indexBytes)
    return this.bitfield[HEADER + page * this.pageBytes + offset] ?? 0
  }

  /** Byte `at` of the data bits, over all pages. */
  dataByte(at: number): number {
    const page = Math.floor(at / DATA_BYTES)
    return this.bitfield[HEADER + page * this.pageBytes + (at % DATA_BYTES)] ?? 0
  }

  /** Slots of the tree file, the last one in whole. */
  get nodeSlots(): number {
    return Math.max(0, Math.floor((this.tree.length - HEADER) / NODE))
  }

  /** The stored node, or null for a slot of zeros. */
  node(index: number): TreeNode | null {
    const at = HEADER + index * NODE
    if (at + NODE > this.tree.length) return null
    const slot = this.tree.subarray(at, at + NODE)
    if (slot.every((byte) => byte === 0)) return null
    const size = new DataView(slot.buffer, slot.byteOffset + 32, 8).getBigUint64(0)
    return { index, hash: slot.subarray(0, 32), size: Number(size) }
  }

  /** The signature of `length` blocks, or null for a slot of zeros. */
  signature(length: number): Uint8Array | null {
    const at = HEADER + (length - 1) * SIGNATURE
    const slot = this.signatures.subarray(at, at + SIGNATURE)
    return slot.length < SIGNATURE || slot.every((byte) => byte === 0) ? null : slot
  }

  /** The roots of `length` blocks, as far as they are stored. */
  roots(length: number): (TreeNode | null)[] {
    return flatTree.fullRoots(2 * length).map((index) => this.node(index))
  }

  /** Where block `index` lies, or null when a node to find it is not here. */
  byteOffset(index: number): number | null {
    let sum = 0
    for (const root of this.roots(index)) {
      if (!root) return null
      sum += root.size
    }
    return sum
  }

  /** The bytes of a block, or null when they are not there in whole. */
  block(index: number): Uint8Array | null {
    const leaf = this.node(2 * index)
    const offset = this.byteOffset(index)
    if (!leaf || offset === null || offset + leaf.size > this.dataBytes) return null
    const bytes = new Uint8Array(leaf.size)
    if (leaf.size > 0) this.#data((file) => readSync(file, bytes, 0, leaf.size, offset))
    return bytes
  }

  /** Blocks whose bit is set, below the length. */
  get held(): number[] {
    return Array.from({ length: this.length }, (_, i) => i).filter((i) => this.hasBlock(i))
  }

  #bit(page: number, area: number, bit: number): boolean {
    const byte = this.bitfield[HEADER + page * this.pageBytes + area + Math.floor(bit / 8)]
    // A page that is not there in whole counts as padded with zeros.
    return byte !== undefined && (byte & (128 >> (bit % 8))) !== 0
  }

  #read(file: string): Uint8Array | null {
    const path = join(this.folder, file)
    return existsSync(path) ? new Uint8Array(readFileSync(path)) : null
  }

  #data<T>(use: (file: number) => T): T | null {
    const path = join(this.folder, 'data')
    if (!existsSync(path)) return null
    const file = openSync(path, 'r')
    try {
      return use(file)
    } finally {
      closeSync(file)
    }
  }
}

/** Logs that have blocks. */
export const notEmpty = (log: StoredLog): boolean => log.length > 0

/** Nodes that are stored, by index. */
export function nodesOf(log: StoredLog): TreeNode[] {
  const nodes = []
  for (let index = 0; index < log.nodeSlots; index++) {
    const node = log.node(index)
    if (node) nodes.push(node)
  }
  return nodes
}

/** Whether the key is the hash of the tree itself. */
export function isStatic(log: StoredLog): boolean {
  const roots = log.roots(log.length).filter((root) => root !== null)
  return log.key !== null && hex(treeHash(roots)) === hex(log.key)
}
