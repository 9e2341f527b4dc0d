/**
 * What is told of a world that was played.
 *
 * @module
 */

/** How a world ended. */
export interface Outcome {
  /** What was wrong; nothing. */
  readonly failures: readonly string[]
  /** Equal when the run was. */
  readonly trace: number
  readonly connections: number
  readonly crashes: number
  /** Reads, seeks, updates and downloads that were asked for. */
  readonly waits: number
}
