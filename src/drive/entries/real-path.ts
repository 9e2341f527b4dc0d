/**
 * The name of a file or directory without links, and whether it may be used.
 *
 * @module
 */
import { constants } from '../open/constants.ts'
import type { DriveContext } from '../context.ts'
import { DriveError } from '../errors.ts'
import { type LookupOptions, type Place, firstBelow, placeOf, stat } from './lookup.ts'
import { absolute } from '../paths.ts'

const { F_OK, R_OK, W_OK, X_OK } = constants

/** The absolute path that `name` leads to. @throws {@link DriveError} `ENOENT`, `ELOOP` */
export async function realpath(
  context: DriveContext,
  name: string,
  options: LookupOptions = {},
): Promise<string> {
  return (await existing(context, name, { ...options, syscall: 'realpath' })).path
}

/**
 * Fail when what `name` leads to cannot be used so: as `fs` has it, `F_OK` (0) is there, `R_OK` can be read, which holds
 * of all that is there, `W_OK` can be written, `X_OK` has a bit that says so, or is a directory.
 *
 * @throws {@link DriveError} `ENOENT`, `ELOOP`; `EROFS` or `EPERM` where a write would; `EACCES` without such a bit;
 *   `EINVAL` for another mode
 */
export async function access(
  context: DriveContext,
  name: string,
  mode: number = F_OK,
  options: LookupOptions = {},
): Promise<void> {
  const syscall = 'access'
  const given = absolute(name, context.exact)
  if (!Number.isInteger(mode) || (mode & ~(R_OK | W_OK | X_OK)) !== 0) {
    throw new DriveError('EINVAL', { syscall, path: given, reason: `mode ${mode}` })
  }
  const found = await stat(context, name, { ...options, syscall })
  if (mode & X_OK && !found.isDirectory() && (found.mode & 0o111) === 0) {
    throw new DriveError('EACCES', { syscall, path: given })
  }
  if (!(mode & W_OK)) return
  context.assertWritable(syscall, given)
  const { path, trie } = await existing(context, name, { ...options, syscall })
  if (!trie.log.writable || trie.isCheckout) throw new DriveError('EROFS', { syscall, path })
}

async function existing(
  context: DriveContext,
  name: string,
  options: LookupOptions & { readonly syscall: string },
): Promise<Place> {
  await context.ready()
  const given = absolute(name, context.exact)
  const place = await placeOf(context, given, { ...options, follow: true })
  const { path, entry } = place
  if (entry || path === '/' || (await firstBelow(context, path, options))) return place
  throw new DriveError('ENOENT', { syscall: options.syscall, path })
}
