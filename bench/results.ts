/** What the rounds of a workload gave, and whether its targets are met. */
import type { Row, Size, Target, Workload } from './workload.ts'

/** One contender's figures of one round. */
export interface Round {
  readonly figures: Readonly<Record<string, number>>
  /** The machine's load over the last minute, before each step. */
  readonly loads: readonly number[]
}

/** A contender's rounds. */
export interface Column {
  readonly contender: string
  readonly rounds: Round[]
  /** What went wrong, of each failed step. */
  readonly failures: string[]
}

/** One size of one workload. */
export interface Result {
  readonly workload: number
  readonly size: Size
  readonly columns: readonly Column[]
}

/** A whole run, as it is written. */
export interface Report {
  readonly machine: string
  readonly node: string
  readonly commit: string
  readonly started: string
  readonly scale: number
  readonly results: Result[]
}

/** Median, least and greatest of some rounds. */
export interface Summary {
  readonly median: number
  readonly least: number
  readonly greatest: number
}

/** A figure over the rounds of a contender; null where it was not measured. */
export function summaryOf(result: Result, contender: string, figure: string): Summary | null {
  const column = result.columns.find((each) => each.contender === contender)
  const values = (column?.rounds ?? [])
    .map(({ figures }) => figures[figure])
    .filter((value) => value !== undefined)
    .toSorted((a, b) => a - b)
  const [least] = values
  const greatest = values.at(-1)
  if (least === undefined || greatest === undefined) return null
  const middle = (values.length - 1) / 2
  const low = values[Math.floor(middle)] ?? least
  const high = values[Math.ceil(middle)] ?? greatest
  return { median: (low + high) / 2, least, greatest }
}

/** How a target stands: `reached` is the ratio, or the value where there is no other contender. */
export interface Verdict {
  readonly target: Target
  readonly reached: number | null
  readonly met: boolean | null
}

/** Hold a row's figure against its targets; `null` where one side was not measured. */
export function verdicts(result: Result, row: Row): Verdict[] {
  if (row.at && !row.at.includes(result.size.label)) return []
  const own = summaryOf(result, row.of ?? 'varve', row.figure)
  return (row.targets ?? []).map((target) => {
    if (!own) return { target, reached: null, met: null }
    if (target.type === 'most') {
      return { target, reached: own.median, met: own.median <= target.most }
    }
    const other = summaryOf(result, target.against, row.figure)
    if (!other) return { target, reached: null, met: null }
    const reached = target.type === 'faster' ? other.median / own.median : own.median / other.median
    const met = target.type === 'faster' ? reached >= target.times : reached <= target.share
    return { target, reached, met }
  })
}

/** How a figure grew from the smallest size to the largest, beside what log N did. */
export interface GrowthVerdict {
  readonly times: number
  readonly allowed: number | null
  readonly from: string
  readonly to: string
}

/** Growth of each figure that a workload watches, for one contender. */
export function growthOf(
  workload: Workload,
  results: readonly Result[],
  contender: string,
  figure: string,
  most: 'log' | 'flat' | undefined,
): GrowthVerdict | null {
  const own = results.filter(({ workload: number }) => number === workload.number)
  const [first] = own
  const last = own.at(-1)
  if (!first || !last || first === last) return null
  const small = summaryOf(first, contender, figure)
  const large = summaryOf(last, contender, figure)
  if (!small || !large) return null
  const count = ({ size }: Result): number => Object.values(size.parameters)[0] ?? Number.NaN
  const logs = Math.log(count(last)) / Math.log(count(first))
  const allowed = most === 'log' ? logs : most === 'flat' ? 1.25 : null
  return {
    times: large.median / small.median,
    allowed,
    from: first.size.label,
    to: last.size.label,
  }
}
