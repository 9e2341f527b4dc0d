/**
 * `npm run bench`: Varve beside v10 and the machine's limits, workload by workload.
 *
 *     npm run bench -- [workload…]       short: a twentieth of the size, 2 rounds
 *       --full                           full size, 6 rounds
 *       --quick                          smoke size, 1 round: do they all work?
 *       --peers                          also Hyperdrive 13
 *       --scale 0.1  --rounds 3          other sizes and rounds
 *       --only varve,v10                 these columns alone
 *       --json FILE                      where figures go after each workload (.bench/figures.json)
 *       --docs                           put them into docs/performance.md, with plots
 *       --from FILE                      take figures from there instead of measuring
 *
 * A workload is named by its number or name. Durability: Varve runs as v10 does, which never syncs
 * (`varve`), and beside it with its own default (`batch`) and with `sync`.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { installOriginal } from '../test/interop/install.ts'
import { writeDocs } from './docs.ts'
import { installPeers } from './install.ts'
import { type Report, verdicts } from './results.ts'
import { runSize } from './runner.ts'
import { growthLines, screen } from './table.ts'
import type { Workload } from './workload.ts'
import { workloads } from './workloads/index.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    full: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    docs: { type: 'boolean', default: false },
    scale: { type: 'string' },
    rounds: { type: 'string' },
    only: { type: 'string' },
    json: { type: 'string', default: '.bench/figures.json' },
    from: { type: 'string' },
  },
})
const { full, quick, peers } = values
const print = (text: string): void => void process.stdout.write(`${text}\n`)
const chosen = workloads.filter(isChosen)
if (chosen.length === 0) throw new Error(`no such workload: ${positionals.join(' ')}`)

const report = values.from
  ? (JSON.parse(readFileSync(values.from, 'utf8')) as Report)
  : await measured()
if (values.docs) await writeDocs(report)

function isChosen({ number, name, also = [] }: Workload): boolean {
  if (positionals.length === 0) return true
  return [number, name, ...also].some((word) => positionals.includes(String(word)))
}

async function measured(): Promise<Report> {
  installOriginal()
  if (peers) installPeers()
  const scale = Number(values.scale ?? (full ? 1 : 0.05))
  const report: Report = {
    machine: `${cpus()[0]?.model ?? 'unknown'} x ${cpus().length}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    commit: commit(),
    started: new Date().toISOString(),
    scale,
    results: [],
  }
  print(`${report.machine}, Node ${report.node}, ${report.commit}, load ${loadavg()[0]}`)
  const settings = {
    rounds: Number(values.rounds ?? (full ? 6 : quick ? 1 : 2)),
    peers,
    extras: !quick,
    only: values.only ? new Set(values.only.split(',')) : null,
    limitMs: quick ? 60_000 : 900_000,
    say: process.stderr.isTTY
      ? (text: string) => process.stderr.write(`\r\x1b[K${text}`)
      : () => undefined,
  }
  let failed = 0
  let passed = 0
  for (const workload of chosen) {
    for (const size of workload.sizes(scale, quick)) {
      // oxlint-disable-next-line no-await-in-loop -- two at once would measure each other
      const result = await runSize(workload, size, settings)
      report.results.push(result)
      print(screen(workload, result, !quick))
      for (const { failures } of result.columns) {
        failed += failures.length
        if (failures.length === 0) passed++
      }
      mkdirSync(dirname(values.json), { recursive: true })
      writeFileSync(values.json, JSON.stringify(report, null, 1))
    }
    for (const line of growthLines(workload, report.results)) print(line)
  }
  if (quick) print(`\nsmoke sizes: figures mean nothing\n${passed} passed, ${failed} failed`)
  else print(summary(report))
  if (failed > 0) process.exitCode = 1
  return report
}

/** How many targets are met, and which are not. */
function summary(report: Report): string {
  let met = 0
  const missed: string[] = []
  for (const result of report.results) {
    const workload = workloads.find(({ number }) => number === result.workload)
    for (const row of workload?.rows ?? []) {
      for (const verdict of verdicts(result, row)) {
        if (verdict.met) met++
        else if (verdict.met === false) missed.push(`${result.workload} ${row.title}`)
      }
    }
  }
  const which = missed.length > 0 ? `: ${missed.join('; ')}` : ''
  return `\n${met} targets met, ${missed.length} missed${which}`
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim()
  } catch {
    return 'no commit known' // a tarball has no history
  }
}
