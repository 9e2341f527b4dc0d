/**
 * Writing the content of a file: its bytes go to the end of the content log, then its entry names them.
 *
 * Every write replaces the whole entry; nothing of an older one is kept. A writer that is given up half-way leaves
 * its blocks behind, unnamed: the log only grows.
 *
 * @see spec/40-drive.md 3.3
 * @module
 */
import type { Log } from '../../log/index.ts'
import type { Trie } from '../../trie/index.ts'
import { ContentIndex, type Place, contentKey, hashesOf } from './content-index.ts'
import { MAX_BLOCK_BYTES } from '../open/constants.ts'
import { ContentLock, LockTable } from './content-lock.ts'
import type { DriveContext, DriveTrie } from '../context.ts'
import { DriveError, asDriveError, inWords } from '../errors.ts'
import { placeOf } from '../entries/lookup.ts'
import type { Run } from './run.ts'
import { StagedLog } from '../batch/staged-log.ts'
import { Stat, type StatInput } from '../entries/stat.ts'

/** Where the content of a path is written. */
export interface ContentPlace {
  /** The trie that holds the path, inside whatever mounts. */
  readonly trie: DriveTrie
  /** The path in that trie. */
  readonly innerPath: string
  readonly content: Log
}

/** How a writer is opened. */
export interface WriterOptions {
  /** Operation that errors name. */
  readonly syscall?: string
  /** `false`: fail instead of waiting for another writer. */
  readonly wait?: boolean | undefined
  /** Leaves the wait for the lock. */
  readonly signal?: AbortSignal | undefined
  /** Where to go on from, asked once nobody else writes: so two who append to one file are both heard. */
  readonly begin?: (() => Promise<Beginning>) | undefined
}

/** A file that is written on. */
export interface Beginning {
  /** Fields of its entry. */
  readonly stat: StatInput
  /** The content it has, which stays its first; null for none. */
  readonly before: Run | null
}

/** A file that is being written; holds the content log's lock until `finish` or `abort`. */
export interface ContentWriter {
  /** Its first block, and the content log's bytes before it. */
  readonly offset: number
  readonly byteOffset: number
  /**
   * Content that has to be written again before anything else, since a file is one run of blocks. Null when there is
   * none, and when its blocks are the last of the log (not under `exact`): then the new ones follow them.
   */
  readonly before: Run | null
  /** Append each chunk as a block of its own, cut at 524288 bytes; one append for all. */
  write(chunks: readonly Uint8Array[]): Promise<void>
  /** Store the entry and let go. */
  finish(): Promise<Stat>
  /** Let go without an entry. Idempotent, also after `finish`. */
  abort(): Promise<void>
}

/** A whole file that waits to be written together with others. */
interface FileJob {
  readonly byteLength: number
  readonly context: DriveContext
  readonly path: string
  readonly place: ContentPlace
  readonly blocks: readonly Uint8Array[]
  /** Where files share content: hashes of the blocks, and what knows where such blocks lie. */
  readonly hashes: readonly Uint8Array[] | null
  readonly index: ContentIndex | null
  readonly options: StatInput
  resolve(): void
  reject(error: unknown): void
}

/** A job whose entry is known. */
interface ReadyJob {
  readonly job: FileJob
  readonly value: Uint8Array
  readonly place: Place
  /** What is appended: nothing of a file whose content is there. */
  readonly blocks: readonly Uint8Array[]
}

const locks = new LockTable<FileJob>()

/** Content that a batch holds in memory, before it goes to the log ahead of the batch. */
export const STAGED_BYTES: number = 4 * 1024 * 1024

/**
 * Where a write to `path` goes: links are followed, but under `exact` none.
 *
 * @throws {@link DriveError} `EISDIR` for the root, a mount point and (unless `exact`) a directory's entry; `EROFS`
 *   where the drive that holds the path is not ours; `EPERM` on a checkout
 */
export async function writablePlace(
  context: DriveContext,
  path: string,
  syscall: string,
): Promise<ContentPlace> {
  context.assertWritable(syscall, path)
  const place = path === '/' ? null : await placeOf(context, path, { syscall, follow: true })
  if (!place || place.path === '/') throw new DriveError('EISDIR', { syscall, path })
  const { trie, innerPath, entry } = place
  if (!trie.log.writable) throw new DriveError('EROFS', { syscall, path })
  const isDirectory = entry?.stat.isDirectory() === true
  if (entry?.stat.mount || (isDirectory && !context.exact)) {
    throw new DriveError('EISDIR', { syscall, path })
  }
  const content = await context.contents.of(trie, context.reads())
  if (!content.writable) throw new DriveError('EROFS', { syscall, path })
  return { trie, innerPath, content }
}

/** Begin to write the file at `path`; its entry will have `stat`'s fields, save those that say where its bytes are. */
export async function openContentWriter(
  context: DriveContext,
  path: string,
  stat: StatInput,
  { syscall = 'write', wait = true, signal, begin }: WriterOptions = {},
): Promise<ContentWriter> {
  const place = await inWords(syscall, path, () => writablePlace(context, path, syscall))
  const lock = lockOf(place.content)
  if (!wait && lock.taken) throw new DriveError('DRIVE_LOCKED', { syscall, path })
  const release = await lock.acquire()
  try {
    signal?.throwIfAborted()
    const beginning = begin ? await inWords(syscall, path, begin) : { stat, before: null }
    return writerAt(context, path, place, beginning, { syscall, release })
  } catch (error) {
    release()
    throw error
  }
}

function writerAt(
  context: DriveContext,
  path: string,
  place: ContentPlace,
  { stat, before }: Beginning,
  { syscall, release }: { readonly syscall: string; readonly release: () => void },
): ContentWriter {
  const { content } = place
  const tail = before && !context.exact && endsLog(before, content) ? before : null
  const offset = tail ? tail.start : content.length
  const byteOffset = tail ? tail.byteOffset : content.byteLength
  context.emit('appending', path, stat)
  const append = async (chunks: readonly Uint8Array[]): Promise<void> => {
    await content.append(chunks.flatMap(cut))
  }
  const store = async (): Promise<Stat> => {
    const entry = Stat.file(
      {
        ...stat,
        offset,
        byteOffset,
        size: content.byteLength - byteOffset,
        blocks: content.length - offset,
      },
      context.now(),
    )
    if (content instanceof StagedLog) await bound(content)
    if (entry.size > 0) await ContentIndex.at(content)?.addRun(entry)
    await put(place, entry.encode())
    context.emit('append', path, stat)
    return entry
  }
  return {
    offset,
    byteOffset,
    before: tail ? null : before,
    write: (chunks) => inWords(syscall, path, () => append(chunks)),
    finish: () => inWords(syscall, path, store).finally(release),
    abort: () => Promise.resolve(release()),
  }
}

/** Whether the blocks of a file are the last of the log, so that others can follow them. */
export function endsLog({ log, start, end, byteOffset, size }: Run, content: Log): boolean {
  if (log !== content || end !== content.length) return false
  if (byteOffset + size !== content.byteLength) return false
  return !(content instanceof StagedLog) || content.staysTogether(start)
}

/**
 * Write a whole file. Files that wait for the same content log are appended together.
 *
 * @param bytes - the content; null for a file without any block
 */
export async function writeContent(
  context: DriveContext,
  path: string,
  bytes: Uint8Array | null,
  options: StatInput,
): Promise<void> {
  const syscall = 'open'
  const place = await inWords(syscall, path, () => writablePlace(context, path, syscall))
  const blocks = bytes ? cut(bytes) : []
  const index = await ContentIndex.of(context, place.trie, place.content)
  const hashes = index && hashesOf(blocks)
  try {
    await new Promise<void>((resolve, reject) => {
      const byteLength = bytes?.length ?? 0
      lockOf(place.content).submit({
        byteLength,
        context,
        path,
        place,
        blocks,
        hashes,
        index,
        options,
        resolve,
        reject,
      })
    })
  } catch (error) {
    throw asDriveError(error, 'write', path)
  }
}

/** A chunk as blocks: itself, even when empty, or pieces of 524288 bytes and the rest. */
export function cut(chunk: Uint8Array): Uint8Array[] {
  if (chunk.length <= MAX_BLOCK_BYTES) return [chunk]
  const blocks: Uint8Array[] = []
  for (let at = 0; at < chunk.length; at += MAX_BLOCK_BYTES) {
    blocks.push(chunk.subarray(at, at + MAX_BLOCK_BYTES))
  }
  return blocks
}

/** The turn to append to a content log; whoever has it calls the result when done. */
export function contentTurn(content: Log): Promise<() => void> {
  return lockOf(content).acquire()
}

function lockOf(content: Log): ContentLock<FileJob> {
  return locks.of(content, () => new ContentLock((jobs) => writeJobs(content, jobs)))
}

/**
 * Append blocks while nobody else does.
 *
 * @returns where they lie
 */
export async function appendAlone(
  content: Log,
  blocks: readonly Uint8Array[],
): Promise<{ readonly offset: number; readonly byteOffset: number }> {
  const release = await lockOf(content).acquire()
  try {
    const { byteLength: byteOffset } = content
    return { offset: await content.append(blocks), byteOffset }
  } finally {
    release()
  }
}

/** Append what a batch holds to the log itself. Nothing refers to it until the batch is flushed. */
export async function commitContent(staged: StagedLog): Promise<void> {
  const release = await lockOf(staged.base).acquire()
  try {
    await staged.commit()
  } finally {
    release()
  }
}

/** Keep what a batch holds in memory within its bound. */
export async function bound(staged: StagedLog): Promise<void> {
  if (staged.waitingBytes >= STAGED_BYTES) await commitContent(staged)
}

/** Append the blocks of all jobs at once, then store their entries in order. Settles each job; never rejects. */
async function writeJobs(content: Log, jobs: readonly FileJob[]): Promise<void> {
  let { length: offset, byteLength: byteOffset } = content
  const ready: ReadyJob[] = []
  /** Where content of these jobs goes, by its hashes. */
  const coming = new Map<string, Place>()
  for (const job of jobs) {
    const { byteLength: size, options, context, path, hashes } = job
    // oxlint-disable-next-line no-await-in-loop -- from memory, and only where files share content
    const shared = hashes ? await sharedPlace(job, hashes, coming) : null
    const place = shared ?? { offset, byteOffset }
    try {
      // What cannot be stored is found before its bytes are.
      const stat = { ...options, ...place, size, blocks: job.blocks.length }
      const value = Stat.file(stat, context.now()).encode()
      ready.push({ job, value, place, blocks: shared ? [] : job.blocks })
    } catch (error) {
      job.reject(error)
      continue
    }
    if (!shared) {
      offset += job.blocks.length
      byteOffset += size
      if (hashes) coming.set(contentKey(hashes), place)
    }
    context.emit('appending', path, options)
  }
  try {
    const blocks = ready.flatMap((each) => each.blocks)
    if (blocks.length > 0) await content.append(blocks)
    if (content instanceof StagedLog) await bound(content)
  } catch (error) {
    for (const { job } of ready) job.reject(error)
    return
  }
  for (const { job, place, blocks } of ready) {
    const [first] = job.hashes ?? []
    if (first && blocks.length > 0) ContentIndex.at(content)?.add(first, place)
  }
  const groups = new Map<Trie, ReadyJob[]>()
  for (const each of ready) {
    const { trie } = each.job.place.trie
    const group = groups.get(trie) ?? []
    group.push(each)
    groups.set(trie, group)
  }
  for (const [trie, group] of groups) {
    // One append and one signature a trie.
    // oxlint-disable-next-line no-await-in-loop
    await putAll(trie, group)
  }
}

/** Where the content of a job lies already, or will when the jobs before it are done. Never rejects. */
async function sharedPlace(
  { index }: FileJob,
  hashes: readonly Uint8Array[],
  coming: ReadonlyMap<string, Place>,
): Promise<Place | null> {
  const place = coming.get(contentKey(hashes))
  if (place) return place
  // What fails here is told by the append.
  return index ? index.find(hashes).catch(() => null) : null
}

/** Store the entries of files of one trie in order, and settle their jobs. */
async function putAll(trie: Trie, group: readonly ReadyJob[]): Promise<void> {
  try {
    await trie.batch(group.map(({ job, value }) => ({ key: job.place.innerPath, value })))
  } catch (error) {
    for (const { job } of group) job.reject(error)
    return
  }
  for (const { job } of group) {
    job.context.emit('append', job.path, job.options)
    job.resolve()
  }
}

function put({ trie, innerPath }: ContentPlace, value: Uint8Array): Promise<unknown> {
  return trie.trie.put(innerPath, value)
}
