/**
 * What the drives of the matrix must hold: 300 files in nested folders, among them an empty one, one
 * of 3 MiB, names with spaces and beyond ASCII, one overwritten and one deleted.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import type { Content, FileToWrite, Side, Tree } from './side.ts'

/** How many files are left after the first steps. */
export const FILES = 300

/** The files that a drive must hold, kept in step with what is asked of it. */
export class Model {
  readonly #files = new Map<string, FileToWrite>()

  /** Write files on `side`, and remember them. */
  async write(side: Side, files: readonly FileToWrite[]): Promise<void> {
    await side.ask('write', { files })
    for (const file of files) this.#files.set(file.path, file)
  }

  /** Delete files on `side`, and forget them. */
  async unlink(side: Side, paths: readonly string[]): Promise<void> {
    await side.ask('unlink', { paths })
    for (const path of paths) this.#files.delete(path)
  }

  /** Path and content of every file that must be there, by path. */
  expected(): { path: string; content: Content }[] {
    return [...this.#files.values()]
      .map((file) => ({ path: file.path, content: contentOf(file) }))
      .toSorted((a, b) => (a.path < b.path ? -1 : 1))
  }
}

/** The part of a tree that a model speaks of: its regular files. */
export function filesOf(tree: Tree): { path: string; content: Content }[] {
  return tree.entries.flatMap(({ path, content }) => (content ? [{ path, content }] : []))
}

/** What a written file must read as. */
export function contentOf({ seed, length }: FileToWrite): Content {
  const bytes = Uint8Array.from({ length }, (_, i) => seed + 7 * i + 13 * Math.floor(i / 256))
  return { length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** The first files: 300, and one more that is then deleted. */
export function firstFiles(): FileToWrite[] {
  const special: FileToWrite[] = [
    { path: 'empty.bin', seed: 0, length: 0 },
    { path: 'media/big.bin', seed: 3, length: 3 * 1024 * 1024 },
    { path: 'media/streamed.bin', seed: 4, length: 700_001, stream: true },
    { path: 'notes/überschrieben.txt', seed: 5, length: 1000 },
    { path: 'ünï cödé/日本語 ファイル.txt', seed: 6, length: 77 },
    { path: 'a folder/with spaces/in every part.txt', seed: 7, length: 10 },
    {
      path: 'notes/private.txt',
      seed: 8,
      length: 20,
      options: { mode: 0o600, uid: 1000, gid: 100, metadata: { kind: 'test', ключ: 'значение' } },
    },
  ]
  const plain = Array.from({ length: FILES - special.length }, (_, i) => ({
    path: `tree/${i % 7}/branch ${i % 5}/leaf-${i}.txt`,
    seed: i,
    length: (i * 37) % 4096,
  }))
  return [...special, ...plain]
}

/** A file that is written and then deleted. */
export const doomed: FileToWrite = { path: 'notes/gone.txt', seed: 9, length: 500 }

/** What overwrites a file of the first ones. */
export const overwriting: FileToWrite = { path: 'notes/überschrieben.txt', seed: 50, length: 1234 }

/** A few more files, for the `n`th round of appending. */
export function moreFiles(n: number): FileToWrite[] {
  return [
    { path: `later/${n}/new.txt`, seed: 60 + n, length: 300 + n },
    { path: `later/${n}/streamed.bin`, seed: 70 + n, length: 150_000, stream: true },
    { path: 'tree/3/branch 3/leaf-3.txt', seed: 80 + n, length: 64 + n },
  ]
}
