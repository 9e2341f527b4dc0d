/** Runs one step in its own process, with the one that serves it beside. */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { Answer, Job } from './step.ts'

type Figures = Record<string, number>

/** What one process does. */
class Running {
  readonly offer: Promise<Record<string, unknown>>
  readonly figures: Promise<Figures>
  readonly #child: ChildProcess

  constructor(job: Job, limitMs: number) {
    const child = fork(join(import.meta.dirname, 'step.js'), [JSON.stringify(job)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: process.execArgv,
    })
    this.#child = child
    const name = `${job.contender.name}, ${job.step}${job.serve ? ' (server)' : ''}`
    let offered: (offer: Record<string, unknown>) => void = () => undefined
    let refused: (error: Error) => void = () => undefined
    this.offer = new Promise((resolve, reject) => {
      offered = resolve
      refused = reject
    })
    this.figures = new Promise((resolve, reject) => {
      const fail = (message: string): void => {
        clearTimeout(limit)
        reject(new Error(`${name}: ${message}`))
        refused(new Error(`${name}: ${message}`))
      }
      const limit = setTimeout(() => {
        fail(`not done within ${limitMs / 1000} s`)
        child.kill('SIGKILL')
      }, limitMs)
      let last: Figures | null = null
      child.on('message', (answer: Answer) => {
        if (answer.type === 'offer') offered(answer.offer)
        else if (answer.type === 'done') last = answer.figures
        else fail(answer.message)
      })
      child.on('error', (error) => fail(error.message))
      child.on('close', (code, signal) => {
        if (!last) return fail(`it ended (${signal ?? code})`)
        clearTimeout(limit)
        resolve(last)
      })
    })
    this.offer.catch(() => undefined) // its reason is that of `figures`
    this.figures.catch(() => undefined) // whoever awaits it hears of it; a server may fail first
  }

  stop(): void {
    if (this.#child.connected) this.#child.send('stop')
  }
}

/**
 * Run one step, with its server if it has one.
 *
 * @param limitMs - after which it has failed
 * @throws Error with what the process said
 */
export async function runStep(job: Job, served: boolean, limitMs: number): Promise<Figures> {
  if (!served) return new Running(job, limitMs).figures
  const server = new Running({ ...job, serve: true }, limitMs)
  const offer = await server.offer
  const client = new Running({ ...job, offer }, limitMs)
  try {
    const figures = await Promise.race([
      client.figures,
      server.figures.then(() => {
        throw new Error('the server ended first')
      }),
    ])
    server.stop()
    return { ...(await server.figures), ...figures }
  } finally {
    client.stop()
    server.stop()
  }
}
