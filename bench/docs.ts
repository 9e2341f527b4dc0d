/**
 * Puts figures into `docs/performance.md`: the tables between its marks, and a plot of each growth curve.
 * What is measured later replaces the same workloads and leaves the others.
 *
 * Plots are made by ECharts, which renders to SVG text without a browser.
 *
 * @module
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as echarts from 'echarts'
import { format as prettify, resolveConfig } from 'prettier'
import { type Report, type Result, summaryOf } from './results.ts'
import { contendersOf, growthLines, linesOf, shown } from './table.ts'
import type { Growth, Workload } from './workload.ts'
import { workloads } from './workloads/index.ts'

const PAGE = 'docs/performance.md'
const FOLDER = 'docs/performance'
const MARKS = ['<!-- figures -->', '<!-- end of figures -->'] as const

/** Merge a report into the figures of the docs, and write page and plots anew. */
export async function writeDocs(report: Report): Promise<void> {
  mkdirSync(FOLDER, { recursive: true })
  const file = join(FOLDER, 'figures.json')
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report) : null
  const merged = merge(before, report)
  await write(file, JSON.stringify(merged))
  const page = readFileSync(PAGE, 'utf8')
  const [start, end] = MARKS.map((mark) => page.indexOf(mark))
  if (start === undefined || end === undefined || start < 0 || end < start)
    throw new Error(`${PAGE} has no place for figures`)
  const text = page.slice(0, start) + [MARKS[0], tables(merged), ''].join('\n\n') + page.slice(end)
  await write(PAGE, text)
}

function merge(before: Report | null, report: Report): Report {
  const anew = new Set(report.results.map(({ workload }) => workload))
  const kept = (before?.results ?? []).filter(({ workload }) => !anew.has(workload))
  const results = [...kept, ...report.results].toSorted((a, b) => a.workload - b.workload)
  return { ...report, results }
}

async function write(path: string, text: string): Promise<void> {
  const style = await resolveConfig(path)
  writeFileSync(path, await prettify(text, { ...style, filepath: path }))
}

function tables(report: Report): string {
  const { machine, node, commit, started } = report
  const parts = [`${machine}, Node ${node}, ${commit}, ${started.slice(0, 10)}.`]
  for (const workload of workloads) {
    const own = report.results.filter(({ workload: number }) => number === workload.number)
    if (own.length === 0) continue
    parts.push(`### ${workload.number}. ${workload.title}`)
    for (const result of own) parts.push(table(workload, result))
    for (const line of growthLines(workload, own)) parts.push(`- ${line}`)
    for (const growth of workload.growth ?? []) {
      const name = plot(workload, own, growth)
      if (name) parts.push(`![${growth.title}](performance/${name})`)
    }
  }
  return parts.join('\n\n')
}

function table(workload: Workload, result: Result): string {
  const contenders = contendersOf(result)
  const rounds = result.columns[0]?.rounds ?? []
  const loads = rounds.flatMap((round) => round.loads)
  const load = loads.length > 0 ? `, load ${Math.max(...loads).toFixed(1)} at most` : ''
  const head = ['', ...contenders, 'target']
  const rows = linesOf(workload, result).map(({ title, cells, verdict }) => [
    title,
    ...cells,
    verdict,
  ])
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  const failures = result.columns.flatMap(({ contender, failures }) =>
    [...new Set(failures.map((failure) => failure.split('\n')[0]))].map(
      (failure) => `${contender} failed: ${failure}`,
    ),
  )
  const title = `**${result.size.label}**, ${rounds.length} rounds${load}`
  return [title, lines.join('\n'), ...failures].join('\n\n')
}

/** Draw cost against size for each contender. Returns the file's name. */
function plot(workload: Workload, results: readonly Result[], growth: Growth): string | null {
  const contenders = [...new Set(results.flatMap(contendersOf))]
  const series = contenders.flatMap((name) => {
    const data = results.flatMap((result) => {
      const summary = summaryOf(result, name, growth.figure)
      const size = Object.values(result.size.parameters)[0]
      return summary && size !== undefined ? [[size, shown(summary.median, growth.unit)]] : []
    })
    return data.length > 1 ? [{ name, type: 'line' as const, data }] : []
  })
  if (series.length === 0) return null
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 640, height: 320 })
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: { text: `${growth.title} (${growth.unit})`, textStyle: { fontSize: 14 } },
    legend: { top: 28 },
    grid: { left: 70, right: 30, top: 64, bottom: 40 },
    xAxis: {
      type: 'log',
      name: Object.keys(results[0]?.size.parameters ?? {})[0],
      nameLocation: 'middle',
      nameGap: 25,
    },
    yAxis: { type: 'log' },
    series,
  })
  const name = `${workload.name}-${growth.figure.replaceAll(/[^a-z]+/gi, '-').toLowerCase()}.svg`
  writeFileSync(join(FOLDER, name), `${chart.renderToSVGString()}\n`)
  chart.dispose()
  return name
}
