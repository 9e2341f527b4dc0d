/** Runs the rounds of a workload: every step by each contender in turn, the order reversed every second round. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { runStep } from './process.ts'
import type { Column, Result } from './results.ts'
import type { Contender, Size, Step, Workload } from './workload.ts'

/** How to run. */
export interface Settings {
  readonly rounds: number
  readonly peers: boolean
  /** Also what only shows the cost of durability. */
  readonly extras: boolean
  /** Contenders that run; null: all. */
  readonly only: ReadonlySet<string> | null
  readonly limitMs: number
  readonly say: (text: string) => void
}

/** Run one size of a workload. A step that fails ends its contender's round, not the run. */
export async function runSize(
  workload: Workload,
  size: Size,
  { rounds, peers, extras, only, limitMs, say }: Settings,
): Promise<Result> {
  const contenders = workload.contenders.filter(
    ({ name, peer, extra }) => (peers || !peer) && (extras || !extra) && (!only || only.has(name)),
  )
  const columns: Column[] = contenders.map(({ name }) => ({
    contender: name,
    rounds: [],
    failures: [],
  }))
  for (let round = 0; round < rounds; round++) {
    const root = mkdtempSync(join(tmpdir(), 'varve-bench-'))
    const order = contenders.map((contender, i) => ({ contender, i }))
    if (round % 2 === 1) order.reverse()
    const figures: Record<string, number>[] = contenders.map(() => ({}))
    const loads: number[][] = contenders.map(() => [])
    const failed = new Set<number>()
    for (const step of workload.steps) {
      for (const { contender, i } of order) {
        if (failed.has(i) || !takesPart(step, contender)) continue
        say(
          `${workload.number}. ${size.label}, round ${round + 1}: ${step.name}, ${contender.name}`,
        )
        loads[i]?.push(loadavg()[0] ?? 0)
        const folder = join(root, contender.name.replaceAll(' ', '-'))
        const job = {
          workload: workload.number,
          step: step.name,
          serve: false,
          contender,
          parameters: size.parameters,
          folder,
          offer: {},
        }
        try {
          // oxlint-disable-next-line no-await-in-loop -- two at once would measure each other
          const measured = await runStep(job, isServed(step, contender), limitMs)
          Object.assign(figures[i] ?? {}, measured)
          if (step.disk) Object.assign(figures[i] ?? {}, { [`${step.name} disk`]: diskOf(folder) })
        } catch (error) {
          failed.add(i)
          columns[i]?.failures.push(error instanceof Error ? error.message : String(error))
        }
      }
    }
    for (const [i, column] of columns.entries()) {
      column.rounds.push({ figures: figures[i] ?? {}, loads: loads[i] ?? [] })
    }
    rmSync(root, { recursive: true, force: true })
  }
  return { workload: workload.number, size, columns }
}

function takesPart(step: Step, { name, program }: Contender): boolean {
  if (step.only && !step.only.includes(name)) return false
  if (program === 'fs') return step.fs !== undefined
  if (program === 'minimal') return step.minimal !== undefined
  return step.drive !== undefined
}

function isServed(step: Step, { program }: Contender): boolean {
  return step.serve !== undefined && program !== 'fs'
}

/** What a folder takes on the disk, in MB: blocks, since files may have holes. */
function diskOf(folder: string): number {
  let blocks = 0
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    blocks += statSync(join(folder, name)).blocks
  }
  return (blocks * 512) / 1e6
}
