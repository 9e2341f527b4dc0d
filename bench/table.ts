/** Results as lines of text: on the screen and in the docs. */
import { type Result, type Summary, growthOf, summaryOf, verdicts } from './results.ts'
import type { Row, Target, Unit, Workload } from './workload.ts'

/** One line of the table, cell by cell. */
export interface Line {
  readonly title: string
  /** One of each contender, with least and greatest. */
  readonly cells: readonly string[]
  readonly verdict: string
}

/** Contenders of a result that measured anything, in order. */
export function contendersOf(result: Result): string[] {
  return result.columns.map(({ contender }) => contender)
}

/** Lines of one size of a workload: every row, then CPU, memory and disk of each step. */
export function linesOf(workload: Workload, result: Result): Line[] {
  const contenders = contendersOf(result)
  const lines: Line[] = []
  for (const row of workload.rows) {
    const cells = contenders.map((name) => cell(summaryOf(result, name, row.figure), row.unit))
    if (cells.every((text) => text === '')) continue
    lines.push({ title: row.title, cells, verdict: verdictOf(result, row) })
  }
  for (const { figure, title, unit } of costs(workload)) {
    const cells = contenders.map((name) => cell(summaryOf(result, name, figure), unit))
    if (cells.every((text) => text === '')) continue
    if (!workload.rows.some((row) => row.figure === figure))
      lines.push({ title: `· ${title}`, cells, verdict: '' })
  }
  return lines
}

/** What every workload notes beside its own figures. */
function costs(workload: Workload): Row[] {
  const rows: Row[] = []
  const timed = new Set(workload.rows.filter(({ unit }) => unit !== 'MB').map((row) => row.figure))
  for (const figure of timed)
    rows.push({ figure: `${figure} cpu`, title: `${figure}: CPU seconds`, unit: 's' })
  rows.push({ figure: 'serve cpu', title: 'server: CPU seconds', unit: 's' })
  for (const { name } of workload.steps) {
    rows.push({ figure: `${name} peak`, title: `${name}: peak resident`, unit: 'MB' })
    rows.push({ figure: `${name} peak of server`, title: `${name}: server's peak`, unit: 'MB' })
    rows.push({ figure: `${name} disk`, title: `${name}: on disk`, unit: 'MB' })
  }
  return rows
}

/** Growth lines of a workload. */
export function growthLines(workload: Workload, results: readonly Result[]): string[] {
  const lines: string[] = []
  for (const { figure, title, most } of workload.growth ?? []) {
    const own = growthOf(workload, results, 'varve', figure, most)
    if (!own) continue
    const theirs = growthOf(workload, results, 'v10', figure, most)
    const beside = theirs ? `, v10 ${theirs.times.toFixed(2)} x` : ''
    const verdict =
      own.allowed === null
        ? ''
        : `; at most ${own.allowed.toFixed(2)} x: ${own.times <= own.allowed ? 'met' : 'MISSED'}`
    lines.push(
      `${title} costs ${own.times.toFixed(2)} x as much at ${own.to} as at ${own.from}${beside}${verdict}`,
    )
  }
  return lines
}

/** A target in words, e.g. `≥ 2.5 x v10`. */
export function targetText(target: Target, unit: Unit): string {
  switch (target.type) {
    case 'faster':
      return `≥ ${target.times} x ${target.against}`
    case 'share':
      return `≤ ${target.share} ${target.against}`
    case 'most':
      return `≤ ${format(target.most, unit)}`
  }
}

function verdictOf(result: Result, row: Row): string {
  if (!summaryOf(result, row.of ?? 'varve', row.figure)) return ''
  return verdicts(result, row)
    .map(({ target, reached, met }) => {
      const wanted = targetText(target, row.unit)
      if (reached === null) return `${wanted}: not measured`
      const value = target.type === 'most' ? format(reached, row.unit) : reached.toFixed(2)
      return `${wanted}: ${value} ${met ? 'met' : 'MISSED'}`
    })
    .join('; ')
}

function cell(summary: Summary | null, unit: Unit): string {
  if (!summary) return ''
  const { median, least, greatest } = summary
  const [low, high] = unit === 'MiB/s' ? [greatest, least] : [least, greatest]
  if (low === high) return format(median, unit)
  return `${format(median, unit)} (${number(low, unit)} to ${number(high, unit)})`
}

/** A figure with its unit. */
export function format(value: number, unit: Unit): string {
  return `${number(value, unit)}${unit === '' ? '' : ` ${unit}`}`
}

/** A figure in the unit it is shown in: times are kept in milliseconds, sizes in MB. */
export function shown(value: number, unit: Unit): number {
  if (unit === 'µs') return value * 1000
  if (unit === 'MiB/s') return 1000 / value
  return value
}

function number(value: number, unit: Unit): string {
  const seen = shown(value, unit)
  return seen.toFixed(seen >= 100 ? 0 : seen >= 10 ? 1 : 2)
}

/** One size of a workload for the screen; `whole` adds verdicts, and CPU, memory and disk. */
export function screen(workload: Workload, result: Result, whole: boolean): string {
  const contenders = contendersOf(result)
  const all = linesOf(workload, result)
  const lines = whole
    ? all
    : all.flatMap((line) => (line.title.startsWith('·') ? [] : [{ ...line, verdict: '' }]))
  const titles = Math.max(...lines.map(({ title }) => title.length), 12)
  const widths = contenders.map((name, i) =>
    Math.max(name.length, ...lines.map(({ cells }) => cells[i]?.length ?? 0)),
  )
  const head = ['', ...contenders].map((name, i) =>
    i === 0 ? name.padEnd(titles) : name.padStart(widths[i - 1] ?? 0),
  )
  const text = [`\n${workload.number}. ${workload.title}, ${result.size.label}`, head.join('  ')]
  for (const { title, cells, verdict } of lines) {
    const padded = cells.map((each, i) => each.padStart(widths[i] ?? 0))
    text.push(`${[title.padEnd(titles), ...padded].join('  ')}  ${verdict}`.trimEnd())
  }
  for (const { contender, failures } of result.columns) {
    for (const failure of failures) text.push(`FAILED ${contender}: ${failure}`)
  }
  return text.join('\n')
}
