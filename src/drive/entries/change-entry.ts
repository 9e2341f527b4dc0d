/**
 * Changing one entry: what is there is read, and what takes its place is stored, with nobody else writing in between.
 *
 * @module
 */
import type { DriveContext } from '../context.ts'
import { inWords } from '../errors.ts'
import { type Entry, type Place, entryAt } from './lookup.ts'
import { type Undo, removed, takeBack } from '../open/open-files.ts'
import type { Stat } from './stat.ts'

/** What becomes of an entry: another takes its place, it goes, or nothing happens. */
export type Decision = Stat | 'remove' | 'leave'

/**
 * Change the entry at a place.
 *
 * @param decide - is told what is there now; what it throws leaves that as it is. It must not write.
 * @throws what `decide` throws; {@link DriveError} `EROFS`
 */
export async function changeEntry(
  context: DriveContext,
  place: Place,
  syscall: string,
  decide: (entry: Entry | null) => Decision | Promise<Decision>,
): Promise<void> {
  const { path, trie, innerPath: key } = place
  let undo: Undo | null = null
  try {
    await inWords(syscall, path, () =>
      trie.trie.batch(async () => {
        const entry = await entryAt(context, place)
        const decision = await decide(entry)
        if (decision === 'leave') return []
        if (decision === 'remove') {
          undo = removed(trie.log, key, false)
          return [{ type: 'del', key }]
        }
        return [{ key, value: decision.encode(), flags: entry?.flags ?? 0 }]
      }),
    )
  } catch (error) {
    takeBack(undo)
    throw error
  }
}
