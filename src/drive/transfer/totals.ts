/**
 * How much a drive holds, as `statfs` tells of a file system.
 *
 * @module
 */
import type { DriveContext, ReadOptions } from '../context.ts'
import { DriveError, inWords } from '../errors.ts'
import { firstBelow, placeOf } from '../entries/lookup.ts'
import { absolute, keyOf } from '../paths.ts'
import { Stat } from '../entries/stat.ts'

/** Totals of one drive: of the version that is shown, and of all that its logs hold. */
export interface DriveTotals {
  /** Kind of the file system, as Node has it: none of those that have a number. */
  readonly type: 0
  /** Bytes of a block of the three numbers that follow. */
  readonly bsize: 1
  /** The same as `storedBytes`. */
  readonly blocks: number
  /** Nothing is set aside: always 0. */
  readonly bfree: 0
  readonly bavail: 0
  readonly ffree: 0
  /** Entries: files, links, and directories that have one; what is mounted is not counted. */
  readonly files: number
  /** Bytes that the files of this version have together. */
  readonly logicalBytes: number
  /** Bytes of content and metadata, all versions. */
  readonly storedBytes: number
  /** Of these, bytes that are on this device. */
  readonly downloadedBytes: number
}

/**
 * Totals of the drive that `name` lies in; of a mount point, of what is mounted. Every entry is looked at, so the time
 * it takes grows with their number; metadata that is not here is fetched.
 *
 * @throws {@link DriveError} `ENOENT`
 */
export async function statfs(
  context: DriveContext,
  name: string = '/',
  options: ReadOptions = {},
): Promise<DriveTotals> {
  const syscall = 'statfs'
  await context.ready()
  const given = absolute(name, context.exact)
  const { path, entry } = await placeOf(context, given, { ...options, syscall, follow: true })
  if (!entry && path !== '/' && !(await firstBelow(context, path, { ...options, syscall }))) {
    throw new DriveError('ENOENT', { syscall, path })
  }
  const reads = context.reads(options)
  return inWords(syscall, path, async () => {
    const { trie } = await context.trie.ownerBelow(keyOf(path), reads)
    const content = await context.contents.of(trie, reads)
    let [files, logicalBytes] = [0, 0]
    for await (const { value } of trie.trie.iterator('', reads)) {
      const stat = Stat.decode(value ?? new Uint8Array(0), context.now())
      files++
      if (stat.isFile() && !stat.mount) logicalBytes += stat.size
    }
    const logs = [trie.log, content]
    const held = await Promise.all(logs.map((log) => log.downloadedBytes(0, log.length)))
    const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
    const storedBytes = sum(logs.map(({ byteLength }) => byteLength))
    return {
      type: 0,
      bsize: 1,
      blocks: storedBytes,
      bfree: 0,
      bavail: 0,
      ffree: 0,
      files,
      logicalBytes,
      storedBytes,
      downloadedBytes: sum(held),
    }
  })
}
