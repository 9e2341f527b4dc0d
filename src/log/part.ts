/**
 * A log whose writer holds only part of it: it was put back to an earlier state, or its key is in two places, and
 * what others had was fetched.
 *
 * Of a writer's log every block has its leaf here, so one that is missing was lost by a crash, and the log ends before
 * it (recover.ts). Here that would be wrong: others have what comes behind, and to append in its place would fork
 * the log. So it is noted, in the `durable` file, before the first such growth is stored, in every mode; and such
 * a log is found again as a copy is.
 *
 * @see docs/reliability.md, what survives a crash
 * @module
 */
import type { Core } from './core.ts'

/** Whether all of the log was appended here, so that what is missing was lost. */
export function isSource(core: Core): boolean {
  if (core.key === null) return true
  return core.secretKey !== null && !core.durableBits.isPart
}

/** Others sent a longer log: call before any of it is stored. */
export async function becomePart(core: Core): Promise<void> {
  if (!core.secretKey || core.durableBits.isPart) return
  await core.durableBits.notePart(true)
  await core.durable.orderedNote()
}

/** If every leaf has come meanwhile, the log is whole again. Call before something is appended. */
export async function becomeWhole(core: Core): Promise<void> {
  const { durable, durableBits, bitfield } = core
  if (bitfield.firstUnknownLeaf(core.length) >= 0) return
  await durable.flush() // bits that are lost after the note would look like blocks that are
  await durableBits.notePart(false)
}
