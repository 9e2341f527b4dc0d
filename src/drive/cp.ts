/**
 * Copying files and whole directories. Inside one drive the copies name the same content blocks: one batch of the
 * trie, whatever their size. Into another drive the content is written again.
 *
 * @module
 */
import { openContentWriter } from './content.ts'
import type { DriveContext } from './context.ts'
import { DriveError, inWords } from './errors.ts'
import { type Owner, findEntry, firstBelow, lookUp, putStat } from './lookup.ts'
import { absolute, isBelow, keyOf, pathOf } from './paths.ts'
import { readBlocks, runOf } from './run.ts'
import { Stat } from './stat.ts'
import { type Change, puts, treeAt } from './tree.ts'

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
  readonly source: string
  readonly target: string
  readonly from: Owner
  readonly to: Owner
  readonly options: CpOptions
}

/**
 * Copy what is at `from` to `to`; of a link, the link. A directory is merged into one that is there. Mounts below it
 * are mounted there too.
 *
 * @throws {@link DriveError} `ENOENT`; `EISDIR` for a directory unless `recursive`, and for a file onto a directory;
 *   `ENOTDIR` for a directory onto a file; `EEXIST` with `errorOnExist`; `EINVAL` into itself; `EROFS`, `EPERM`
 */
export async function cp(
  context: DriveContext,
  from: string,
  to: string,
  options: CpOptions = {},
): Promise<void> {
  const [source, target] = [absolute(from, context.exact), absolute(to, context.exact)]
  const syscall = 'cp'
  await context.ready()
  context.assertWritable(syscall, target)
  if (isBelow(target, source) || source === target) {
    throw new DriveError('EINVAL', { syscall, path: target, reason: 'into itself' })
  }
  const origin = await typeAt(context, source)
  if (origin.type === null) throw new DriveError('ENOENT', { syscall, path: source })
  const place = await typeAt(context, target)
  if (origin.type === 'directory') {
    if (!options.recursive) throw new DriveError('EISDIR', { syscall, path: source })
    if (place.type === 'file') throw new DriveError('ENOTDIR', { syscall, path: target })
  } else if (place.type === 'directory') {
    throw new DriveError('EISDIR', { syscall, path: target })
  }
  if (!place.owner.trie.log.writable) throw new DriveError('EROFS', { syscall, path: target })
  const job = { source, target, from: origin.owner, to: place.owner, options }
  await inWords(syscall, target, () => copyTree(context, job, origin.type === 'directory'))
}

async function typeAt(
  context: DriveContext,
  path: string,
): Promise<{ readonly owner: Owner; readonly type: 'file' | 'directory' | null }> {
  if (path === '/') {
    const { trie } = context
    return { owner: { trie, info: trie.info, innerPath: '' }, type: 'directory' }
  }
  const { entry, ...owner } = await lookUp(context, path, { syscall: 'cp' })
  if (entry) return { owner, type: entry.stat.isDirectory() ? 'directory' : 'file' }
  const below = await firstBelow(context, path, { syscall: 'cp' })
  return { owner, type: below ? 'directory' : null }
}

async function copyTree(context: DriveContext, job: Job, below: boolean): Promise<void> {
  const { from, to, target } = job
  const tree = await treeAt(from.trie, from.innerPath, below)
  const kept: Change[] = []
  for (const change of puts(tree, to.innerPath)) {
    const path = rebase(change.key, to.innerPath, target)
    // One after the other: the first that exists may end it.
    // oxlint-disable-next-line no-await-in-loop
    if (change.hidden || (await mayPut(context, path, job.options))) kept.push(change)
  }
  if (from.trie.log === to.trie.log) {
    await to.trie.trie.batch(kept)
    return
  }
  for (const change of kept) {
    const path = rebase(change.key, to.innerPath, target)
    // One file after the other: they go to one content log.
    // oxlint-disable-next-line no-await-in-loop
    if (!change.hidden) await copyAcross(context, job, change, path)
  }
}

/** The absolute path of `key`, which is at or below `root`, that is at `target`. */
function rebase(key: string, root: string, target: string): string {
  const rest = key.slice(root.length)
  return target === '/' ? pathOf(rest.replace(/^\//u, '')) : target + rest
}

/** Whether what is at `path` may be replaced. */
async function mayPut(
  context: DriveContext,
  path: string,
  { force = true, errorOnExist = false }: CpOptions,
): Promise<boolean> {
  const existing = await findEntry(context, path, { syscall: 'cp' })
  if (existing?.stat.mount) throw new DriveError('EBUSY', { syscall: 'cp', path })
  if (!existing || force) return true
  if (errorOnExist) throw new DriveError('EEXIST', { syscall: 'cp', path })
  return false
}

/** Write one entry, and its content, in another drive. */
async function copyAcross(
  context: DriveContext,
  { from }: Job,
  { value }: Change,
  path: string,
): Promise<void> {
  if (!(value instanceof Uint8Array)) return
  const stat = Stat.decode(value, context.now())
  if (stat.mount && !stat.mount.hypercore) {
    const { key, version } = stat.mount
    await context.trie.mount(keyOf(path), key, { version, value })
    return
  }
  if (!stat.isFile() || stat.mount) {
    await putStat(context, path, stat, { syscall: 'cp' })
    return
  }
  const run = await runOf(context, { stat, trie: from.trie }, context.reads())
  const writer = await openContentWriter(context, path, stat, { syscall: 'cp' })
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
