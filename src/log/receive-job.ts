/**
 * One call of `receive`: its blocks, and how far they are.
 *
 * @module
 */
import type { Core } from './core.ts'
import { LogError } from './errors.ts'
import type { LogPeer, ReceivedBlock } from './replicator.ts'

/** Result of each block of a call: `null` when it is stored. */
export type ReceiveResults = Array<LogError | null>

/** A call that goes on. */
export interface Job {
  readonly blocks: readonly ReceivedBlock[]
  readonly source: LogPeer | null
  readonly results: ReceiveResults
  /** The block to verify next. */
  next: number
  /** Blocks that are not settled yet, plus one until all were verified. */
  open: number
  readonly resolve: (results: ReceiveResults) => void
  readonly reject: (error: unknown) => void
}

/** One of the things that a job waits for is done. */
export function finish(job: Job): void {
  job.open--
  if (job.open === 0) job.resolve(job.results)
}

/**
 * Let the program's hook see a block before it is stored.
 *
 * @throws {@link LogError} `LOG_BAD_PROOF` when it refuses
 */
export async function approve(
  { onwrite }: Core,
  { index, value }: ReceivedBlock,
  source: LogPeer | null,
): Promise<void> {
  if (!onwrite || !value) return
  try {
    await onwrite(index, value, source)
  } catch (cause) {
    throw cause instanceof LogError
      ? cause
      : new LogError('LOG_BAD_PROOF', 'the block was refused', { cause })
  }
}
