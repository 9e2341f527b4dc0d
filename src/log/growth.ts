/**
 * Whether a log may become longer by a proof from elsewhere.
 *
 * @see docs/reliability.md, forks
 * @module
 */
import { forkError } from './core.ts'
import type { Core } from './core.ts'
import { LogError } from './errors.ts'
import type { ReceivedBlock } from './replicator.ts'

/**
 * @param length - blocks of the log that `block` was proven to be in
 * @throws {@link LogError} `LOG_TOO_LONG`; `LOG_FORK` when the log is forked; `LOG_BEHIND` on a writer
 *   that does not download: somebody else has its key, or it was put back to an earlier state, and
 *   appends would fork the log, so that they are refused from here on
 */
export function assertMayGrow(core: Core, block: ReceivedBlock, length: number): void {
  if (length > core.maxLength) {
    throw new LogError('LOG_TOO_LONG', `want at most ${core.maxLength} blocks`)
  }
  if (length <= core.length) return
  if (core.fork) throw forkError(core.fork)
  if (!core.ownGrowth || block.value) return
  const message = `the key signed ${length} blocks elsewhere, and here are ${core.length}`
  const error = new LogError('LOG_BEHIND', message)
  core.refusesAppend ??= error
  throw error
}

/** The log grew by what others sent: it may no longer be behind them. */
export function grewByOthers(core: Core): void {
  if (core.refusesAppend?.code === 'LOG_BEHIND') core.refusesAppend = null
}
