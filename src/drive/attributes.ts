/**
 * Changing mode, owners and times of what is there, as Node's `fs` names it. Links are followed.
 *
 * A directory that is only implied gets an entry of its own, as there is nowhere else to keep them.
 *
 * @module
 */
import { changeEntry } from './change-entry.ts'
import type { DriveContext } from './context.ts'
import { constants } from './constants.ts'
import { DriveError } from './errors.ts'
import { placeOf, stat } from './lookup.ts'
import { absolute } from './paths.ts'
import type { Stat, StatInput } from './stat.ts'

/** A time as `fs` takes it: a date, or seconds since 1970 as a number or text. */
export type Time = Date | number | string

/** Permission bits, with set-uid, set-gid and sticky. */
const PERMISSIONS = 0o7777

/** Set the permissions. @throws {@link DriveError} `ENOENT`, `EBUSY` for the root */
export async function chmod(context: DriveContext, name: string, mode: number): Promise<void> {
  await change(context, name, 'chmod', ({ mode: old }) => ({
    mode: (old & constants.S_IFMT) | (mode & PERMISSIONS),
  }))
}

/** Set the owners. @throws {@link DriveError} `ENOENT`, `EBUSY` for the root */
export async function chown(
  context: DriveContext,
  name: string,
  uid: number,
  gid: number,
): Promise<void> {
  await change(context, name, 'chown', () => ({ uid, gid }))
}

/**
 * Set the time of modification; times of access are not kept.
 *
 * @throws {@link DriveError} `ENOENT`, `EBUSY` for the root; `EINVAL` for no time
 */
export async function utimes(
  context: DriveContext,
  name: string,
  _atime: Time,
  mtime: Time,
): Promise<void> {
  const ms = mtime instanceof Date ? mtime.getTime() : Math.round(Number(mtime) * 1000)
  if (!Number.isSafeInteger(ms) || ms < 0) {
    const path = absolute(name, context.exact)
    throw new DriveError('EINVAL', { syscall: 'utimes', path, reason: `time ${String(mtime)}` })
  }
  // A stored 0 reads as the time of reading.
  await change(context, name, 'utimes', () => ({ mtime: Math.max(1, ms) }))
}

async function change(
  context: DriveContext,
  name: string,
  syscall: string,
  changes: (old: Stat) => StatInput,
): Promise<void> {
  const given = absolute(name, context.exact)
  await context.ready()
  context.assertWritable(syscall, given)
  const place = await placeOf(context, given, { syscall, follow: true })
  const { path } = place
  if (path === '/') throw new DriveError('EBUSY', { syscall, path })
  if (!place.trie.log.writable) throw new DriveError('EROFS', { syscall, path })
  // The stat of an implied directory may have to be looked for; of an entry it is what is there.
  const implied = place.entry ? null : await stat(context, path, { syscall })
  await changeEntry(context, place, syscall, (entry) => {
    const old = entry?.stat ?? implied
    if (!old) throw new DriveError('ENOENT', { syscall, path })
    const ctime = context.exact ? {} : { ctime: context.now() }
    return old.with({ ...ctime, ...changes(old) }, context.now())
  })
}
