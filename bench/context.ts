/** What a step is given: its folder, its side, its sizes, and the clock. */
import { strict as assert } from 'node:assert'
import { join } from 'node:path'
import type { Side } from './sides/side.ts'
import type { Contender, Parameters } from './workload.ts'

/** How much was done in a timed part, so that a figure is the cost of one. */
export type Amount = { readonly count: number } | { readonly bytes: number } | undefined

/** One step under way. */
export class StepContext {
  readonly contender: Contender
  readonly parameters: Parameters
  /** What the process beside said when it was ready. */
  readonly offer: Readonly<Record<string, unknown>>
  /** What was measured. */
  readonly figures: Record<string, number> = {}
  readonly #folder: string
  readonly #side: Side | null
  readonly #ready: (offer: Record<string, unknown>) => Promise<void>

  constructor(
    folder: string,
    contender: Contender,
    parameters: Parameters,
    side: Side | null,
    offer: Readonly<Record<string, unknown>>,
    ready: (offer: Record<string, unknown>) => Promise<void>,
  ) {
    this.#folder = folder
    this.contender = contender
    this.parameters = parameters
    this.#side = side
    this.offer = offer
    this.#ready = ready
  }

  /** Varve, v10 or Hyperdrive 13. */
  get side(): Side {
    assert(this.#side, 'this program has no logs and drives')
    return this.#side
  }

  /** A path in the contender's folder, which its steps share. */
  path(name: string): string {
    return join(this.#folder, name)
  }

  /** A size by its name. */
  size(name: string): number {
    const value = this.parameters[name]
    assert(value !== undefined, `no size ${name}`)
    return value
  }

  /** How often, and fewer times where every write is synced, which costs milliseconds each. */
  fewer(name: string): number {
    const value = this.size(name)
    return this.contender.durability === 'sync' ? Math.min(value, 500) : value
  }

  /**
   * Time `work` and note its cost: milliseconds in all, each, or per MiB; and as `NAME cpu` the
   * seconds of CPU of the whole process meanwhile.
   */
  async time<T>(name: string, amount: Amount, work: () => Promise<T> | T): Promise<T> {
    const cpu = process.cpuUsage()
    const start = performance.now()
    const result = await work()
    const ms = performance.now() - start
    const { user, system } = process.cpuUsage(cpu)
    this.figures[name] = ms / unitsOf(amount)
    this.figures[`${name} cpu`] = (user + system) / 1e6
    return result
  }

  /** Note a number that was measured otherwise. */
  note(name: string, value: number): void {
    this.figures[name] = value
  }

  /** As the process beside: say that it serves, wait until the step is done. */
  serving(offer: Record<string, unknown>): Promise<void> {
    return this.#ready(offer)
  }
}

function unitsOf(amount: Amount): number {
  if (!amount) return 1
  return 'count' in amount ? amount.count : amount.bytes / 1_048_576
}
