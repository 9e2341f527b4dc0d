/**
 * A statement about a folder, as a case.
 *
 * @module
 */
import { type Case, type Level, Refuted } from '../case.ts'
import type { StoredDrive, StoredFolder } from './stored-folder.ts'
import type { StoredLog } from './stored-log.ts'

/** A case about a folder. */
export type FolderCase = Case<StoredFolder>

/** A statement about each log. A text is what is wrong with it; nothing is wrong without one. */
export function eachLog(
  id: string,
  section: string,
  title: string,
  check: (log: StoredLog, folder: StoredFolder) => string | null | undefined,
  which: (log: StoredLog) => boolean = () => true,
  level: Level = 'MUST',
): FolderCase {
  return statement(id, section, title, level, (folder) => {
    for (const log of folder.some(which, 'no log that this is about')) {
      const wrong = check(log, folder)
      if (wrong) throw new Refuted(`${log.name}: ${wrong}`)
    }
  })
}

/** A statement about each drive. */
export function eachDrive(
  id: string,
  section: string,
  title: string,
  check: (drive: StoredDrive, folder: StoredFolder) => string | null | undefined,
  level: Level = 'MUST',
): FolderCase {
  return statement(id, section, title, level, (folder) => {
    for (const drive of folder.someDrives()) {
      const wrong = check(drive, folder)
      if (wrong) throw new Refuted(`${drive.metadata.name}: ${wrong}`)
    }
  })
}

/** A statement about the folder. */
export function statement(
  id: string,
  section: string,
  title: string,
  level: Level,
  run: (folder: StoredFolder) => void,
): FolderCase {
  // Reading is synchronous; what it throws is the case's failure all the same.
  return { id: `folder.${id}`, title, section, level, run: async (folder) => run(folder) }
}
