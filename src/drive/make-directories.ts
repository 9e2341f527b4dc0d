/**
 * Making a directory and those above it that are missing, in one batch of the trie.
 *
 * A drive needs no parents; but those that are only implied go when what implies them goes, which programs written
 * for `fs` do not expect.
 *
 * @module
 */
import type { DriveContext } from './context.ts'
import { DriveError, inWords } from './errors.ts'
import { lookUp, resolveEntry, stat } from './lookup.ts'
import { absolute } from './paths.ts'
import { Stat, type StatInput } from './stat.ts'

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
  const path = absolute(name, context.exact)
  await context.ready()
  context.assertWritable(syscall, path)
  if (path === '/') return Stat.directory({}, context.now())
  const missing = await missingAbove(context, path)
  if (missing.at(-1) !== path) return stat(context, path, { syscall })
  const owner = await lookUp(context, path, { syscall })
  if (!owner.trie.log.writable) throw new DriveError('EROFS', { syscall, path })
  return inWords(syscall, path, async () => {
    const content = await context.contents.of(owner.trie, context.reads())
    const { length: offset, byteLength: byteOffset } = content
    const made = Stat.directory({ ...fields, offset, byteOffset }, context.now())
    // Whatever is missing lies below the last mount point, so in the trie of the path.
    const above = path.length - owner.innerPath.length
    await owner.trie.trie.batch(
      missing.map((each) => ({ key: each.slice(above), value: made.encode() })),
    )
    return made
  })
}

/** The paths down to `path` that have no entry, outermost first. */
async function missingAbove(context: DriveContext, path: string): Promise<string[]> {
  const missing: string[] = []
  for (let end = path.indexOf('/', 1); end !== -1; end = path.indexOf('/', end + 1)) {
    // From the outside in: the first file on the way ends it.
    // oxlint-disable-next-line no-await-in-loop
    if (!(await isDirectory(context, path.slice(0, end), 'ENOTDIR')))
      missing.push(path.slice(0, end))
  }
  if (!(await isDirectory(context, path, 'EEXIST'))) missing.push(path)
  return missing
}

/** Whether an entry of a directory is at `path`, or a link to one. @throws {@link DriveError} for anything else */
async function isDirectory(
  context: DriveContext,
  path: string,
  otherwise: 'EEXIST' | 'ENOTDIR',
): Promise<boolean> {
  const { entry } = await lookUp(context, path, { syscall })
  if (!entry) return false
  const { entry: target } = await resolveEntry(context, path, { syscall })
  if (!target?.stat.isDirectory()) throw new DriveError(otherwise, { syscall, path })
  return true
}
