/**
 * Making a directory and those above it that are missing, in one batch of the trie.
 *
 * A drive needs no parents; but those that are only implied go when what implies them goes, which programs written
 * for `fs` do not expect.
 *
 * @module
 */
import type { DriveContext } from '../context.ts'
import { DriveError, inWords } from '../errors.ts'
import { type Place, entryAt, placeOf, stat } from './lookup.ts'
import { absolute } from '../paths.ts'
import { Stat, type StatInput } from './stat.ts'
import type { SubtreeChange } from '../../trie/index.ts'

const syscall = 'mkdir'

/**
 * Make the directory at `name` and each one above it that has no entry. What is a directory already stays as it is.
 *
 * @returns the entry of the last one
 * @throws {@link DriveError} `EEXIST` when a file is at the path, `ENOTDIR` when one is above it; `EROFS`, `EPERM`
 */
export async function makeDirectories(
  context: DriveContext,
  name: string,
  fields: StatInput,
): Promise<Stat> {
  const given = absolute(name, context.exact)
  await context.ready()
  context.assertWritable(syscall, given)
  if (given === '/') return Stat.directory({}, context.now())
  const { place, missing } = await missingAbove(context, given)
  const { path, trie, innerPath } = place
  if (missing.length === 0) return stat(context, path, { syscall })
  if (!trie.log.writable) throw new DriveError('EROFS', { syscall, path })
  return inWords(syscall, path, async () => {
    const content = await context.contents.of(trie, context.reads())
    const { length: offset, byteLength: byteOffset } = content
    const made = Stat.directory({ ...fields, offset, byteOffset }, context.now())
    // Whatever is missing lies below the last mount point, so in the trie of the path.
    const above = path.length - innerPath.length
    await trie.trie.batch(async () => {
      const changes: SubtreeChange[] = []
      for (const each of missing) {
        const key = each.slice(above)
        // Somebody else may have made it meanwhile.
        // oxlint-disable-next-line no-await-in-loop
        const there = await entryAt(context, { ...place, path: each, innerPath: key })
        if (!there) changes.push({ key, value: made.encode() })
        else if (!there.stat.isDirectory()) throw fileAt(path, each)
      }
      return changes
    })
    return made
  })
}

/** Where the directory is to be, links followed, and the paths down to it that have no entry, outermost first. */
async function missingAbove(
  context: DriveContext,
  given: string,
): Promise<{ readonly place: Place; readonly missing: readonly string[] }> {
  const missing: string[] = []
  let path = given
  for (let end = path.indexOf('/', 1); ; end = path.indexOf('/', end + 1)) {
    const each = end === -1 ? path : path.slice(0, end)
    // From the outside in: the first file on the way ends it.
    // oxlint-disable-next-line no-await-in-loop
    const place = await placeOf(context, each, { syscall, follow: true })
    if (place.path !== each) {
      const above = place.path === '/' ? '' : place.path
      path = above + path.slice(each.length) || '/'
      end = above.length
    }
    if (!place.entry && place.path !== '/') missing.push(place.path)
    else if (place.entry?.stat.isDirectory() === false) throw fileAt(path, place.path)
    if (place.path === path) return { place, missing }
  }
}

function fileAt(path: string, at: string): DriveError {
  return new DriveError(at === path ? 'EEXIST' : 'ENOTDIR', { syscall, path: at })
}
