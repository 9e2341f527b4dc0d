/**
 * A sparse log that keeps up with its writer: asks for longer versions for as long as it is open.
 *
 * @see spec/10-log.md 4.1, `eagerUpdate`
 * @module
 */
import { LogError } from './errors.ts'
import type { UpdateOptions } from './options.ts'

/** What the loop needs of a log. */
export interface UpdatedLog {
  update(options: UpdateOptions): Promise<void>
}

/**
 * Update again and again. Ends when the log is closed, and with the first failure, which it tells: what
 * fails here (a log that did not open, a fork) would fail again at once.
 */
export async function updateEagerly(
  log: UpdatedLog,
  onerror: (error: unknown) => void,
): Promise<void> {
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one version after the other
      await log.update({ wait: true, timeout: 0 })
    }
  } catch (error) {
    if (!(error instanceof LogError) || error.code !== 'LOG_CLOSED') onerror(error)
  }
}
