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
  /** How often each kind of thing befell the world; every kind is in it. */
  readonly events: ReadonlyMap<Event, number>
}

/** What may befall a world. */
export const EVENTS = [
  'delayed link',
  'slow source',
  'lost at a byte',
  'cut',
  'dead source',
  'dead one way',
  'half open',
  'pause',
  'partition that heals',
  'partition for good',
  'process killed',
  'power cut',
] as const

/** One of them. */
export type Event = (typeof EVENTS)[number]
