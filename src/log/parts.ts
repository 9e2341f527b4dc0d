/**
 * The parts of an open log, put together: who is told when blocks arrive.
 *
 * @module
 */
import { Appender } from './appender.ts'
import { forkError } from './core.ts'
import type { Core } from './core.ts'
import { Downloads } from './downloads.ts'
import type { Download } from './downloads.ts'
import { isLinked } from './fork.ts'
import { grewByOthers } from './growth.ts'
import { writeFork } from './fork-file.ts'
import type { Guard } from './guard.ts'
import { Prover } from './prover.ts'
import { Reader } from './reader.ts'
import { Receiver } from './receiver.ts'
import type { Forked, Stored } from './receiver.ts'
import type { VerifiedBlock } from './received-batch.ts'
import type { LogPeer, TransferStats } from './replicator.ts'
import { Seeker } from './seeker.ts'
import { Waiting } from './waiting.ts'

/** Everything that acts on one open log. */
export interface Parts {
  readonly core: Core
  readonly appender: Appender
  readonly reader: Reader
  readonly receiver: Receiver
  readonly prover: Prover
  readonly seeker: Seeker
  readonly waiting: Waiting
  readonly downloads: Downloads
}

/** Build the parts of an open log. */
export function makeParts(core: Core, guard: Guard, totals: TransferStats | null): Parts {
  const waiting = new Waiting(core, guard)
  const downloads = new Downloads(core, () => waiting.changed(), guard)
  const reader = new Reader(core)
  let complete = 0

  const onstored: Stored = async (blocks, before) => {
    const grew = before !== null
    if (grew) core.emit('append')
    for (const { index, value, source } of blocks) {
      core.emit('download', index, value, source)
      waiting.stored(index, value)
      if (source && totals) {
        totals.downloadedBlocks++
        totals.downloadedBytes += value.length
      }
    }
    if (blocks.length > 0 && core.secretKey === null) {
      if (complete > 0 && !core.bitfield.has(complete - 1)) complete = 0 // cleared since
      const missing = core.bitfield.nextMissing(complete, core.length)
      complete = missing < 0 ? core.length : missing
      if (missing < 0) core.emit('sync')
    }
    if (grew) waiting.grew()
    downloads.stored()
    if (waiting.isSeeking) {
      await waiting.retrySeeks((wish) => seeker.narrow(wish))
      waiting.peersChanged() // what was told last may have been all there is to tell
    }
    await core.bitfieldFile.flush()
    await core.durable.bitfieldWritten()
    for (const [source, indices] of bySource(blocks)) core.replicator?.stored(indices, source)
    if (before) grewByOthers(core)
    if (before) await link(before)
  }

  /** The proof of block `length` shows whether the longer log grew out of the shorter. */
  let linking: Download | null = null
  const link = async (before: Pick<Core, 'length' | 'roots'>): Promise<void> => {
    if (before.length === 0 || !core.live || linking) return
    if (await isLinked(core, before.roots)) return
    receiver.distrust(before.length)
    linking = downloads.add({ start: before.length, end: before.length + 1, hash: true })
    const over = (): void => {
      linking = null
    }
    linking.done.then(over, over)
  }

  const onforked: Forked = async (evidence) => {
    core.fork = evidence
    const error = forkError(evidence)
    core.refusesAppend = error
    waiting.forked(evidence.commonLength, error)
    downloads.forked(evidence.commonLength, error)
    // Told even if it cannot be stored, which then shows as the failure of what was received.
    core.emit('fork', evidence)
    await writeFork(core.forkFile, evidence, core.durable.mode)
  }

  const onappended = (start: number, blocks: readonly Uint8Array[]): void => {
    core.emit('append')
    let index = start
    for (const block of blocks) waiting.stored(index++, block)
    waiting.grew()
    downloads.stored()
    // A failure is the seek's own.
    if (waiting.isSeeking) void waiting.retrySeeks((wish) => seeker.narrow(wish))
  }

  const receiver = new Receiver(core, onstored, onforked)
  const prover = new Prover(core, receiver)
  const seeker = new Seeker(prover, waiting)
  const appender = new Appender(core, onappended)
  return { core, appender, reader, receiver, prover, seeker, waiting, downloads }
}

function bySource(blocks: readonly VerifiedBlock[]): Map<LogPeer | null, number[]> {
  const sources = new Map<LogPeer | null, number[]>()
  for (const { index, source } of blocks) {
    const indices = sources.get(source)
    if (indices) indices.push(index)
    else sources.set(source, [index])
  }
  return sources
}
