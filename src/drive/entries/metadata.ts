/**
 * Changing parts of a stored entry: the partial update that v10 kept for its daemon, and what is made of it.
 *
 * The entry at the path itself is changed: links are not followed, and the root and implicit directories have none.
 * No field changes by itself; times stay. The trie's flags stay, so a mount point remains one.
 *
 * @see spec/40-drive.md 3.10
 * @module
 */
import { changeEntry } from './change-entry.ts'
import type { DriveContext } from '../context.ts'
import { DriveError } from '../errors.ts'
import { placeOf } from './lookup.ts'
import { absolute } from '../paths.ts'
import { Stat, type StatInput } from './stat.ts'

/**
 * Lay `changes` over the entry at `name`; metadata is merged key by key, and a null value removes the value but
 * keeps the key, as v10 has it.
 *
 * @param syscall - the operation that errors name
 * @returns the entry as it is now
 * @throws {@link DriveError} `ENOENT` without an entry
 */
export async function update(
  context: DriveContext,
  name: string,
  changes: StatInput,
  syscall = 'update',
): Promise<Stat> {
  return change(context, name, changes, syscall, null)
}

/** As {@link update}, but a missing entry begins as an empty file. */
export async function upsert(
  context: DriveContext,
  name: string,
  changes: StatInput,
  syscall = 'update',
): Promise<Stat> {
  return change(context, name, changes, syscall, Stat.file({}, context.now()))
}

/** Set one metadata value: bytes, or a string, which is stored as UTF-8. */
export async function setMetadata(
  context: DriveContext,
  name: string,
  key: string,
  value: Uint8Array | string,
): Promise<Stat> {
  return change(context, name, { metadata: { [key]: value } }, 'setMetadata', null)
}

/** Remove a metadata value. The key stays and reads as null: v10 keeps it so. */
export async function removeMetadata(
  context: DriveContext,
  name: string,
  key: string,
): Promise<Stat> {
  return change(context, name, { metadata: { [key]: null } }, 'removeMetadata', null)
}

async function change(
  context: DriveContext,
  name: string,
  changes: StatInput,
  syscall: string,
  missing: Stat | null,
): Promise<Stat> {
  const given = absolute(name, context.exact)
  await context.ready()
  context.assertWritable(syscall, given)
  const place = await placeOf(context, given, { syscall })
  const { path } = place
  let changed = missing
  await changeEntry(context, place, syscall, (entry) => {
    const old = entry?.stat ?? missing
    if (!old) throw new DriveError('ENOENT', { syscall, path })
    changed = old.with(changes, context.now())
    return changed
  })
  // The change was made, so it was given something to change.
  /* c8 ignore next */
  if (!changed) throw new DriveError('ENOENT', { syscall, path })
  return changed
}
