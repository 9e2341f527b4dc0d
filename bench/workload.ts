/**
 * The words of the bench: what a workload is made of.
 *
 *     workload   one line of the table of promises, e.g. "log: append 100 B blocks one by one"
 *     contender  who does it: Varve in some mode, v10, Hyperdrive 13, the plain file system, or the
 *                *minimal program*, which only hashes, signs, enciphers and writes
 *     step       one process of one contender; steps of a contender share a folder
 *     figure     one number a step measured, always so that less is better
 *     row        a figure as it is shown, with its targets
 *
 * @module
 */
import type { StepContext } from './context.ts'

/** A program that a step can run: which `sides/` file opens its logs and drives. */
export type Program = 'varve' | 'v10' | 'h13' | 'fs' | 'minimal'

/** One column of the table. */
export interface Contender {
  readonly name: string
  readonly program: Program
  /** When Varve's writes reach the disk; `none` is what v10 does. Left out: `none`. */
  readonly durability?: 'none' | 'batch' | 'sync'
  /** The program at the other end of the connection, if it is another. */
  readonly server?: Program
  /** Runs only with `--peers`. */
  readonly peer?: boolean
  /** Shows what durability costs; left out of a quick run. */
  readonly extra?: boolean
}

/** Sizes of one run of a workload: numbers by name. */
export type Parameters = Readonly<Record<string, number>>

/** One process of one contender. Programs without a function of their own skip the step. */
export interface Step {
  readonly name: string
  /** By Varve, v10 and Hyperdrive 13, through `context.side`. */
  readonly drive?: (context: StepContext) => Promise<void>
  /** By the plain file system. */
  readonly fs?: (context: StepContext) => Promise<void> | void
  /** By the minimal program. */
  readonly minimal?: (context: StepContext) => Promise<void> | void
  /** In a process beside: serves what the step fetches. It runs until the step is done. */
  readonly serve?: (context: StepContext) => Promise<void>
  /** `server`: run by the program at the other end, if it is another. */
  readonly by?: 'server'
  /** Contenders that take part; left out: all that can. */
  readonly only?: readonly string[]
  /** Note the bytes on disk when the step is done. */
  readonly disk?: boolean
}

/** How a figure is shown. Times are in milliseconds per operation, or per MiB for `MiB/s`. */
export type Unit = 'ms' | 'µs' | 'MiB/s' | 's' | 'MB' | 'KB' | 'round trips' | 'x' | ''

/** What a figure has to reach, against another contender or alone. */
export type Target =
  /** `times` as fast as `against`, or more. */
  | { readonly type: 'faster'; readonly against: string; readonly times: number }
  /** At most `share` of what `against` has. */
  | { readonly type: 'share'; readonly against: string; readonly share: number }
  /** At most `most`. */
  | { readonly type: 'most'; readonly most: number }

/** One figure as it is shown. */
export interface Row {
  readonly figure: string
  readonly title: string
  readonly unit: Unit
  readonly targets?: readonly Target[]
  /** Sizes at which the targets hold; left out: at all. */
  readonly at?: readonly string[]
  /** Whose figure the targets are about. Left out: `varve`. */
  readonly of?: string
}

/** How the cost of one operation may grow from the smallest size to the largest. */
export interface Growth {
  readonly figure: string
  readonly title: string
  readonly unit: Unit
  /** `log`: no faster than log N. `flat`: by a quarter at most, which is what noise may do. */
  readonly most?: 'log' | 'flat'
}

/** One line of the table of promises. */
export interface Workload {
  /** Its number in the table. */
  readonly number: number
  /** Other lines that its steps measure on the way. */
  readonly also?: readonly number[]
  readonly name: string
  readonly title: string
  readonly contenders: readonly Contender[]
  /** Sizes of a whole run; several make a growth curve. `scale` 1 is the full size, `quick` a smoke test. */
  sizes(scale: number, quick: boolean): readonly Size[]
  readonly steps: readonly Step[]
  readonly rows: readonly Row[]
  readonly growth?: readonly Growth[]
}

/** One size of a workload. */
export interface Size {
  readonly label: string
  readonly parameters: Parameters
}

/** Varve as it is compared with v10, which never syncs. */
export const VARVE: Contender = { name: 'varve', program: 'varve', durability: 'none' }
/** Varve as it is out of the box. */
export const VARVE_BATCH: Contender = {
  name: 'batch',
  program: 'varve',
  durability: 'batch',
  extra: true,
}
/** Varve with every write on the disk before it is acknowledged. */
export const VARVE_SYNC: Contender = {
  name: 'sync',
  program: 'varve',
  durability: 'sync',
  extra: true,
}
export const V10: Contender = { name: 'v10', program: 'v10' }
export const H13: Contender = { name: 'h13', program: 'h13', peer: true }
export const FS: Contender = { name: 'fs', program: 'fs' }
export const MINIMAL: Contender = { name: 'm', program: 'minimal' }

/** The target `times` as fast as another contender. */
export function faster(against: string, times: number): Target {
  return { type: 'faster', against, times }
}

/** The target of at most a share of another contender's figure. */
export function share(against: string, part: number): Target {
  return { type: 'share', against, share: part }
}

/** `full` scaled down, but no less than `least`; `smoke` in a quick run. */
export function scaled(full: number, scale: number, quick: boolean, smoke: number): number {
  return quick ? smoke : Math.max(smoke, Math.round(full * scale))
}
