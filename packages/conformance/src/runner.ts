/**
 * Runs cases one after the other. No case takes for ever: what the subject may do slowly has a limit of
 * its own, and above it stands one for the whole case.
 *
 * @module
 */
import { type Case, type Outcome, Skip, within } from './case.ts'

/** Milliseconds for one case, whatever it does. */
export const CASE_LIMIT_MS = 30_000

/** Which cases, and when to stop. */
export interface RunOptions {
  /** Only cases whose id begins with one of these. */
  readonly only?: readonly string[] | undefined
  /** Only cases of these sections, such as `20-wire 2.4`. */
  readonly sections?: readonly string[] | undefined
  /** Only every n-th case, from the i-th on: `[i, n]`, so that several processes share the work. */
  readonly shard?: readonly [number, number] | undefined
  /** Stop after so many failures. */
  readonly bail?: number | undefined
  readonly limitMs?: number | undefined
  readonly onOutcome?: ((outcome: Outcome) => void) | undefined
}

/** Run them, and give how each ended. */
export async function runCases<Context>(
  cases: Iterable<Case<Context>>,
  context: Context,
  options: RunOptions = {},
): Promise<Outcome[]> {
  const { only, sections, bail = Infinity, limitMs = CASE_LIMIT_MS, onOutcome } = options
  const outcomes: Outcome[] = []
  const [first, step] = options.shard ?? [0, 1]
  let failed = 0
  let number = 0
  for (const each of cases) {
    if (number++ % step !== first) continue
    if (only && !only.some((prefix) => each.id.startsWith(prefix))) continue
    if (sections && !sections.includes(each.section)) continue
    // oxlint-disable-next-line no-await-in-loop -- one subject, one case at a time
    const outcome = await runCase(each, context, limitMs)
    outcomes.push(outcome)
    onOutcome?.(outcome)
    if (outcome.result === 'failed') failed++
    if (failed >= bail) break
  }
  return outcomes
}

async function runCase<Context>(
  each: Case<Context>,
  context: Context,
  limitMs: number,
): Promise<Outcome> {
  const { id, title, section, level } = each
  const start = performance.now()
  const outcome = (
    result: Outcome['result'],
    reason: string | null,
    cost: Outcome['cost'] = null,
  ): Outcome => ({
    id,
    title,
    section,
    level,
    result,
    reason,
    cost,
    ms: Math.round(performance.now() - start),
  })
  try {
    const cost = await within(each.run(context), limitMs, 'the case')
    return outcome('passed', null, cost ?? null)
  } catch (error) {
    if (error instanceof Skip) return outcome('skipped', error.message)
    return outcome('failed', error instanceof Error ? error.message : String(error))
  }
}
