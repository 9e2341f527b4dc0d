/**
 * A snapshot of a drive, whole or of a path, as one stream of bytes that proves itself.
 *
 * First everything is looked up that a reader will look up: the walk over the path hears of each block of metadata
 * that it needs. Then the blocks go out in order, each with what its proof needs beyond those before:
 *
 *     header ‖ metadata blocks, ascending ‖ content blocks, ascending ‖ end
 *
 * The same snapshot gives the same bytes wherever the same signatures are: at the writer's always. Memory: 8 bytes a block of metadata, 16 a file.
 *
 * @see spec/60-bundle.md
 * @module
 */
import type { Readable } from 'node:stream'
import { asBuffer, concat } from '../../bytes.ts'
import { LogError, type Log } from '../../log/index.ts'
import { type MutableNodeSet, SparseNodeSet, addNode, flatTree } from '../../merkle/index.ts'
import { BlockRanges } from '../content/block-ranges.ts'
import {
  type BundledLog,
  Chain,
  MAGIC,
  encodeBlock,
  encodeEnd,
  encodeHeader,
  framed,
} from './bundle-format.ts'
import { DriveContext, type ReadOptions, type Reads } from '../context.ts'
import { DriveError, asDriveError } from '../errors.ts'
import { lookUp } from '../entries/lookup.ts'
import { absolute, keyOf } from '../paths.ts'
import { rowStream } from '../versions/row-stream.ts'
import { runIn } from '../content/run.ts'
import { entriesOf, select } from '../transfer/selection.ts'

/** Options of `bundle`. */
export interface BundleOptions extends ReadOptions {
  /** What to bundle; default all of the drive. */
  readonly path?: string | undefined
}

/** Bytes that go out together, about. */
const CHUNK_BYTES = 64 * 1024
/** Bytes of held blocks that are read at once. */
const READ_BYTES = 1024 * 1024
const READ_BLOCKS = 1024
/** Nodes that the receiver has, kept before those that no later block asks for are forgotten. */
const KNOWN_NODES = 256

/**
 * A snapshot as a stream of bytes. What is mounted stays out.
 *
 * @param version - default: the newest, or that of the checkout
 * @returns a stream that fails with {@link DriveError} `ENOENT` when nothing is at the path; `EXDEV` when that is in a
 *   mount; `EUNAVAILABLE` or `ETIMEDOUT` when not all of it can be had; RangeError for no version
 */
export function bundle(
  context: DriveContext,
  version?: number | null,
  options: BundleOptions = {},
): Readable {
  const path = absolute(options.path ?? '/', context.exact)
  const chunks = (given: ReadOptions): AsyncGenerator<Buffer, void, undefined> =>
    chunksOf(bundleOf(context, version ?? null, path, given))
  return rowStream(context, 'bundle', options, chunks, { highWaterMark: CHUNK_BYTES })
}

/** What goes into a bundle. */
interface Contents {
  readonly metadata: readonly number[]
  readonly content: Log | null
  readonly ranges: BlockRanges
}

async function* bundleOf(
  context: DriveContext,
  given: number | null,
  path: string,
  options: ReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    await context.ready()
    const version = given ?? (await versionOf(context, path, options))
    if (!Number.isSafeInteger(version) || version < 1) {
      throw new RangeError(`bundle: want a version from 1 to 2 ** 53 - 1, got ${version}`)
    }
    const { metadata } = context
    const reads = context.reads(options)
    const found = await contentsOf(context, version, path, options)
    const { content, ranges } = found
    const last = ranges.ranges.at(-1)?.[1] ?? 0
    // With its last block a clone has a signature that covers all others.
    if (content && last > 0 && !content.has(last - 1)) await content.get(last - 1, reads)
    const header = {
      key: metadata.key ?? new Uint8Array(32),
      version,
      metadataLength: await signedLength(metadata, version),
      contentLength: content && last > 0 ? await signedLength(content, last) : 0,
      metadataBlocks: found.metadata.length,
      contentBlocks: ranges.ranges.reduce((sum, [start, end]) => sum + end - start, 0),
      path,
    }
    const chain = new Chain()
    const taken = (body: Uint8Array): Uint8Array => {
      chain.take(body)
      return framed(body)
    }
    yield MAGIC
    yield taken(encodeHeader(header))
    const runs = new BlockRanges()
    for (const index of found.metadata) runs.add(index, index + 1)
    for await (const body of proven('metadata', metadata, runs, header.metadataLength, reads)) {
      yield taken(body)
    }
    if (content) {
      for await (const body of proven('content', content, ranges, header.contentLength, reads)) {
        yield taken(body)
      }
    }
    yield framed(encodeEnd(chain.digest))
  } catch (error) {
    if (error instanceof LogError && error.code === 'LOG_NOT_PROVABLE') {
      const reason = 'a signature or a node of the proof is not here'
      throw new DriveError('EUNAVAILABLE', { syscall: 'bundle', path, reason, cause: error })
    }
    throw asDriveError(error, 'bundle', path)
  }
}

/** The version to show: of a clone the newest that can be heard of now. */
async function versionOf(
  context: DriveContext,
  path: string,
  options: ReadOptions,
): Promise<number> {
  // A lookup asks for news, as every read of a clone does.
  await lookUp(context, path, { ...options, syscall: 'bundle' })
  if (context.version > 0) return context.version
  throw new DriveError('EUNAVAILABLE', { syscall: 'bundle', path, reason: 'nothing is known yet' })
}

/** Everything that a reader of the path at the version needs. */
async function contentsOf(
  context: DriveContext,
  version: number,
  path: string,
  options: ReadOptions,
): Promise<Contents> {
  // The header, and the newest block: every lookup begins there.
  const metadata = new Set<number>([0, version - 1])
  const then = watchedAt(context, version, (seq) => {
    if (seq > 0) metadata.add(seq)
  })
  await then.ready()
  const walk = { ...options, recursive: true, noMounts: true, syscall: 'bundle' }
  await lookUp(then, path, walk)
  const { trie } = await then.trie.ownerBelow(keyOf(path), then.reads(options))
  if (trie.log !== context.metadata) {
    throw new DriveError('EXDEV', { syscall: 'bundle', path, reason: 'it is in what is mounted' })
  }
  const ranges = new BlockRanges()
  let content: Log | null = null
  for await (const { stat, trie: owner } of entriesOf(await select(then, path, walk, 'bundle'))) {
    if (stat.blocks === 0 || stat.mount || owner.log !== context.metadata) continue
    content ??= await context.contents.of(trie, context.reads(options))
    const { start, end } = runIn(content, stat)
    ranges.add(start, end)
  }
  // Tags and mounts of a whole drive.
  if (path === '/') await trie.trie.iterator('', { ...then.reads(options), hidden: true }).collect()
  const sorted = [...metadata].toSorted((a, b) => a - b)
  return { metadata: sorted, content, ranges }
}

/** The drive at a version, telling of each block of metadata that is looked at. */
function watchedAt(
  { settings, contents, openLog, trie, metadata, opened, emit }: DriveContext,
  version: number,
  onseq: (seq: number) => void,
): DriveContext {
  return new DriveContext({
    settings,
    checkout: version,
    contents,
    openLog,
    open: async () => {
      if (!opened) throw new DriveError('DRIVE_CLOSED')
      return { store: opened.store, metadata, trie: trie.checkout(version) }
    },
    onseq,
    emit,
  })
}

/** Blocks of the shortest signed log that has the first `length` blocks. */
async function signedLength(log: Log, length: number): Promise<number> {
  return (await log.signature(length - 1)).index + 1
}

/** @yields the bodies of blocks with their proofs, in order */
async function* proven(
  name: BundledLog,
  log: Log,
  { ranges }: BlockRanges,
  length: number,
  reads: Reads,
): AsyncGenerator<Uint8Array, void, undefined> {
  const known = new SparseNodeSet()
  for (const [start, end] of ranges) {
    for await (const [index, value] of blocksOf(log, start, end, reads)) {
      const { nodes, signature } = await log.proof(index, { remoteTree: known, length })
      learn(known, index, nodes)
      yield encodeBlock(name, { index, nodes, signature, value })
    }
  }
}

/** @yields blocks `[start, end)` with their indices, fetched ahead where they are not here */
async function* blocksOf(
  log: Log,
  start: number,
  end: number,
  { wait, timeout, signal }: Reads,
): AsyncGenerator<readonly [index: number, value: Uint8Array], void, undefined> {
  const ahead =
    log.has(start, end) || wait === false ? null : log.download({ start, end, linear: true })
  // Whoever reads is told by the read itself; this only runs ahead of it.
  ahead?.done.catch(() => undefined)
  try {
    for (let index = start; index < end;) {
      signal.throwIfAborted()
      const missing = log.nextMissing(index, Math.min(end, index + READ_BLOCKS))
      const held = missing < 0 ? Math.min(end, index + READ_BLOCKS) : missing
      // A group at a time, as the stream is read.
      const values =
        held > index
          ? // oxlint-disable-next-line no-await-in-loop
            await log.readBlocks(index, held, READ_BYTES)
          : // oxlint-disable-next-line no-await-in-loop
            [await log.get(index, { wait, timeout, signal, valueEncoding: 'binary' })]
      for (const value of values) yield [index++, value]
    }
  } finally {
    ahead?.destroy()
  }
}

/**
 * The receiver has a block and its proof. Whoever has a node has its parent; so of what lies before the block no later
 * one asks for anything but roots, and those are asked for first.
 */
function learn(
  known: SparseNodeSet,
  index: number,
  nodes: readonly { readonly index: number }[],
): void {
  const set: MutableNodeSet = known
  addNode(set, 2 * index)
  for (const node of nodes) addNode(set, node.index)
  if (known.size > KNOWN_NODES)
    known.forget((node) => flatTree.rightSpan(node) < 2 * index && known.has(flatTree.parent(node)))
}

/** @yields the same bytes in larger chunks */
async function* chunksOf(
  parts: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
  let held: Uint8Array[] = []
  let length = 0
  for await (const part of parts) {
    held.push(part)
    length += part.length
    if (length < CHUNK_BYTES) continue
    yield asBuffer(concat(held))
    held = []
    length = 0
  }
  if (length > 0) yield asBuffer(concat(held))
}
