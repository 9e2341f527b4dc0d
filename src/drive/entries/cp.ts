/**
 * Copying files and whole directories. Inside one drive the copies name the same content blocks: one batch of the
 * trie, whatever their size. Into another drive the content is written again.
 *
 * @module
 */
import { openContentWriter } from '../content/content.ts'
import { mountSubtree, puts, type SubtreeChange } from '../../trie/index.ts'
import type { DriveContext } from '../context.ts'
import { DriveError, inWords } from '../errors.ts'
import { type Place, entryAt, firstBelow, placeOf, putStat } from './lookup.ts'
import { absolute, isBelow, pathOf } from '../paths.ts'
import { readBlocks, runOf } from '../content/run.ts'
import { Stat } from './stat.ts'

/** Options of `cp`, as in Node's `fs.cp`. */
export interface CpOptions {
  /** Directories too, with everything below them. Default false. */
  readonly recursive?: boolean | undefined
  /** Replace files that are there. Default true. */
  readonly force?: boolean | undefined
  /** Without `force`: fail with `EEXIST` instead of leaving what is there. Default false. */
  readonly errorOnExist?: boolean | undefined
}

/** What is copied, and where to. */
interface Job {
  readonly from: Place
  readonly to: Place
  readonly options: CpOptions
}

const syscall = 'cp'

/**
 * Copy what is at `source` to `target`; of a link, the link. A directory is merged into one that is there. Mounts below it
 * are mounted there too.
 *
 * @throws {@link DriveError} `ENOENT`; `EISDIR` for a directory unless `recursive`, and for a file onto a directory;
 *   `ENOTDIR` for a directory onto a file; `EEXIST` with `errorOnExist`; `EINVAL` into itself; `EROFS`, `EPERM`
 */
export async function cp(
  context: DriveContext,
  source: string,
  target: string,
  options: CpOptions = {},
): Promise<void> {
  const given = [absolute(source, context.exact), absolute(target, context.exact)] as const
  await context.ready()
  context.assertWritable(syscall, given[1])
  const from = await placeOf(context, given[0], { syscall })
  const to = await placeOf(context, given[1], { syscall })
  if (isBelow(to.path, from.path) || to.path === from.path) {
    throw new DriveError('EINVAL', { syscall, path: to.path, reason: 'into itself' })
  }
  const job = { from, to, options }
  await inWords(syscall, to.path, async () => {
    if (from.trie.log !== to.trie.log || !to.trie.log.writable) {
      const changes = await plan(context, job)
      for (const change of changes) {
        // One file after the other: they go to one content log.
        // oxlint-disable-next-line no-await-in-loop
        if (!change.hidden) await copyAcross(context, job, change)
      }
      return
    }
    // With nobody else writing: what is found is what is copied.
    await to.trie.trie.batch(() => plan(context, job))
  })
}

/** What is to be put, once it is known that it may be. */
async function plan(context: DriveContext, job: Job): Promise<SubtreeChange[]> {
  const { from, to, options } = job
  const [origin, place] = [await typeAt(context, from), await typeAt(context, to)]
  if (origin === null) throw new DriveError('ENOENT', { syscall, path: from.path })
  if (origin === 'directory') {
    if (!options.recursive) throw new DriveError('EISDIR', { syscall, path: from.path })
    if (place === 'file') throw new DriveError('ENOTDIR', { syscall, path: to.path })
  } else if (place === 'directory') {
    throw new DriveError('EISDIR', { syscall, path: to.path })
  }
  if (!to.trie.log.writable) throw new DriveError('EROFS', { syscall, path: to.path })
  const tree = await mountSubtree(from.trie.trie, from.innerPath, origin === 'directory')
  const kept: SubtreeChange[] = []
  for (const change of puts(tree, to.innerPath)) {
    // One after the other: the first that exists may end it.
    // oxlint-disable-next-line no-await-in-loop
    if (change.hidden || (await mayPut(context, job, change.key))) kept.push(change)
  }
  return kept
}

async function typeAt(context: DriveContext, place: Place): Promise<'file' | 'directory' | null> {
  if (place.path === '/') return 'directory'
  // Of a trie of others what was found stands; of one of ours, what is there now.
  const entry = place.trie.log.writable ? await entryAt(context, place) : place.entry
  if (entry) return entry.stat.isDirectory() ? 'directory' : 'file'
  return (await firstBelow(context, place.path, { syscall })) ? 'directory' : null
}

/** The absolute path of `key`, which is at or below `root`, that is at `target`. */
function rebase(key: string, root: string, target: string): string {
  const rest = key.slice(root.length)
  return target === '/' ? pathOf(rest.replace(/^\//u, '')) : target + rest
}

/** Whether what is at `key` of the target's trie may be replaced. */
async function mayPut(context: DriveContext, { to, options }: Job, key: string): Promise<boolean> {
  const { force = true, errorOnExist = false } = options
  const path = rebase(key, to.innerPath, to.path)
  const { trie } = await context.trie.owner(path)
  // Below a mount point nothing of this trie would be seen.
  if (trie.log !== to.trie.log) throw new DriveError('EXDEV', { syscall, path })
  const existing = await entryAt(context, { ...to, path, innerPath: key })
  if (existing?.stat.mount) throw new DriveError('EBUSY', { syscall, path })
  if (!existing || force) return true
  if (errorOnExist) throw new DriveError('EEXIST', { syscall, path })
  return false
}

/** Write one entry, and its content, in another drive. */
async function copyAcross(
  context: DriveContext,
  { from, to }: Job,
  { key, value }: SubtreeChange,
): Promise<void> {
  const path = rebase(key, to.innerPath, to.path)
  if (!(value instanceof Uint8Array)) return
  const stat = Stat.decode(value, context.now())
  if (stat.mount && !stat.mount.hypercore) {
    const { key: mounted, version } = stat.mount
    await context.trie.mount(path, mounted, { version, value })
    return
  }
  if (!stat.isFile() || stat.mount) {
    await putStat(context, path, stat, { syscall })
    return
  }
  const run = await runOf(context, { stat, trie: from.trie }, context.reads())
  const writer = await openContentWriter(context, path, stat, { syscall })
  try {
    if (run) {
      for await (const block of readBlocks(run, 0, Infinity, context.reads())) {
        await writer.write([block])
      }
    }
    await writer.finish()
  } catch (error) {
    await writer.abort()
    throw error
  }
}
