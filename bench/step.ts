/**
 * One step in a process of its own, forked by `process.ts`: takes a job as its only argument, answers
 * with what it measured. `serve` runs the step's process beside: it says what it offers, and ends when
 * it is told to.
 */
import { mkdirSync } from 'node:fs'
import { StepContext } from './context.ts'
import { sideOf } from './sides/side.ts'
import type { Contender, Parameters } from './workload.ts'
import { workloads } from './workloads/index.ts'

/** What is to be done. */
export interface Job {
  readonly workload: number
  readonly step: string
  readonly serve: boolean
  readonly contender: Contender
  readonly parameters: Parameters
  readonly folder: string
  readonly offer: Readonly<Record<string, unknown>>
}

/** What the process says: what it serves, then what it measured. */
export type Answer =
  | { readonly type: 'offer'; readonly offer: Record<string, unknown> }
  | { readonly type: 'done'; readonly figures: Record<string, number> }
  | { readonly type: 'failed'; readonly message: string }

async function run(job: Job): Promise<Record<string, number>> {
  mkdirSync(job.folder, { recursive: true })
  const workload = workloads.find(({ number }) => number === job.workload)
  const step = workload?.steps.find(({ name }) => name === job.step)
  if (!step) throw new Error(`no step ${job.step} of workload ${job.workload}`)
  const own = job.contender
  const isServers = job.serve || step.by === 'server'
  const contender = isServers && own.server ? { ...own, program: own.server } : own
  const side = await sideOf(contender)
  const stopped = new Promise<void>((resolve) => process.once('message', () => resolve()))
  const context = new StepContext(
    job.folder,
    contender,
    job.parameters,
    side,
    job.offer,
    async (offer) => {
      say({ type: 'offer', offer })
      const cpu = process.cpuUsage()
      await stopped
      const { user, system } = process.cpuUsage(cpu)
      context.note('serve cpu', (user + system) / 1e6)
    },
  )
  if (job.serve) await step.serve?.(context)
  else if (contender.program === 'fs') await step.fs?.(context)
  else if (contender.program === 'minimal') await step.minimal?.(context)
  else await step.drive?.(context)
  const peak = process.resourceUsage().maxRSS / 1024
  return { ...context.figures, [`${job.step} peak${job.serve ? ' of server' : ''}`]: peak }
}

function say(answer: Answer): void {
  process.send?.(answer)
}

const [text] = process.argv.slice(2)
// The parent is gone: nobody waits for the answer.
process.once('disconnect', () => process.exit(1))
try {
  say({ type: 'done', figures: await run(JSON.parse(text ?? '') as Job) })
} catch (error) {
  say({ type: 'failed', message: error instanceof Error ? (error.stack ?? '') : String(error) })
}
process.removeAllListeners('disconnect')
// What a peer keeps open must not hold a round up.
process.disconnect()
setImmediate(() => process.exit(0))
