/**
 * Every statement of the disk chapters, about whatever folder.
 *
 * @module
 */
import { driveStatements } from './drive-statements.ts'
import { logStatements } from './log-statements.ts'
import type { FolderCase } from './statement.ts'
import { storeStatements } from './store-statements.ts'
import { trieStatements } from './trie-statements.ts'

export { StoredFolder } from './stored-folder.ts'

/** @param label - goes into the ids, where several folders are looked at */
export function* folderCases(label?: string): Iterable<FolderCase> {
  const all = [logStatements(), storeStatements(), trieStatements(), driveStatements()]
  for (const statements of all) {
    for (const each of statements) {
      if (label === undefined) yield each
      else yield { ...each, id: each.id.replace(/^folder/, `folder-${label}`) }
    }
  }
}
