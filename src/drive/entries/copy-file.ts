/**
 * Copying one file as `fs.copyFile` does: links are followed on both ends, and a file that is there is replaced.
 *
 * @module
 */
import { constants } from '../open/constants.ts'
import type { DriveContext } from '../context.ts'
import { cp } from './cp.ts'
import { DriveError } from '../errors.ts'
import { placeOf, stat } from './lookup.ts'
import { absolute } from '../paths.ts'

const { COPYFILE_EXCL, COPYFILE_FICLONE, COPYFILE_FICLONE_FORCE } = constants
const syscall = 'copyfile'

/**
 * Make the file at `to` hold what the one at `from` holds.
 *
 * @param mode - `COPYFILE_EXCL`: nothing may be at `to`. To share blocks (`COPYFILE_FICLONE`) is what it does anyway
 * @throws {@link DriveError} `ENOENT`; `EISDIR` for a directory at either end; `EEXIST` with `COPYFILE_EXCL`; `EROFS`,
 *   `EPERM`; `EINVAL` for another mode
 */
export async function copyFile(
  context: DriveContext,
  from: string,
  to: string,
  mode: number = 0,
): Promise<void> {
  const given = [absolute(from, context.exact), absolute(to, context.exact)] as const
  const known = COPYFILE_EXCL | COPYFILE_FICLONE | COPYFILE_FICLONE_FORCE
  if (!Number.isInteger(mode) || (mode & ~known) !== 0) {
    throw new DriveError('EINVAL', { syscall, path: given[0], reason: `mode ${mode}` })
  }
  await context.ready()
  const source = await placeOf(context, given[0], { syscall, follow: true })
  const found = source.entry?.stat ?? (await stat(context, source.path, { syscall }))
  if (found.isDirectory()) throw new DriveError('EISDIR', { syscall, path: source.path })
  context.assertWritable(syscall, given[1])
  const isExclusive = (mode & COPYFILE_EXCL) !== 0
  const target = await placeOf(context, given[1], { syscall, follow: !isExclusive })
  if (target.path === source.path && !isExclusive) return
  try {
    await cp(context, source.path, target.path, {
      force: !isExclusive,
      errorOnExist: isExclusive,
    })
  } catch (error) {
    if (!(error instanceof DriveError)) throw error
    // Of a file onto itself, which is there.
    const isSelf = error.code === 'EINVAL'
    throw new DriveError(isSelf ? 'EEXIST' : error.code, {
      syscall,
      path: target.path,
      cause: error,
    })
  }
}
