/**
 * What a vector file is to its runner: a list of named cases, each of which throws when it fails.
 *
 * Both the command (`run.ts`) and the tap tests of a layer go through the same handlers.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** One JSON file of vectors, read. */
export interface VectorFile {
  /** Where the file lies; fixture folders stand beside it. */
  readonly folder: string
  readonly json: { readonly cases: readonly unknown[] } & Readonly<Record<string, unknown>>
}

/** One case: passes by returning. */
export interface VectorCase {
  readonly name: string
  run(): void | Promise<void>
}

/** The handler of one kind of file. */
export interface VectorKind {
  /** Layer and file name without `.json`, such as `log/hashes`. */
  readonly name: string
  cases(file: VectorFile): Iterable<VectorCase>
}

/** Read the file of a kind below `root` (laid out as `log/ wire/ trie/ drive/`). */
export function readVectors(root: string, name: string): VectorFile {
  const path = join(root, `${name}.json`)
  return {
    folder: dirname(path),
    json: JSON.parse(readFileSync(path, 'utf8')) as VectorFile['json'],
  }
}

/** The part of a tap test that `runKind` needs. */
export interface Reporter {
  pass(message: string): unknown
  fail(message: string, extra: Record<string, unknown>): unknown
}

/** Run every case of a kind below `root` and report each. */
export async function runKind(t: Reporter, kind: VectorKind, root: string): Promise<void> {
  for (const each of kind.cases(readVectors(root, kind.name))) {
    try {
      // Cases share files and feeds with nobody, but run one by one so that a failure is readable.
      // oxlint-disable-next-line no-await-in-loop
      await each.run()
      t.pass(`${kind.name}: ${each.name}`)
    } catch (error) {
      t.fail(`${kind.name}: ${each.name}`, { error })
    }
  }
}
