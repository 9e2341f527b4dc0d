/**
 * Opening a log: who it is, what is stored, and whether that is whole.
 *
 * A log that was closed, or whose process was killed between writes, is found sound by one signature
 * check and a scan of its bits; nothing is written then. Otherwise recover.ts decides what can be
 * proven. Nothing is written before everything was judged.
 *
 * @see spec/10-log.md 3.8 and 3.15
 * @module
 */
import { EMPTY } from '../bytes.ts'
import { blocksOf } from '../merkle/index.ts'
import type { TreeNode } from '../merkle/index.ts'
import type { RandomAccess } from '../storage/random-access.ts'
import { systemTimers } from '../timers.ts'
import { blockCodec } from '../value-encoding.ts'
import { Bitfield } from './bitfield.ts'
import { BitfieldFile } from './bitfield-file.ts'
import { forkError } from './core.ts'
import type { Core, Emit } from './core.ts'
import { DurableWrites } from './durability.ts'
import { DurableBits } from './durable-bits.ts'
import type { Doubts } from './durable-bits.ts'
import { DURABLE_FILE, FORK_FILE } from './files.ts'
import type { FileSource, LogFiles } from './files.ts'
import { readFork } from './fork-file.ts'
import {
  HEADER_BYTES,
  PAGE_BYTES,
  SIGNATURES_HEADER,
  TREE_HEADER,
  bitfieldHeader,
  readPageBytes,
} from './header.ts'
import { identify, writeIdentity } from './identity.ts'
import type { GivenKeys, Identity } from './identity.ts'
import { LogError } from './errors.ts'
import { dropLost, isTailSound } from './lost-writes.ts'
import { Mutex } from './mutex.ts'
import { DEFAULT_MAX_LENGTH } from './options.ts'
import type { LogOptions } from './options.ts'
import { isSource } from './part.ts'
import { recover } from './recover.ts'
import { reclaimTail } from './rebuild.ts'
import { SignatureFile } from './signature-file.ts'
import { StoredContent } from './stored-content.ts'
import { TreeFile } from './tree-file.ts'
import { forgetCut, resumeCut } from './truncate.ts'
import { isHead, storedRoots } from './trust.ts'

const DEFAULT_CACHE_BYTES = 2 ** 21
const DEFAULT_WINDOW_MS = 1000
/** Blocks looked at for one that has bytes: what is missed here is noticed when it is read. */
const MOST_EMPTY = 1024

/** Bytes in the files of a log. */
export interface FileSizes {
  readonly tree: number
  readonly data: number
  readonly bitfield: number
  readonly signatures: number
}

/** What the bits, roots and signature say together. */
export interface Head {
  readonly length: number
  readonly live: boolean
  readonly roots: readonly TreeNode[]
}

/**
 * Open the log in `source`.
 *
 * @throws {@link LogError} as {@link identify}; `LOG_NOT_WRITABLE`; `LOG_CORRUPT` when content is stored
 *   of which nothing can be proven
 */
export async function openCore(
  source: FileSource,
  given: GivenKeys,
  options: LogOptions,
  emit: Emit,
): Promise<Core> {
  const { identity, files } = await identify(source, given, {
    createIfMissing: options.createIfMissing ?? true,
    overwrite: options.overwrite ?? false,
    force: options.force ?? false,
    live: options.live ?? true,
  })
  const writable = identity.secretKey !== null || identity.key === null
  if (options.writable && !writable) {
    throw new LogError('LOG_NOT_WRITABLE', 'the log has no secret key here')
  }
  if (identity.discard) await discardContent(files)
  let sizes = await sizesOf(files)
  if (identity.isNew && !isBare(sizes)) {
    throw new LogError('LOG_CORRUPT', 'content is stored here, and the key to it is not')
  }
  const header = sizes.bitfield >= HEADER_BYTES ? await files.bitfield.read(0, HEADER_BYTES) : EMPTY
  const pageBytes = readPageBytes(header)
  const own = {
    fork: source.file(FORK_FILE, identity),
    durable: source.file(DURABLE_FILE, identity),
  }
  if (identity.discard) await Promise.all([own.fork.truncate(0), own.durable.truncate(0)])
  const core = makeCore(files, own, sizes, identity, pageBytes ?? PAGE_BYTES, options, emit)
  if (pageBytes !== null) await core.bitfieldFile.load(sizes.bitfield)
  const cut = await core.durableBits.cut()
  const isCut =
    cut && pageBytes !== null && (await resumeCut(core, sizes, cut, recordedLength(core)))
  if (isCut) sizes = await sizesOf(files)
  const doubts = pageBytes === null ? null : await core.durableBits.doubts()

  const length = recordedLength(core)
  const isNew = sizes.bitfield === 0 && isBare(sizes)
  const head = isNew
    ? { length: 0, live: true, roots: [] }
    : pageBytes === null
      ? null
      : await soundHead(core, sizes, length, doubts)
  const { live, roots, ...found } =
    head ?? (await recover(core, sizes, length, pageBytes !== null, doubts))
  core.live = found.length > 0 ? live : (options.live ?? true)
  core.length = found.length
  core.roots = roots
  core.byteLength = roots.reduce((sum, root) => sum + root.size, 0)
  if (doubts) await dropLost(core, new StoredContent(core, sizes), doubts)

  await Promise.all([
    writeIdentity(files, identity, given.storeSecretKey, core.durable.mode),
    sizes.signatures < HEADER_BYTES ? files.signatures.write(0, SIGNATURES_HEADER) : null,
    sizes.tree < HEADER_BYTES ? files.tree.write(0, TREE_HEADER) : null,
  ])
  if (pageBytes === null && head) {
    await files.bitfield.write(0, bitfieldHeader(PAGE_BYTES))
    core.durable.created()
  }
  if (cut && !isCut) await forgetCut(core)
  if (core.length === 0) core.durable.empty()
  if (doubts) await core.durable.compared()
  core.fork = core.key && (await readFork(own.fork, core.key))
  if (core.fork) core.refusesAppend = forkError(core.fork)
  return core
}

/** Length that the bits tell. */
function recordedLength({ bitfield }: Core): number {
  return blocksOf(bitfield.nodes)
}

function makeCore(
  files: LogFiles,
  own: { readonly fork: RandomAccess; readonly durable: RandomAccess },
  sizes: FileSizes,
  identity: Identity,
  pageBytes: number,
  options: LogOptions,
  emit: Emit,
): Core {
  const bitfield = new Bitfield(pageBytes)
  const bitfieldFile = new BitfieldFile(files.bitfield, bitfield)
  const bits = new DurableBits(own.durable, bitfield, identity.key)
  const { timers = systemTimers, durability = 'batch', syncWindow = DEFAULT_WINDOW_MS } = options
  const parts = { files, bitfield, bitfieldFile, bits, notes: !options.exact }
  return {
    files,
    tree: new TreeFile(files.tree, sizes.tree, options.nodeCacheBytes ?? DEFAULT_CACHE_BYTES),
    signatures: new SignatureFile(files.signatures, sizes.signatures),
    bitfield,
    bitfieldFile,
    durable: new DurableWrites(durability, parts, syncWindow, timers),
    durableBits: bits,
    content: new Mutex(),
    timers,
    codec: blockCodec(options.valueEncoding),
    indexing: options.indexing ?? false,
    maxLength: options.maxLength ?? DEFAULT_MAX_LENGTH,
    onwrite: options.onwrite ?? null,
    emit,
    key: identity.key,
    secretKey: identity.secretKey,
    live: true,
    length: 0,
    byteLength: 0,
    roots: [],
    replicator: null,
    refusesAppend: null,
    leftovers: null,
    ownGrowth: false,
    fork: null,
    forkFile: own.fork,
    closed: false,
  }
}

/** The head of `length` blocks, if what is stored is whole and says nothing else. */
async function soundHead(
  core: Core,
  sizes: FileSizes,
  length: number,
  doubts: Doubts | null,
): Promise<Head | null> {
  const { bitfield, signatures } = core
  if (bitfield.lastNode() >= 2 * length || bitfield.lastHeld() >= length) return null
  if (bitfield.firstHeldWithoutLeaf() >= 0) return null
  const roots = await storedRoots(core, length)
  if (!roots) return null
  const signature = await signatures.read(length)
  if (length > 0 && core.key && !isHead(roots, length, signature, core.key)) return null
  const beyond = await signatures.scan(length + 1).next()
  if (!beyond.done) return null
  const isWriter = isSource(core)
  if (isWriter && bitfield.firstUnknownLeaf(length) >= 0) return null
  if (!(await dataReaches(core, sizes.data))) return null
  const content = new StoredContent(core, sizes)
  const since = doubts && isWriter ? doubts.length : Infinity
  if (since < length && !(await isTailSound(core, content, since, length, roots))) return null
  for (const root of roots) core.tree.trust(root.index)
  if (isWriter) await reclaimTail(core, content, length)
  return { length, live: signature !== null, roots }
}

/** Whether `data` is long enough for the highest held block that has bytes. */
async function dataReaches(core: Core, byteLength: number): Promise<boolean> {
  if (core.indexing) return true
  let last = core.bitfield.lastHeld()
  // Behind it there may be empty blocks, whose place may have been cut off.
  const stop = Math.max(0, last - MOST_EMPTY)
  while (last >= stop && (await isEmpty(core, last))) last--
  if (last < stop || !core.bitfield.has(last)) return true
  return (await blockEnd(core, last)) <= byteLength
}

/** Whether a block has no bytes here. */
async function isEmpty(core: Core, index: number): Promise<boolean> {
  if (!core.bitfield.has(index)) return true
  return (await core.tree.read([2 * index])).get(2 * index)?.size === 0
}

async function blockEnd(core: Core, index: number): Promise<number> {
  const roots = await storedRoots(core, index)
  const leaf = (await core.tree.read([2 * index])).get(2 * index)
  if (!roots || !leaf) return Infinity
  return roots.reduce((sum, root) => sum + root.size, leaf.size)
}

/** Only headers, if that: no content in any file. */
function isBare(sizes: FileSizes): boolean {
  return sizes.tree <= HEADER_BYTES && sizes.signatures <= HEADER_BYTES && sizes.data === 0
}

async function sizesOf(files: LogFiles): Promise<FileSizes> {
  const [tree, data, bitfield, signatures] = await Promise.all([
    files.tree.size(),
    files.data.size(),
    files.bitfield.size(),
    files.signatures.size(),
  ])
  return { tree, data, bitfield, signatures }
}

/**
 * Cut everything but headers. The bitfield last: if this is interrupted, either all of the old log is
 * still found, or what is left cannot be taken for one.
 */
async function discardContent(files: LogFiles): Promise<void> {
  const sizes = await sizesOf(files)
  if (sizes.signatures > HEADER_BYTES) await files.signatures.truncate(HEADER_BYTES)
  if (sizes.tree > HEADER_BYTES) await files.tree.truncate(HEADER_BYTES)
  if (sizes.data > 0) await files.data.truncate(0)
  if (sizes.bitfield > HEADER_BYTES) await files.bitfield.truncate(HEADER_BYTES)
}
