/**
 * The two subjects of the differential run, each in a process of its own.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { installOriginal } from '../interop/install.ts'
import { LineProcess } from '../interop/line-process.ts'
import type { Step } from './step.ts'

const SUBJECT = 'test/differential/subject.cjs'

/** A sequence takes a second at most; v10 in an endless loop is ended after this. */
const LIMIT_MS = 30_000

/** v10 and Varve. */
export class Pair {
  #original: LineProcess
  #ours: LineProcess
  /** Counts the times that both were started anew. */
  #age = 0
  #restarting: Promise<void> = Promise.resolve()

  private constructor([original, ours]: readonly [LineProcess, LineProcess]) {
    this.#original = original
    this.#ours = ours
  }

  /** Start both; v10 is installed first where it is not. */
  static async start(): Promise<Pair> {
    return new Pair(await startBoth())
  }

  /**
   * Run a sequence on fresh drives of both, in stores that live in memory and have the same master key.
   *
   * @param explain - tell the messages of errors too, which are not the same on both sides
   * @returns what v10 and Varve told, a line of JSON a step
   * @throws Error when one of them does not answer at all; both are then started anew
   */
  async run(seed: number, steps: readonly Step[], explain = false): Promise<[string[], string[]]> {
    const masterKey = createHash('sha256').update(`differential ${seed}`).digest('hex')
    const args = { masterKey, steps, explain }
    await this.#restarting
    const age = this.#age
    let timer: NodeJS.Timeout | undefined
    try {
      const told = await Promise.race([
        Promise.all([this.#original.ask('run', args), this.#ours.ask('run', args)]),
        new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(new Error('an endless loop')), LIMIT_MS)
        }),
      ])
      return told as [string[], string[]]
    } catch (error) {
      // Others that were under way fail as well, and are not the reason.
      if (this.#age !== age) return await this.run(seed, steps, explain)
      this.#age++
      this.#restarting = this.#restart()
      await this.#restarting
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  async #restart(): Promise<void> {
    await this.stop()
    ;[this.#original, this.#ours] = await startBoth()
  }

  /** End both. */
  async stop(): Promise<void> {
    await Promise.all([this.#original.stop(), this.#ours.stop()])
  }
}

async function startBoth(): Promise<[LineProcess, LineProcess]> {
  const quiet = { NODE_OPTIONS: '--no-warnings --max-semi-space-size=32' }
  const path = `${installOriginal()}/node_modules`
  return Promise.all([
    LineProcess.start(SUBJECT, ['v10'], { ...quiet, NODE_PATH: path }),
    LineProcess.start(SUBJECT, ['varve', resolve('build/src/index.js')], quiet),
  ])
}
