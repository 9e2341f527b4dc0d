/**
 * The least a log can do: hash every block into the tree, sign the head once for each append, write data,
 * tree, signature and bitfield at their places. No reading, no checks, no promises; synchronous writes,
 * which cost the least.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { sign, signingKeyPair } from '../src/crypto.ts'
import { TreeBuilder, signable, treeHash } from '../src/merkle/index.ts'

/** A log that can only be appended to. */
export class MinimalLog {
  readonly #data: number
  readonly #tree: number
  readonly #signatures: number
  readonly #bitfield: number
  readonly #secretKey = signingKeyPair(new Uint8Array(32)).secretKey
  readonly #builder = new TreeBuilder()
  readonly #bits = new Uint8Array(3328)
  #length = 0
  #byteLength = 0

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true })
    const open = (name: string): number => openSync(join(folder, name), 'w')
    this.#data = open('data')
    this.#tree = open('tree')
    this.#signatures = open('signatures')
    this.#bitfield = open('bitfield')
  }

  /** Append `blocks` with one signature. */
  append(blocks: Uint8Array[]): void {
    const { nodes, roots } = this.#builder.append(blocks)
    const length = this.#length + blocks.length
    const first = 2 * this.#length
    const tree = Buffer.alloc(80 * blocks.length)
    for (const { index, hash, size } of nodes) {
      const at = 40 * (index - first)
      // A parent left of the new leaves is part of an older page; what is written is as much.
      if (at < 0) continue
      tree.set(hash, at)
      tree.writeUInt32BE(size, at + 36)
    }
    const signature = sign(signable(treeHash(roots), length), this.#secretKey)
    const data = blocks.length === 1 ? (blocks[0] ?? tree) : Buffer.concat(blocks)
    writeSync(this.#data, data, 0, data.length, this.#byteLength)
    writeSync(this.#tree, tree, 0, tree.length, 40 * first)
    writeSync(this.#signatures, signature, 0, 64, 64 * (length - 1))
    const page = Math.floor(this.#length / 8192)
    writeSync(this.#bitfield, this.#bits, 0, this.#bits.length, 3328 * page)
    this.#length = length
    this.#byteLength += data.length
  }

  close(): void {
    for (const fd of [this.#data, this.#tree, this.#signatures, this.#bitfield]) closeSync(fd)
  }
}
