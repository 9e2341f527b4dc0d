/**
 * Names for versions, kept in the drive itself.
 *
 *     hidden key  hyperdrive-tags/<name>     value  varint(version)
 *
 * Hidden entries are a key space of their own: no listing, diff or watcher of files shows them, and they replicate
 * with the drive. Names are normalised like paths (`a//b/` is `a/b`); the empty name is one too.
 *
 * @see spec/40-drive.md 2.7 and 3.11
 * @module
 */
import { allocUnsafe } from '../../bytes.ts'
import { decodeVarint, encodeVarint, varintLength } from '../../varint.ts'
import type { DriveContext, ReadOptions } from '../context.ts'
import { asDriveError } from '../errors.ts'

const FOLDER = 'hyperdrive-tags'

/**
 * Name a version; a name that exists moves. Without a version: the drive's at the time of the call.
 *
 * @throws TypeError when the name is no string; RangeError when the version is no integer from 0 to 2 ** 53 - 1
 */
export async function createTag(
  context: DriveContext,
  name: string,
  version?: number | null,
): Promise<void> {
  const key = tagKey(name)
  await context.ready()
  context.assertWritable('createTag')
  const value = encodeTag(version ?? context.version)
  try {
    await context.trie.put(key, value, { hidden: true })
  } catch (error) {
    throw asDriveError(error, 'createTag')
  }
}

/** Forget a name. One that is not known is no error, and nothing is written. */
export async function deleteTag(context: DriveContext, name: string): Promise<void> {
  const key = tagKey(name)
  await context.ready()
  context.assertWritable('deleteTag')
  try {
    await context.trie.del(key, { hidden: true })
  } catch (error) {
    throw asDriveError(error, 'deleteTag')
  }
}

/** The version that a name stands for, or null: no such name, or a value that is no version. */
export async function getTaggedVersion(
  context: DriveContext,
  name: string,
  options: ReadOptions = {},
): Promise<number | null> {
  const key = tagKey(name)
  await context.ready()
  try {
    const { node } = await context.trie.get(key, { ...context.reads(options), hidden: true })
    return node ? decodeTag(node.value) : null
  } catch (error) {
    throw asDriveError(error, 'getTaggedVersion')
  }
}

/** Every name with its version, in the trie's order. Values that are no version are left out. */
export async function getAllTags(
  context: DriveContext,
  options: ReadOptions = {},
): Promise<Map<string, number>> {
  await context.ready()
  const tags = new Map<string, number>()
  try {
    const rows = context.trie.iterator(FOLDER, {
      ...context.reads(options),
      hidden: true,
      noMounts: true,
    })
    for await (const { node } of rows) {
      const version = decodeTag(node.value)
      if (version !== null) tags.set(node.key.slice(FOLDER.length + 1), version)
    }
  } catch (error) {
    throw asDriveError(error, 'getAllTags')
  }
  return tags
}

/** The value that stands for `version`. @throws RangeError when it is no integer from 0 to 2 ** 53 - 1 */
export function encodeTag(version: number): Uint8Array {
  if (!Number.isSafeInteger(version) || version < 0) {
    throw new RangeError(`tag version: want an integer from 0 to 2 ** 53 - 1, got ${version}`)
  }
  const out = allocUnsafe(varintLength(version))
  encodeVarint(version, out, 0)
  return out
}

/** The version of a value, or null when it holds none (v10 could write such). What follows it is ignored. */
export function decodeTag(value: Uint8Array | null): number | null {
  if (!value) return null
  try {
    return decodeVarint(value, 0)?.value ?? null
  } catch {
    return null // a RangeError: no version that a drive can have
  }
}

function tagKey(name: string): string {
  if (typeof name !== 'string') throw new TypeError('Tag name must be a string.')
  return `${FOLDER}/${name}`
}
