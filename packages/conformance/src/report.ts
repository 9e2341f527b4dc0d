/**
 * Outcomes as a table to read, as TAP, and as JSON.
 *
 * @module
 */
import type { Outcome } from './case.ts'

/** The forms. */
export const FORMATS = ['table', 'tap', 'json'] as const
/** One of the forms. */
export type Format = (typeof FORMATS)[number]

/** How many ended how. */
export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Failed, of those that are MUST. */
  readonly failedMust: number
}

/** Count them. */
export function count(outcomes: readonly Outcome[]): Counts {
  const of = (result: Outcome['result']): Outcome[] =>
    outcomes.filter((each) => each.result === result)
  const failed = of('failed')
  return {
    passed: of('passed').length,
    failed: failed.length,
    skipped: of('skipped').length,
    failedMust: failed.filter(({ level }) => level === 'MUST').length,
  }
}

/** The line that ends every report. */
export function countLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

/** The whole report. */
export function report(outcomes: readonly Outcome[], format: Format): string {
  switch (format) {
    case 'table':
      return table(outcomes)
    case 'tap':
      return tap(outcomes)
    case 'json':
      return JSON.stringify({ version: 1, counts: count(outcomes), cases: outcomes }, null, 2)
  }
}

/** One line a topic, then what failed, then the counts. */
function table(outcomes: readonly Outcome[]): string {
  const topics = grouped(outcomes, topicOf)
  const width = Math.max(5, ...[...topics.keys()].map((topic) => topic.length))
  const lines = [`${'topic'.padEnd(width)}  passed  failed  skipped`]
  for (const [topic, some] of topics) {
    const { passed, failed, skipped } = count(some)
    const cells = [pad(passed, 6), pad(failed, 6), pad(skipped, 7)]
    lines.push(`${topic.padEnd(width)}  ${cells.join('  ')}`)
  }
  for (const each of outcomes.filter(({ result }) => result === 'failed')) {
    lines.push('', `${each.level} ${each.id} (${each.section})`, `  ${each.title}`)
    lines.push(`  ${each.reason ?? ''}`)
  }
  const reasons = grouped(
    outcomes.filter(({ result }) => result === 'skipped'),
    ({ reason }) => reason ?? '',
  )
  if (reasons.size > 0) lines.push('')
  for (const [reason, some] of reasons) lines.push(`skipped ${some.length}: ${reason}`)
  const counts = count(outcomes)
  if (counts.failed > 0) lines.push('', `${counts.failedMust} of the failures are of level MUST`)
  lines.push('', countLine(counts))
  return lines.join('\n')
}

function grouped(
  outcomes: readonly Outcome[],
  by: (outcome: Outcome) => string,
): Map<string, Outcome[]> {
  const groups = new Map<string, Outcome[]>()
  for (const outcome of outcomes) {
    const group = groups.get(by(outcome))
    if (group) group.push(outcome)
    else groups.set(by(outcome), [outcome])
  }
  return groups
}

/** The first two parts of an id. */
export function topicOf({ id }: { readonly id: string }): string {
  return id.split('.').slice(0, 2).join('.')
}

function tap(outcomes: readonly Outcome[]): string {
  const lines = ['TAP version 14', `1..${outcomes.length}`]
  for (const [i, each] of outcomes.entries()) {
    const { id, title, section, level, result, reason } = each
    const mark = result === 'skipped' ? ` # SKIP ${reason ?? ''}` : ''
    lines.push(
      `${result === 'failed' ? 'not ok' : 'ok'} ${i + 1} - ${id}: ${escaped(title)}${mark}`,
    )
    if (result !== 'failed') continue
    const fields = { section, level, reason }
    lines.push('  ---')
    for (const [key, value] of Object.entries(fields))
      lines.push(`  ${key}: ${JSON.stringify(value)}`)
    lines.push('  ...')
  }
  lines.push(`# ${countLine(count(outcomes))}`)
  return lines.join('\n')
}

function escaped(text: string): string {
  return text.replaceAll('#', '\\#')
}

function pad(value: number, width: number): string {
  return String(value).padStart(width)
}
