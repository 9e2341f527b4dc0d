/**
 * Changing the length of a file by its path.
 *
 *     missing            a file of `size` zero bytes
 *     size is the same   nothing
 *     shorter            fewer of its blocks, where one ends at `size`; else that much of it is written anew
 *     longer             zero bytes are appended
 *
 * v10 makes missing files empty whatever the size, and leaves existing ones when the size is 0; these two are put
 * right. As in v10, a file cut shorter gets default mode, owners and metadata under `exact`.
 *
 * @see spec/40-drive.md 3.9 and quirks Q12, Q13, Q16
 * @module
 */
import { constants } from '../open/constants.ts'
import { openContentWriter } from './content.ts'
import type { DriveContext } from '../context.ts'
import type { DescriptorTable } from '../open/descriptor-table.ts'
import { DriveError, inWords } from '../errors.ts'
import { type Entry, resolveEntry } from '../entries/lookup.ts'
import { update, upsert } from '../entries/metadata.ts'
import { openDescriptor } from '../open/opening-files.ts'
import { absolute } from '../paths.ts'
import { readBlocks, runOf } from './run.ts'

/** Zero bytes are written in pieces of this size. */
const ZEROS = new Uint8Array(65536)

const { O_CREAT, O_RDWR } = constants

/**
 * Make the file at `name` exactly `size` bytes long. Links are followed.
 *
 * @throws {@link DriveError} `EINVAL` for a size that is no integer from 0 on; `EISDIR` for a directory
 */
export async function truncate(
  context: DriveContext,
  descriptors: DescriptorTable,
  name: string,
  size = 0,
): Promise<void> {
  const given = absolute(name, context.exact)
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new DriveError('EINVAL', { syscall: 'truncate', path: given, reason: `size ${size}` })
  }
  await context.ready()
  if (!context.exact) {
    await resize(context, given, size)
    return
  }
  const { path, entry } = await resolveEntry(context, given, { syscall: 'truncate' })
  context.assertWritable('truncate', path)
  if (path === '/' || entry?.stat.isDirectory()) {
    throw new DriveError('EISDIR', { syscall: 'truncate', path })
  }
  const old = entry?.stat.size ?? 0
  if (!entry && size === 0) await upsert(context, path, {}, 'truncate')
  else if (size > old) await extend(descriptors, path, old, size)
  else if (entry && size < old) await shorten(context, entry, size)
}

/** Through a descriptor of its own, so that others who have the file open see it too. */
async function resize(context: DriveContext, path: string, size: number): Promise<void> {
  const syscall = 'truncate'
  const descriptor = await openDescriptor(context, path, O_RDWR | O_CREAT, { syscall })
  try {
    await descriptor.truncate(size)
  } finally {
    await descriptor.close()
  }
}

/** Append zero bytes; a missing file begins empty. */
async function extend(
  descriptors: DescriptorTable,
  path: string,
  old: number,
  size: number,
): Promise<void> {
  const fd = await descriptors.open(path, 'a')
  try {
    for (let at = old; at < size; at += ZEROS.length) {
      // In order, and never more than one piece in memory.
      // oxlint-disable-next-line no-await-in-loop
      await descriptors.write(fd, ZEROS, 0, Math.min(ZEROS.length, size - at))
    }
  } finally {
    await descriptors.close(fd)
  }
}

/** Write the first `size` bytes anew, in the blocks they are in. To nothing: only the entry changes. */
async function shorten(context: DriveContext, entry: Entry, size: number): Promise<void> {
  const { path } = entry
  if (size === 0) {
    await update(context, path, { size: 0, blocks: 0 }, 'truncate')
    return
  }
  await inWords('truncate', path, async () => {
    const run = await runOf(context, entry, context.reads())
    // As in v10: default mode, owners and metadata.
    const writer = await openContentWriter(context, path, {})
    try {
      if (run) {
        for await (const block of readBlocks(run, 0, size, context.reads()))
          await writer.write([block])
      }
      await writer.finish()
    } catch (error) {
      await writer.abort()
      throw error
    }
  })
}
