/**
 * Which entries a transfer is about: the file at a path, or everything below the directory there.
 *
 * @see spec/40-drive.md 3.15
 * @module
 */
import type { DriveContext } from '../context.ts'
import { type WalkOptions, type WalkedEntry, entries } from '../entries/listing.ts'
import { type Entry, resolveEntry, stat } from '../entries/lookup.ts'

/** What a transfer needs to know of an entry. */
export type Located = Pick<Entry, 'path' | 'stat' | 'trie' | 'innerPath'>

/** What a transfer is about. */
export type Selection =
  | { readonly type: 'file'; readonly entry: Located }
  | {
      readonly type: 'directory'
      /** Its own entry, if it has one, and what is below it. */
      readonly entry: Located | null
      readonly entries: AsyncIterable<WalkedEntry>
    }

/**
 * What is at `path`, links followed.
 *
 * @param syscall - the operation that errors name
 * @throws {@link DriveError} `ENOENT`
 */
export async function select(
  context: DriveContext,
  path: string,
  options: WalkOptions,
  syscall: string,
): Promise<Selection> {
  await context.ready()
  const named = { ...options, syscall }
  const { path: at, entry } = await resolveEntry(context, path, named)
  if (entry && !entry.stat.isDirectory()) return { type: 'file', entry }
  // Nothing stored there: a directory by what is below it, or nothing at all.
  if (!entry) await stat(context, at, named)
  const below = entries(context, path, options, syscall)
  // v10 gives the deeper ones too.
  const isShallow = options.recursive === false && !context.exact
  return { type: 'directory', entry, entries: isShallow ? directlyIn(path, below) : below }
}

/** @yields those that lie directly in `path`: a walk that is not recursive has deeper ones for what is below them */
async function* directlyIn(
  path: string,
  below: AsyncIterable<WalkedEntry>,
): AsyncGenerator<WalkedEntry, void, undefined> {
  const at = path === '/' ? 1 : path.length + 1
  for await (const entry of below) if (!entry.path.includes('/', at)) yield entry
}

/** @yields the entries of a selection */
export async function* entriesOf(selection: Selection): AsyncGenerator<Located, void, undefined> {
  if (selection.type === 'file') yield selection.entry
  else yield* selection.entries
}
