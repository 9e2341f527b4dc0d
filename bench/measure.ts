/**
 * How a bench measures: the sides of a job run turn about after warm-up rounds, so that what else the
 * machine does falls on all of them, and medians are compared.
 *
 *     append 10k x 1 KiB        41.2 ms (39.8 to 44.0)   v10 58.9 ms  0.70x   write 12.1 ms  3.40x
 *
 * A ratio is ours / other: below 1 is better. No verdicts.
 *
 * @module
 */

/** One round of a job: its own time in ms where set-up must not count, else the whole call's. */
export type Round = () => Promise<number | void> | number | void

/** The sides of a job. */
export interface Sides {
  readonly ours: Round
  /** The same job by v10. */
  readonly v10?: Round | undefined
  /** What the machine can do at best: the bare hash, the bare write, the bare socket. */
  readonly limit?: { readonly name: string; readonly round: Round } | undefined
}

/** What a layer's file gets: `export async function run(bench: Bench): Promise<void>`. */
export interface Bench {
  /** Run small: only to see that the bench works. */
  readonly quick: boolean
  /**
   * Run a job of `bench/v10.cjs` in v10's process and give its time in ms. Null when v10 is not
   * installed.
   */
  readonly v10: ((job: string, parameters: Readonly<Record<string, unknown>>) => Round) | null
  /** Measure one job and print its line. `title` names it as a user would. */
  compare(title: string, sides: Sides): Promise<void>
}

/** Median, least and greatest of some rounds, in ms. */
export interface Times {
  readonly median: number
  readonly least: number
  readonly greatest: number
}

/** Run the sides turn about: `warmUp` rounds that do not count, then `rounds` that do. */
export async function measure(
  sides: readonly Round[],
  { warmUp, rounds }: { warmUp: number; rounds: number },
): Promise<Times[]> {
  const times: number[][] = sides.map(() => [])
  for (let round = -warmUp; round < rounds; round++) {
    for (const [i, side] of sides.entries()) {
      const start = performance.now()
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
      const own = await side()
      const whole = performance.now() - start
      if (round >= 0) times[i]?.push(typeof own === 'number' ? own : whole)
    }
  }
  return times.map(summary)
}

function summary(times: number[]): Times {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (i: number): number => sorted[i] ?? Number.NaN
  const middle = (sorted.length - 1) / 2
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    least: at(0),
    greatest: at(sorted.length - 1),
  }
}

/** Measure a job and give its line. */
export async function line(
  title: string,
  { ours, v10, limit }: Sides,
  counts: { warmUp: number; rounds: number },
): Promise<string> {
  const others: { name: string; round: Round }[] = []
  if (v10) others.push({ name: 'v10', round: v10 })
  if (limit) others.push(limit)
  const [mine, ...theirs] = await measure([ours, ...others.map(({ round }) => round)], counts)
  if (!mine) throw new Error('nothing measured')
  const spread = `(${milliseconds(mine.least)} to ${milliseconds(mine.greatest)})`
  const cells = [`${milliseconds(mine.median).padStart(8)} ms ${spread.padEnd(20)}`]
  for (const [i, { median }] of theirs.entries()) {
    const name = others[i]?.name ?? ''
    const ratio = (mine.median / median).toFixed(2)
    cells.push(`${name} ${milliseconds(median)} ms ${ratio}x`.padEnd(26))
  }
  return `${title.padEnd(38)} ${cells.join('  ')}`.trimEnd()
}

function milliseconds(time: number): string {
  return time >= 100 ? time.toFixed(0) : time.toFixed(time >= 10 ? 1 : 2)
}
