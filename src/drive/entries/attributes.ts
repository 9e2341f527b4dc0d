/**
 * Changing mode, owners and times of what is there, as Node's `fs` names it. Links are followed.
 *
 * A directory that is only implied gets an entry of its own, as there is nowhere else to keep them.
 *
 * @module
 */
import { changeEntry } from './change-entry.ts'
import type { DriveContext } from '../context.ts'
import { constants } from '../open/constants.ts'
import { DriveError } from '../errors.ts'
import { type Place, placeOf, stat } from './lookup.ts'
import { absolute } from '../paths.ts'
import type { Stat, StatInput } from './stat.ts'

/** A time as `fs` takes it: a date, or seconds since 1970 as a number or text. */
export type Time = Date | number | string

/** Permission bits, with set-uid, set-gid and sticky. */
const PERMISSIONS = 0o7777

/** What is changed of an entry. */
export type AttributeChange = (old: Stat) => StatInput

/** Other permissions. */
export function permissions(mode: number): AttributeChange {
  return ({ mode: old }) => ({ mode: (old & constants.S_IFMT) | (mode & PERMISSIONS) })
}

/** Other owners. */
export function owners(uid: number, gid: number): AttributeChange {
  return () => ({ uid, gid })
}

/** Another time of modification. @throws {@link DriveError} `EINVAL` for no time */
export function modified(mtime: Time, syscall: string, path: string): AttributeChange {
  const ms = mtime instanceof Date ? mtime.getTime() : Math.round(Number(mtime) * 1000)
  if (!Number.isSafeInteger(ms) || ms < 0) {
    throw new DriveError('EINVAL', { syscall, path, reason: `time ${String(mtime)}` })
  }
  // A stored 0 reads as the time of reading.
  return () => ({ mtime: Math.max(1, ms) })
}

/** Set the permissions. */
export async function chmod(context: DriveContext, name: string, mode: number): Promise<void> {
  await changeAttributes(context, name, { syscall: 'chmod', follow: true }, permissions(mode))
}

/** Set the owners. @param follow - of a link at the end, of what it leads to */
export async function chown(
  context: DriveContext,
  name: string,
  uid: number,
  gid: number,
  follow: boolean = true,
): Promise<void> {
  const options = { syscall: follow ? 'chown' : 'lchown', follow }
  await changeAttributes(context, name, options, owners(uid, gid))
}

/** Set the time of modification; times of access are not kept. */
export async function utimes(
  context: DriveContext,
  name: string,
  _atime: Time,
  mtime: Time,
  follow: boolean = true,
): Promise<void> {
  const options = { syscall: follow ? 'utimes' : 'lutimes', follow }
  const change = modified(mtime, options.syscall, absolute(name, context.exact))
  await changeAttributes(context, name, options, change)
}

/** How `changeAttributes` finds what it changes. */
interface AttributeOptions {
  /** Operation that errors name. */
  readonly syscall: string
  /** Of a link at the end, what it leads to. */
  readonly follow: boolean
}

/**
 * Change what is known of what is at `name`.
 *
 * @throws {@link DriveError} `ENOENT`; `EBUSY` for the root; `EROFS`, `EPERM`
 */
async function changeAttributes(
  context: DriveContext,
  name: string,
  options: AttributeOptions,
  change: AttributeChange,
): Promise<void> {
  const given = absolute(name, context.exact)
  await context.ready()
  context.assertWritable(options.syscall, given)
  await changeAt(context, await placeOf(context, given, options), options.syscall, change)
}

/** As {@link changeAttributes}, of what is at a place. */
export async function changeAt(
  context: DriveContext,
  place: Place,
  syscall: string,
  change: AttributeChange,
): Promise<void> {
  const { path } = place
  context.assertWritable(syscall, path)
  if (path === '/') throw new DriveError('EBUSY', { syscall, path })
  // The stat of an implied directory may have to be looked for; of an entry it is what is there.
  const implied = place.entry ? null : await stat(context, path, { syscall })
  if (!place.trie.log.writable) throw new DriveError('EROFS', { syscall, path })
  await changeEntry(context, place, syscall, (entry) => {
    const old = entry?.stat ?? implied
    if (!old) throw new DriveError('ENOENT', { syscall, path })
    const ctime = context.exact ? {} : { ctime: context.now() }
    return old.with({ ...ctime, ...change(old) }, context.now())
  })
}
