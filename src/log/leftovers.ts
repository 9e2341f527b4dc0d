/**
 * What a failure may have left beyond the length: signatures of a batch that was not stored whole, or all that
 * was to be cut.
 *
 * What is appended next could complete what they were made over in part, or a crash bring it back: so they
 * go first, and for good.
 *
 * @module
 */
import type { Core } from './core.ts'
import { finishCut } from './truncate.ts'

/** Cut off what may be left. */
export async function cutLeftovers(core: Core): Promise<void> {
  if (core.leftovers === 'cut') return finishCut(core)
  await core.signatures.cutAfter(core.length, true)
  await core.durable.ordered('signatures')
  core.leftovers = null
}
