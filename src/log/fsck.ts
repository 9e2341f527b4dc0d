/**
 * Checking, and repairing, everything that is stored of a log.
 *
 * Reads all six files whole and holds every node, block and signature against the key. `repair` restores
 * what follows from the rest: keys from each other, nodes from their neighbours and from data, signatures
 * where the secret key is here (or where one flipped bit explains them), bits from what is stored. What
 * cannot be proven is dropped, so that peers give it again. What is sound is not written. When nothing
 * verifies at all, nothing is touched: the key may be the wrong one.
 *
 * @see spec/10-log.md 3.15
 * @module
 */
import { copy, equals, isZero } from '../bytes.ts'
import { HASH_BYTES, SECRET_KEY_BYTES, isKeyPair, signingKeyPair } from '../crypto.ts'
import { blocksOf } from '../merkle/index.ts'
import type { RandomAccess } from '../storage/random-access.ts'
import { Bitfield } from './bitfield.ts'
import { BitfieldFile } from './bitfield-file.ts'
import { LogError } from './errors.ts'
import { FileSource } from './files.ts'
import type { LogFiles, LogStorage } from './files.ts'
import { BitsCheck } from './fsck-bits.ts'
import type { Fault, FsckOptions, FsckReport } from './fsck-report.ts'
import { TreeCheck, nodeAt } from './fsck-tree.ts'
import {
  HEADER_BYTES,
  PAGE_BYTES,
  SIGNATURES_HEADER,
  TREE_HEADER,
  bitfieldHeader,
  readPageBytes,
} from './header.ts'
import { readKey } from './identity.ts'
import { Log } from './log.ts'
import { SignatureFile, slotAt } from './signature-file.ts'
import { NODE_BYTES, TreeFile } from './tree-file.ts'

const CACHE_BYTES = 2 ** 22

/**
 * Check the log in `storage`, which nobody else has open.
 *
 * @throws {@link LogError} `LOG_NOT_FOUND` when there is none; `LOG_BAD_KEY`
 */
export async function fsck(storage: LogStorage, options: FsckOptions = {}): Promise<FsckReport> {
  const given = readKey(options.key, HASH_BYTES)
  const source = new FileSource(storage, false)
  try {
    const run = new Run(source.all({ key: given }), given)
    const report = await run.check()
    if (!options.repair || !run.canRepair) return report
    await run.repair()
    await source.close()
    if (run.canOpen) await settle(storage, report.key)
    return { ...report, repaired: report.faults.length > 0 }
  } finally {
    await source.close()
  }
}

/** Open and close: what is left is what a crash may leave, which opening sees to. */
async function settle(storage: LogStorage, key: Uint8Array | null): Promise<void> {
  const log = new Log(storage, key, { sparse: true })
  try {
    await log.ready()
  } finally {
    await log.close()
  }
}

class Run {
  readonly #files: LogFiles
  readonly #given: Uint8Array | null
  readonly #faults: Fault[] = []
  readonly #writes: Array<() => Promise<void>> = []
  #key: Uint8Array | null = null
  #tree: TreeFile | null = null
  #bits: BitsCheck | null = null
  #signatures: SignatureFile | null = null
  #bitfieldFile: BitfieldFile | null = null

  constructor(files: LogFiles, given: Uint8Array | null) {
    this.#files = files
    this.#given = given
  }

  /** Something verifies, or nothing is stored. */
  canRepair = false
  /** The log opens without being told its secret key. */
  canOpen = true

  async check(): Promise<FsckReport> {
    const files = this.#files
    const [treeBytes, dataBytes, bitfieldBytes, signatureBytes] = await Promise.all([
      files.tree.size(),
      files.data.size(),
      files.bitfield.size(),
      files.signatures.size(),
    ])
    const storedKey = await start(files.key, HASH_BYTES)
    const secretKey = await start(files.secret_key, SECRET_KEY_BYTES)
    const keys = [this.#given, storedKey, secretKey?.subarray(HASH_BYTES) ?? null].filter(
      (key) => key !== null,
    )
    if (keys.length === 0) throw new LogError('LOG_NOT_FOUND', 'no log is stored here')
    const pageBytes = readPageBytes(
      (await start(files.bitfield, HEADER_BYTES)) ?? new Uint8Array(0),
    )
    const bitfield = new Bitfield(pageBytes ?? PAGE_BYTES)
    const bitfieldFile = new BitfieldFile(files.bitfield, bitfield)
    await bitfieldFile.load(bitfieldBytes)
    const signatures = new SignatureFile(files.signatures, signatureBytes)
    const recorded = Math.min(blocksOf(bitfield.nodes), Math.ceil(treeBytes / NODE_BYTES))
    const isBare = treeBytes <= HEADER_BYTES && dataBytes === 0 && signatureBytes <= HEADER_BYTES

    let found: TreeCheck | null = null
    for (const key of keys) {
      const tree = new TreeFile(files.tree, treeBytes, CACHE_BYTES)
      const rightSecret = secretKey && pairedWith(key, secretKey)
      const isKnown = (treeIndex: number): boolean => bitfield.hasNode(treeIndex)
      const check = new TreeCheck(tree, files.data, dataBytes, key, rightSecret, isKnown)
      // oxlint-disable-next-line no-await-in-loop
      await check.run(signatures, recorded)
      if (check.length === 0 && !isBare) continue
      this.#key = key
      this.#tree = tree
      found = check
      break
    }
    if (!found || !this.#key) {
      this.#fault('key', 0, HASH_BYTES, 'key', 'nothing that is stored verifies against it', 'left')
      return this.#report(keys[0] ?? null, null)
    }
    this.#signatures = signatures
    this.#bitfieldFile = bitfieldFile
    this.canRepair = true
    this.#checkKeys(this.#key, storedKey, secretKey)
    await this.#checkHeader('tree', treeBytes, TREE_HEADER)
    await this.#checkHeader('signatures', signatureBytes, SIGNATURES_HEADER)
    await this.#checkHeader('bitfield', bitfieldBytes, bitfieldHeader(bitfield.pageBytes))
    this.#noteTree(found)
    this.#bits = new BitsCheck(bitfield, bitfieldBytes, found, this.#files.data, dataBytes)
    await this.#bits.run((fault) => this.#faults.push(fault))
    return this.#report(this.#key, found)
  }

  /** Write what was found to be otherwise. */
  async repair(): Promise<void> {
    for (const write of this.#writes) {
      // oxlint-disable-next-line no-await-in-loop
      await write()
    }
    const { key, secret_key: secretKey, tree, signatures, bitfield } = this.#files
    for (const treeIndex of this.#bits?.droppedNodes ?? []) {
      // oxlint-disable-next-line no-await-in-loop
      await this.#tree?.writeRun(treeIndex, 1, [])
    }
    await Promise.all([key, secretKey, tree, signatures].map((file) => file.sync()))
    await this.#bitfieldFile?.flush()
    await bitfield.sync()
  }

  #checkKeys(key: Uint8Array, storedKey: Uint8Array | null, secretKey: Uint8Array | null): void {
    if (!storedKey || !equals(storedKey, key)) {
      this.#fault('key', 0, HASH_BYTES, 'key', 'it is not the key that signed', 'restored')
      this.#writes.push(() => this.#files.key.write(0, key))
    }
    if (!secretKey || isKeyPair(key, secretKey)) return
    const right = pairedWith(key, secretKey)
    const message = 'it does not belong to the key'
    const remedy = right ? 'restored' : 'left'
    this.#fault('secret_key', 0, SECRET_KEY_BYTES, 'secret-key', message, remedy)
    if (right) this.#writes.push(() => this.#files.secret_key.write(0, right))
    else this.canOpen = false
  }

  async #checkHeader(
    file: 'tree' | 'signatures' | 'bitfield',
    byteLength: number,
    right: Uint8Array,
  ): Promise<void> {
    if (byteLength === 0) return // made when the log is opened
    const stored = await start(this.#files[file], HEADER_BYTES, true)
    if (stored && equals(stored, right)) return
    this.#fault(file, 0, HEADER_BYTES, 'header', 'it is not that of this file', 'restored')
    this.#writes.push(() => this.#files[file].write(0, right))
  }

  #noteTree({ fixes, badSignatures }: TreeCheck): void {
    for (const [treeIndex, node] of fixes) {
      const message = `node ${treeIndex} is not the one that was signed`
      this.#fault('tree', nodeAt(treeIndex), NODE_BYTES, 'node', message, 'restored')
      this.#writes.push(async () => this.#tree?.write([node]))
    }
    for (const { length, right } of badSignatures) {
      const message = `not the key's signature of ${length} blocks`
      const remedy = right ? 'restored' : 'dropped'
      this.#fault('signatures', slotAt(length), 64, 'signature', message, remedy)
      this.#writes.push(async () => this.#signatures?.write(length, right ?? new Uint8Array(64)))
    }
  }

  #fault(
    file: Fault['file'],
    byteOffset: number,
    byteLength: number,
    type: Fault['type'],
    message: string,
    remedy: Fault['remedy'],
  ): void {
    this.#faults.push({ type, file, byteOffset, byteLength, message, remedy })
  }

  #report(key: Uint8Array | null, check: TreeCheck | null): FsckReport {
    return {
      key: key && copy(key),
      length: check?.length ?? 0,
      nodes: check?.nodes ?? 0,
      signatures: check?.signatures ?? 0,
      blocks: this.#bits?.sound ?? 0,
      faults: this.#faults,
      repaired: false,
    }
  }
}

/** The secret key that belongs to a key: as stored, or with the one flipped bit put back; or `null`. */
function pairedWith(key: Uint8Array, stored: Uint8Array): Uint8Array | null {
  const seed = copy(stored, 0, HASH_BYTES)
  for (let bit = -1; bit < 8 * HASH_BYTES; bit++) {
    const mask = bit < 0 ? 0 : 1 << (bit & 7)
    const at = Math.max(0, bit) >>> 3
    seed[at] = (seed[at] ?? 0) ^ mask
    const pair = signingKeyPair(seed)
    if (equals(pair.publicKey, key)) return pair.secretKey
    seed[at] = (seed[at] ?? 0) ^ mask
  }
  return null
}

/** The first bytes of a file; `null` when it is shorter, or they are zeros. */
async function start(
  file: RandomAccess,
  length: number,
  zeros = false,
): Promise<Uint8Array | null> {
  if ((await file.size()) < length) return null
  const bytes = await file.read(0, length)
  return zeros || !isZero(bytes) ? bytes : null
}
