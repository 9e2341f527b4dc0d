/**
 * Logs in memory, and a stand-in for the wire, for the tests of the log.
 *
 * @module
 */
import { Log } from '../../src/log/index.ts'
import type { LogOptions, LogPeer, ReceivedBlock, Replicator, Wish } from '../../src/log/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'

/** A new writable log that holds these blocks, and its folder. */
export async function writer(
  blocks: readonly Uint8Array[] = [],
  options: LogOptions = {},
): Promise<{ log: Log; folder: MemoryFolder }> {
  const folder = new MemoryFolder()
  const log = new Log(folder.open, null, options)
  await log.ready()
  if (blocks.length > 0) await log.append(blocks)
  return { log, folder }
}

/** An empty sparse copy of a log, and its folder. */
export async function copyOf(
  log: Log,
  options: LogOptions = {},
): Promise<{ copy: Log; folder: MemoryFolder }> {
  const folder = new MemoryFolder()
  const copy = new Log(folder.open, log.key, { sparse: true, ...options })
  await copy.ready()
  return { copy, folder }
}

/** Block `index` of `source` as it would come to `copy` from a peer. */
export async function message(
  source: Log,
  copy: Log,
  index: number,
  { hash = false, digest = copy.digest(index) } = {},
): Promise<ReceivedBlock> {
  const proof = await source.proof(index, { digest, hash })
  const value = hash ? null : await source.get(index)
  return { index, value, ...proof }
}

/** `count` blocks of different content and size, some empty. */
export function blocksOf(count: number, from = 0): Uint8Array[] {
  return Array.from({ length: count }, (_, i) =>
    new Uint8Array((3 * (from + i)) % 11).fill(from + i + 1),
  )
}

/** A replicator without peers, which notes what it is told. */
export class Notes implements Replicator {
  peers: LogPeer[] = []
  readonly heard: string[] = []
  /** What `canMeet` answers. */
  meets: (wish: Wish) => boolean = () => false

  wishesChanged(): void {
    this.heard.push('wishes')
  }

  appended(start: number, length: number): void {
    this.heard.push(`appended ${start} ${length}`)
  }

  stored(indices: readonly number[]): void {
    this.heard.push(`stored ${indices.join()}`)
  }

  cleared(start: number, length: number): void {
    this.heard.push(`cleared ${start} ${length}`)
  }

  lost(start: number, length: number): void {
    this.heard.push(`lost ${start} ${length}`)
  }

  switched(): void {
    this.heard.push('switched')
  }

  extensionsChanged(): void {
    this.heard.push('extensions')
  }

  canMeet(wish: Wish): boolean {
    return this.meets(wish)
  }

  closed(): void {
    this.heard.push('closed')
  }
}
