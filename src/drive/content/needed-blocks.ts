/**
 * Which blocks of content the current version needs, besides those of some files.
 *
 * Copies, renamed files and files with the same content share blocks; nothing but the entries themselves says so. So
 * all entries of the trie that are here are looked at. What is not here of the metadata cannot be read here either.
 *
 * @module
 */
import { equals } from '../../bytes.ts'
import type { Log } from '../../log/index.ts'
import { BlockRanges } from './block-ranges.ts'
import type { DriveContext, DriveTrie } from '../context.ts'
import { DriveError } from '../errors.ts'
import { type Run, runIn } from './run.ts'
import type { Located } from '../transfer/selection.ts'
import { Stat } from '../entries/stat.ts'

/** A file whose blocks may go. */
export interface Target {
  readonly entry: Located
  readonly run: Run
}

/** Looks before giving up on a trie that is written meanwhile. */
const MAX_LOOKS = 8

/**
 * The blocks that entries other than the targets need, by log. An entry that is fixed at an older version is none of
 * the current ones: what the current version has at its path counts too.
 */
export async function neededBlocks(
  context: DriveContext,
  targets: readonly Target[],
  signal: AbortSignal,
): Promise<ReadonlyMap<Log, BlockRanges>> {
  const needed = new Map<Log, BlockRanges>()
  const logs = new Set(targets.map(({ run }) => run.log))
  for (const [metadata, { trie, going }] of byMetadata(targets)) {
    let length
    let looks = 0
    do {
      ;({ length } = metadata)
      // One trie after the other, and again when it was written meanwhile.
      // oxlint-disable-next-line no-await-in-loop
      await gather(context, trie, going, logs, needed, signal)
    } while (metadata.length !== length && ++looks < MAX_LOOKS)
  }
  return needed
}

interface Group {
  readonly trie: DriveTrie
  /** Keys of the targets that are current. */
  readonly going: Set<string>
}

function byMetadata(targets: readonly Target[]): Map<Log, Group> {
  const groups = new Map<Log, Group>()
  for (const { entry } of targets) {
    const { trie, innerPath } = entry
    const group = groups.get(trie.log) ?? { trie, going: new Set<string>() }
    groups.set(trie.log, group)
    if (!trie.isCheckout) group.going.add(innerPath)
  }
  return groups
}

async function gather(
  context: DriveContext,
  { trie, log }: DriveTrie,
  going: ReadonlySet<string>,
  logs: ReadonlySet<Log>,
  needed: Map<Log, BlockRanges>,
  signal: AbortSignal,
): Promise<void> {
  const content = context.contents.peek(log)
  const rows = trie.checkout(log.length).iterator('', {
    wait: false,
    onmissing: () => undefined,
    signal,
  })
  for await (const { key, value } of rows) {
    signal.throwIfAborted()
    const run = going.has(key) ? null : runOf(context, value, content, logs)
    if (!run || !logs.has(run.log)) continue
    const ranges = needed.get(run.log) ?? new BlockRanges()
    needed.set(run.log, ranges)
    ranges.add(run.start, run.end)
  }
}

/** The blocks that an entry needs of the logs in question. */
function runOf(
  context: DriveContext,
  value: Uint8Array | null,
  content: Log | null,
  logs: ReadonlySet<Log>,
): Pick<Run, 'log' | 'start' | 'end'> | null {
  try {
    const stat = Stat.decode(value ?? new Uint8Array(0), context.now())
    const { mount } = stat
    if (!mount?.hypercore) return content && stat.blocks > 0 ? runIn(content, stat) : null
    for (const log of logs) {
      if (log.key && equals(log.key, mount.key)) return { log, start: 0, end: log.length }
    }
    return null
  } catch (error) {
    // What does not decode needs nothing.
    if (error instanceof DriveError && error.code === 'DRIVE_BAD_STAT') return null
    throw error
  }
}
