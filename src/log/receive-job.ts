/**
 * One call of `receive`: its blocks, and how far they are.
 *
 * @module
 */
import type { LogError } from './errors.ts'
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
