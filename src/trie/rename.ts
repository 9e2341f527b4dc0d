/**
 * Moving entries to another key: what to put and to delete, for one append.
 *
 * @module
 */
import { Entries, type TrieEntry } from './entry.ts'
import { TrieError } from './errors.ts'
import { storedKey, writableKey } from './hash-path.ts'
import { isWithin } from './mount-path.ts'
import type { RenameOptions } from './options.ts'
import { entriesAt, entryAt, moves } from './subtree.ts'
import type { Trie } from './trie.ts'
import type { Change } from './writer.ts'

/**
 * The changes of a rename, decided with nobody else writing.
 *
 * @param bytes - the trie as it is now, with its values as bytes
 * @param trie - the same, as the condition is to see it
 */
export async function renaming<Value>(
  bytes: Trie,
  trie: Trie<Value>,
  from: string,
  to: string,
  options: RenameOptions<Value>,
): Promise<readonly Change[]> {
  const { below = false, hidden = false, condition } = options
  const [root, target] = [storedKey(from), writableKey(to)]
  assertNotInside(root, target, below)
  if (root === target) return []
  const entries = await entriesAt(bytes, root, { below, hidden })
  if (entries.length === 0) return []
  const at = (key: string): Promise<TrieEntry<Value> | null> => entryAt(trie, key, hidden)
  if (condition && !(await condition(await at(root), await at(target)))) return []
  const asBytes = new Entries<Uint8Array>(null)
  return moves({ root, entries, records: [] }, target).map((each) => asBytes.change(each))
}

/** @throws {@link TrieError} `TRIE_BAD_RENAME` */
export function assertNotInside(from: string, to: string, below: boolean): void {
  if (!below || from === to || !isWithin(to, from)) return
  throw new TrieError('TRIE_BAD_RENAME', `cannot move ${JSON.stringify(from)} below itself`)
}
