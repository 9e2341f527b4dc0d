/**
 * What torture consists of. A part registers itself here with one line.
 *
 * @module
 */
import { part as bitFlips } from './bit-flips.ts'
import { part as hostile } from './hostile/part.ts'
import { part as kills } from './kills.ts'
import { part as simulation } from '../simulation/part.ts'
import { part as storageFaults } from './storage-faults.ts'

/** How a run was asked for. */
export interface Setting {
  /** Decides everything but the clock. */
  readonly seed: number
  /** A share that fits in two minutes together with the other parts. */
  readonly quick: boolean
  /** Run only points whose name has this in it: what a failure printed. */
  readonly only: string | null
  /** Tell whoever watches what failed, or how far it is. */
  readonly note: (line: string) => void
  /** Called at every point, with what would be told if it hung. */
  readonly at: (point: string) => void
}

/** One line of the table. */
export interface Row {
  readonly what: string
  readonly passed: number
  readonly failed: number
  readonly skipped?: number
  /** Further figures, in words. */
  readonly remark?: string
}

/** One of the things done to the project. */
export interface Part {
  /** `npm run torture -- NAME` runs it alone. */
  readonly name: string
  readonly run: (setting: Setting) => Promise<Row[]>
}

/** All parts, in the order they run. */
export const parts: readonly Part[] = [storageFaults, bitFlips, kills, hostile, simulation]
