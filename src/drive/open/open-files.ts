/**
 * Which files are open for reading and writing: one a path of a trie, shared by all descriptors of the process, also
 * those of other drives of the same store.
 *
 * Who moves or removes an entry says so here, with nobody else writing to the trie: descriptors follow a file that is
 * moved, and keep one that is removed to themselves, as in POSIX.
 *
 * @module
 */
import type { Log } from '../../log/index.ts'
import type { OpenFile } from './open-file.ts'
import type { Stat } from '../entries/stat.ts'

const tables = new WeakMap<Log, Map<string, OpenFile>>()

/** Takes back what was said, when the change was not made after all. */
export type Undo = () => void

/** Take back what was said, if anything was. */
export function takeBack(undo: Undo | null): void {
  undo?.()
}

/** The open files of one metadata log, by path in its trie. */
export function openFilesOf(metadata: Log): Map<string, OpenFile> {
  let table = tables.get(metadata)
  if (!table) {
    table = new Map()
    tables.set(metadata, table)
  }
  return table
}

/** Bytes of the file at a path while it is being changed; undefined when it is not. @param stat - what is stored */
export function sizeWhileOpen(metadata: Log, innerPath: string, stat: Stat): number | undefined {
  return tables.get(metadata)?.get(innerPath)?.sizeOver(stat)
}

/** What was at `innerPath`, or with `below` below it, is removed. */
export function removed(metadata: Log, innerPath: string, below: boolean): Undo {
  return detached(metadata, (path) => path === innerPath || (below && isIn(path, innerPath)))
}

/** What was at and below `from` is at and below `to` now; what was there is gone. */
export function moved(metadata: Log, from: string, to: string): Undo {
  const table = tables.get(metadata)
  if (!table || table.size === 0) return nothing
  const undo = detached(metadata, (path) => path === to)
  const files = [...table].filter(([path]) => path === from || isIn(path, from))
  for (const [path, file] of files) move(table, file, path, to + path.slice(from.length))
  return () => {
    for (const [path, file] of files) move(table, file, to + path.slice(from.length), path)
    undo()
  }
}

function detached(metadata: Log, isRemoved: (path: string) => boolean): Undo {
  const table = tables.get(metadata)
  if (!table || table.size === 0) return nothing
  const files = [...table].filter(([path]) => isRemoved(path))
  for (const [path, file] of files) {
    table.delete(path)
    file.innerPath = null
  }
  return () => {
    for (const [path, file] of files) {
      table.set(path, file)
      file.innerPath = path
    }
  }
}

function move(table: Map<string, OpenFile>, file: OpenFile, from: string, to: string): void {
  table.delete(from)
  table.set(to, file)
  file.innerPath = to
}

function isIn(path: string, directory: string): boolean {
  return directory === '' || path.startsWith(`${directory}/`)
}

function nothing(): void {}
