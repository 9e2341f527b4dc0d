/**
 * What is done to a log now and then: clearing blocks, checking them, finalizing it.
 *
 * @see spec/10-log.md 3.10
 * @module
 */
import { treeHash } from '../merkle/index.ts'
import { assertOpen, assertRange } from './core.ts'
import { LogError } from './errors.ts'
import type { ClearOptions } from './options.ts'
import type { Parts } from './parts.ts'

/** What `clear` did. */
export interface Cleared {
  /** Bytes of disk space given back; where the system cannot punch holes, only the tail counts. */
  readonly bytesFreed: number
}

/** What `audit` found. */
export interface Audit {
  /** Held blocks that are what was signed. */
  readonly valid: number
  /** Blocks that were thought to be held and are not; they no longer are. */
  readonly invalid: number
}

/** Blocks read at once by `audit`. */
const AUDIT_BLOCKS = 64

/** Forget blocks `[start, end)` and give their space back. The bits go first. */
export async function clearBlocks(
  parts: Parts,
  start: number,
  end: number,
  options: ClearOptions,
): Promise<Cleared> {
  const { core, reader, downloads } = parts
  assertRange(start, end)
  assertOpen(core)
  return core.content.run(async () => {
    // Past the end there is nothing to unset; without a bound a huge range would take for ever.
    const last = Math.min(end, Math.max(core.length, core.bitfield.span))
    if (last <= start || core.bitfield.set(start, last, false) === 0) return { bytesFreed: 0 }
    reader.forget(start, last)
    core.emit('clear', start, end)
    await core.bitfieldFile.flush()
    await core.durable.bitfieldWritten()
    core.replicator?.cleared(start, last - start)
    downloads.cleared(start, last)
    if (options.delete === false || core.indexing) return { bytesFreed: 0 }
    // Bytes must not go before it is known for good that they may: they would be missed as lost.
    await core.durable.flush()
    const place = await placeOf(parts, start, Math.min(end, core.length), options)
    if (!place) return { bytesFreed: 0 }
    return { bytesFreed: await core.files.data.punch(place.offset, place.length) }
  })
}

async function placeOf(
  { core, reader }: Parts,
  start: number,
  end: number,
  options: ClearOptions,
): Promise<{ offset: number; length: number } | null> {
  try {
    const offset = options.byteOffset ?? (await reader.byteOffset(start))
    const stop = end >= core.length ? core.byteLength : await reader.byteOffset(end)
    return { offset, length: options.byteLength ?? stop - offset }
  } catch (error) {
    // Where the tree is not here, nobody knows where the bytes are: they stay.
    if (error instanceof LogError && error.code === 'LOG_NOT_PROVABLE') return null
    throw error
  }
}

/** Compare every held block with its leaf; those that differ are no longer held. */
export async function auditBlocks(parts: Parts): Promise<Audit> {
  const { core, reader, downloads } = parts
  assertOpen(core)
  return core.content.run(async () => {
    let valid = 0
    let invalid = 0
    for (let block = core.bitfield.nextHeld(0, core.length); block >= 0;) {
      const missing = core.bitfield.nextMissing(block, Math.min(block + AUDIT_BLOCKS, core.length))
      const end = missing < 0 ? Math.min(block + AUDIT_BLOCKS, core.length) : missing
      // oxlint-disable-next-line no-await-in-loop
      const bad = await reader.unsound(block, end)
      for (const index of bad) {
        core.bitfield.set(index, index + 1, false)
        downloads.lost(index)
      }
      invalid += bad.length
      valid += end - block - bad.length
      block = core.bitfield.nextHeld(end, core.length)
    }
    if (invalid > 0) {
      await core.bitfieldFile.flush()
      await core.durable.bitfieldWritten()
    }
    return { valid, invalid }
  })
}

/** Give a static log its key: the hash of its tree. Afterwards nothing can be appended. */
export async function finalizeLog(parts: Parts): Promise<Uint8Array> {
  const { core, appender } = parts
  assertOpen(core)
  return appender.exclusive(async () => {
    if (core.key === null) {
      const key = treeHash(core.roots)
      await core.durable.flush() // a key over content that is not there would be the end of it
      await core.files.key.write(0, key)
      await core.durable.ordered('key')
      core.key = key
      core.live = false
    }
    return core.key
  })
}
