/**
 * Copying a file by its entry: the copy names the same content blocks, so no bytes move.
 *
 * Everything is copied: times, owners, metadata, place in the content log. That log belongs to one drive, so a copy
 * across a mount has to move the bytes; v10 does not, and makes files that cannot be read.
 *
 * @see spec/40-drive.md 3.4 and quirks Q5, Q18
 * @module
 */
import { changeEntry } from './change-entry.ts'
import { openContentWriter } from '../content/content.ts'
import type { DriveContext } from '../context.ts'
import { DriveError, inWords } from '../errors.ts'
import { type Entry, placeOf, resolveEntry, stat } from './lookup.ts'
import { absolute } from '../paths.ts'
import { readBlocks, runOf } from '../content/run.ts'
import type { Stat } from './stat.ts'

/**
 * Make `to` a copy of the file at `from`, whose links are followed. When something is at `to` already, nothing
 * happens and that is what is returned.
 *
 * @throws {@link DriveError} `ENOENT`; `EISDIR` for a directory
 */
export async function copy(context: DriveContext, from: string, to: string): Promise<Stat> {
  const source = absolute(from, context.exact)
  const target = absolute(to, context.exact)
  await context.ready()
  context.assertWritable('copy', target)
  const { path, entry } = await resolveEntry(context, source, { syscall: 'copy' })
  // A directory may have no entry; then its stat says whether it is one, or that nothing is there.
  const isDirectory = entry
    ? entry.stat.isDirectory()
    : (await stat(context, path, { syscall: 'copy' })).isDirectory()
  if (isDirectory) throw new DriveError('EISDIR', { syscall: 'copy', path })
  if (!entry) throw new DriveError('ENOENT', { syscall: 'copy', path })
  const place = await placeOf(context, target, { syscall: 'copy' })
  if (place.entry) return place.entry.stat
  if (place.trie.log !== entry.trie.log) return copyBytes(context, entry, place.path)
  if (!place.trie.log.writable) throw new DriveError('EROFS', { syscall: 'copy', path: place.path })
  let copied = entry.stat
  await changeEntry(context, place, 'copy', (existing) => {
    if (!existing) return copied
    copied = existing.stat
    return 'leave'
  })
  return copied
}

/** Write the content again in the log that `target` belongs to; everything else is kept. */
async function copyBytes(context: DriveContext, entry: Entry, target: string): Promise<Stat> {
  return inWords('copy', target, async () => {
    const run = await runOf(context, entry, context.reads())
    const writer = await openContentWriter(
      context,
      target,
      entry.stat.with({ mount: null }, context.now()),
    )
    try {
      if (run) {
        for await (const block of readBlocks(run, 0, Infinity, context.reads())) {
          await writer.write([block])
        }
      }
      return await writer.finish()
    } catch (error) {
      await writer.abort()
      throw error
    }
  })
}
