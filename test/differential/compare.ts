/**
 * Judges what two subjects told of one sequence: equal, excused by a rule, or different.
 *
 * @module
 */
import { type Case, rules } from './rules.ts'
import type { Result, Step } from './step.ts'

/** How a sequence compares. */
export interface Verdict {
  /** Steps that were compared. */
  readonly compared: number
  /** Names of the rules that excused something, once for each time. */
  readonly excused: readonly string[]
  /** The first difference that no rule excuses. */
  readonly different?: Difference
}

/** What no rule excuses. */
export interface Difference extends Case {
  readonly index: number
}

/**
 * Compare step by step, up to the first difference or to a rule behind which the two drives are no longer the same.
 *
 * @param original - lines of JSON from v10, one a step
 * @param ours - the same from Varve
 */
export function compare(
  steps: readonly Step[],
  original: readonly string[],
  ours: readonly string[],
): Verdict {
  const excused: string[] = []
  let compared = 0
  const versions = new Versions()
  for (const [index, step] of steps.entries()) {
    const [theirs, mine] = [original[index], ours[index]]
    if (theirs === undefined && mine === undefined) break
    if (theirs === undefined || mine === undefined) {
      const [a, b] = [theirs ?? 'ended before', mine ?? 'ended before']
      return {
        compared,
        excused,
        different: { index, step, steps, isBetween: false, what: 'end', original: a, ours: b },
      }
    }
    compared++
    const told = JSON.parse(theirs) as Result
    const isBetween = versions.isBetween(step)
    versions.add(step, told)
    if (theirs === mine) continue
    const verdict = judge(
      { steps: steps.slice(0, index + 1), isBetween },
      told,
      JSON.parse(mine) as Result,
    )
    excused.push(...verdict.excused)
    if (verdict.different) return { compared, excused, different: { index, ...verdict.different } }
    if (verdict.apart) break
  }
  return { compared, excused }
}

/** The versions that each drive had behind each step, as v10 tells of the blocks that it appended. */
class Versions {
  readonly #current = new Map<string, number>()
  /** Versions in the middle of a mount, which is two blocks. */
  readonly #between = new Map<string, Set<number>>()

  /** Whether a step looks at such a version. */
  isBetween({ drive = 'main', back }: Step): boolean {
    if (back === undefined) return false
    const version = Math.max(1, (this.#current.get(drive) ?? 1) - back)
    return this.#between.get(drive)?.has(version) === true
  }

  add({ op }: Step, { seen }: Result): void {
    for (const [log, blocks] of Object.entries(seen['blocks'] ?? {})) {
      const [drive = '', kind] = log.split(' ')
      if (kind !== 'metadata' || !Array.isArray(blocks)) continue
      const version = (this.#current.get(drive) ?? 0) + blocks.length
      this.#current.set(drive, version)
      if (op !== 'mount' && op !== 'unmount') continue
      const between = this.#between.get(drive) ?? new Set()
      this.#between.set(drive, between.add(version - 1))
    }
  }
}

interface Judgement {
  readonly excused: string[]
  readonly apart: boolean
  readonly different?: Case
}

function judge(
  { steps, isBetween }: Pick<Case, 'steps' | 'isBetween'>,
  theirs: Result,
  mine: Result,
): Judgement {
  const excused: string[] = []
  const step = steps.at(-1)
  if (!step) throw new Error('no step')
  for (const { what, original, ours } of differingParts(theirs, mine)) {
    const difference = { step, steps, isBetween, what, original, ours }
    const level = levelled(difference)
    excused.push(...level.excused)
    if (JSON.stringify(level.value) === JSON.stringify(ours)) continue
    const rule = rules.find(({ applies }) => applies?.({ ...difference, original: level.value }))
    if (!rule) {
      const left = { ...difference, original: level.value }
      return { excused, apart: false, different: left }
    }
    excused.push(rule.name)
    // Where both refused, nothing was changed.
    // A side that never answered, or broke, has ended its sequence.
    if (ended(theirs) || ended(mine)) return { excused, apart: true }
    if (rule.apart && !(theirs.outcome.error && mine.outcome.error)) return { excused, apart: true }
  }
  return { excused, apart: false }
}

function ended({ outcome }: Result): boolean {
  return outcome.hang === true || outcome.escaped !== undefined
}

/** v10's answer with every part put as Varve puts it, and the rules that did it. */
function levelled(difference: Case): { value: unknown; excused: string[] } {
  const excused: string[] = []
  let value = difference.original
  for (const { name, level } of rules) {
    if (!level) continue
    const next = level(value, difference)
    if (JSON.stringify(next) !== JSON.stringify(value)) excused.push(name)
    value = next
  }
  return { value, excused }
}

function differingParts(
  original: Result,
  ours: Result,
): { what: string; original: unknown; ours: unknown }[] {
  const names = new Set([...Object.keys(original.seen), ...Object.keys(ours.seen)])
  const pairs = [
    { what: 'outcome', original: original.outcome as unknown, ours: ours.outcome as unknown },
    ...[...names].map((what) => ({ what, original: original.seen[what], ours: ours.seen[what] })),
  ]
  return pairs.filter(({ original, ours }) => JSON.stringify(original) !== JSON.stringify(ours))
}
