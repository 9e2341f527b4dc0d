/**
 * Signatures that lie beyond the length: of a write that failed, or of blocks that are being cut off.
 *
 * What is appended next could complete what they were made over in part, or a crash bring it back: so they
 * go first, and for good.
 *
 * @module
 */
import type { Core } from './core.ts'

/** Cut off signatures beyond the length, if there may be any. */
export async function cutLeftovers(core: Core): Promise<void> {
  if (!core.leftovers) return
  await core.signatures.cutAfter(core.length, true)
  await core.durable.ordered('signatures')
  core.leftovers = false
}
