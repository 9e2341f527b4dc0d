/**
 * Running a workload's program, and noting what it was promised when.
 *
 * Every answer is noted with the moment at which it came: what a crash after that moment must leave.
 *
 * @module
 */
import { LogError } from '../../src/log/index.ts'
import type { Log } from '../../src/log/index.ts'
import { StorageError } from '../../src/storage/index.ts'
import { Chance } from './chance.ts'
import type { RecordingFolder } from './recording-folder.ts'
import { blockOf, messageOf, openLog, sameBytes } from './workload.ts'
import type { Step, Workload } from './workload.ts'

/** From `moment` on these hold. */
export interface Milestone {
  readonly moment: number
  readonly length: number
  /** Blocks at or above the base that must be there, and whether as before the log was cut (0) or after (1). */
  readonly held: ReadonlyMap<number, number>
  /** Survives a power cut. */
  readonly durable: boolean
}

/** What one run of a program was promised. */
export interface History {
  readonly milestones: readonly Milestone[]
  /** Blocks that were to be cleared, from a moment on. */
  readonly clears: ReadonlyArray<{ readonly moment: number; readonly block: number }>
  /** The log was to be cut, or was, from a moment on. */
  readonly cuts: ReadonlyArray<{
    readonly moment: number
    readonly length: number
    readonly done: boolean
    readonly durable: boolean
  }>
  /** The log was to have this length, from a moment on. */
  readonly attempts: ReadonlyArray<{ readonly moment: number; readonly length: number }>
  /** What went wrong though it may not. */
  readonly faults: readonly string[]
}

/**
 * Run a program to its end. Calls may fail, with typed errors, if the folder was told to: the program
 * then goes on as a careful one would.
 *
 * @param careful - appends one after the other: when one fails, the next is not where it was to be
 */
export async function play(
  workload: Workload,
  folder: RecordingFolder,
  careful: boolean,
): Promise<History> {
  return new Player(workload, folder, careful).play()
}

class Player {
  readonly #workload: Workload
  readonly #folder: RecordingFolder
  readonly #milestones: Milestone[] = []
  readonly #clears: Array<{ moment: number; block: number }> = []
  readonly #faults: string[] = []
  readonly #held = new Map<number, number>()
  readonly #cuts: Array<History['cuts'][number]> = []
  readonly #attempts: Array<{ moment: number; length: number }> = []
  #generation = 0
  #length: number
  #log: Log
  readonly #careful: boolean

  constructor(workload: Workload, folder: RecordingFolder, careful: boolean) {
    this.#careful = careful
    this.#workload = workload
    this.#folder = folder
    this.#attempt(workload.base)
    this.#length = workload.base
    this.#log = openLog(workload, folder.open, true)
    if (workload.base > 0) this.#promise(true)
  }

  async play(): Promise<History> {
    await this.#try('open', () => this.#opened())
    for (const step of this.#workload.steps) {
      // oxlint-disable-next-line no-await-in-loop
      await this.#try(step.type, () => this.#step(step))
    }
    this.#folder.fault = () => null
    // What failed before must not matter now.
    await this.#afterwards()
    await this.#log.close()
    this.#promise(this.#workload.mode !== 'none')
    return {
      milestones: this.#milestones,
      clears: this.#clears,
      cuts: this.#cuts,
      attempts: this.#attempts,
      faults: this.#faults,
    }
  }

  async #try(what: string, run: () => Promise<void>): Promise<void> {
    try {
      await run()
    } catch (error) {
      const isTyped = error instanceof LogError || error instanceof StorageError
      if (!isTyped) this.#faults.push(`${what} threw ${String(error)}`)
      // A log that could not be opened is opened again by the next step. One that could not store a block
      // may still be at the others of that call.
      try {
        await this.#log.ready()
        await this.#log.flush().catch(() => undefined)
      } catch {
        this.#log = openLog(this.#workload, this.#folder.open, true)
        await this.#log.ready().catch(() => undefined)
      }
    }
  }

  async #opened(): Promise<void> {
    await this.#log.ready()
    this.#promise(this.#workload.mode === 'sync')
  }

  async #step(step: Step): Promise<void> {
    const { mode } = this.#workload
    const log = this.#log
    switch (step.type) {
      case 'append': {
        await log.ready()
        if (this.#workload.role === 'replica') return
        let at = log.length
        const append = async (count: number): Promise<void> => {
          const first = at
          at += count
          this.#attempt(at)
          const index = await log.append(this.#run(first, count))
          if (index !== first) this.#faults.push(`append said ${index}, not ${first}`)
          for (let i = 0; i < count; i++) this.#held.set(first + i, this.#generation)
          this.#length = Math.max(this.#length, first + count)
          this.#promise(mode === 'sync')
        }
        if (this.#careful) {
          // oxlint-disable-next-line no-await-in-loop
          for (const count of step.counts) await append(count)
          return
        }
        for (const outcome of await Promise.allSettled(step.counts.map(append))) {
          if (outcome.status === 'rejected') throw outcome.reason
        }
        return
      }
      case 'receive': {
        await log.ready()
        await this.#receive(step.source, step.share)
        return
      }
      case 'clear': {
        await log.ready()
        if (log.length === 0) return
        const start = Math.max(this.#workload.base, step.at % log.length)
        const end = Math.min(log.length, start + step.count)
        if (end <= start) return
        for (let block = start; block < end; block++) {
          this.#clears.push({ moment: this.#folder.moments.length, block })
          this.#held.delete(block)
        }
        await log.clear(start, end)
        return
      }
      case 'truncate': {
        await log.ready()
        const { base } = this.#workload
        const length = base + Math.floor((log.length - base) * step.share)
        if (log.length === 0 || length === log.length) return
        this.#note({ length, done: false, durable: false })
        this.#generation = 1
        for (const index of this.#held.keys()) if (index >= length) this.#held.delete(index)
        try {
          await log.truncate(length)
        } finally {
          // Failed, it may be cut or not.
          this.#length = Math.min(this.#length, length)
        }
        this.#note({ length, done: true, durable: mode !== 'none' })
        this.#length = length
        this.#promise(mode !== 'none')
        return
      }
      case 'flush': {
        await log.flush()
        this.#promise(mode !== 'none')
        return
      }
      case 'reopen': {
        await log.close()
        this.#promise(mode !== 'none')
        this.#log = openLog(this.#workload, this.#folder.open, false)
        await this.#log.ready()
      }
    }
  }

  async #receive(stage: number, share: number): Promise<void> {
    const { base, sources } = this.#workload
    const source = sources[stage]
    if (!source) return
    const chance = new Chance(this.#workload.number, stage, share * 10, this.#folder.moments.length)
    const wanted: number[] = []
    for (let index = base; index < source.length; index++) {
      if (!this.#log.has(index) && chance.coin(share)) wanted.push(index)
    }
    this.#attempt(source.length)
    const order = chance.coin() ? wanted : chance.shuffle(wanted)
    const received: Array<Promise<void>> = []
    while (order.length > 0) {
      const now = order.splice(0, chance.pick([1, 1, 3, 8]))
      // oxlint-disable-next-line no-await-in-loop -- the digest tells what came before
      const messages = await Promise.all(now.map((index) => messageOf(source, this.#log, index)))
      const receiving = this.#log.receive(messages, null)
      // What was asked for on the strength of blocks that then could not be stored is of no use.
      // oxlint-disable-next-line no-await-in-loop
      if (this.#careful) await receiving
      received.push(this.#noteReceived(source, receiving, now))
    }
    for (const outcome of await Promise.allSettled(received)) {
      if (outcome.status === 'rejected') throw outcome.reason
    }
  }

  async #noteReceived(
    source: Log,
    receiving: ReturnType<Log['receive']>,
    indices: readonly number[],
  ): Promise<void> {
    for (const [i, error] of (await receiving).entries()) {
      const index = indices[i]
      if (index === undefined) continue
      let refusal = error
      if (error?.code === 'LOG_CONTRADICTION') {
        // It was asked for before the log grew, and is wanted with a proof that stands alone.
        // oxlint-disable-next-line no-await-in-loop
        const again = await messageOf(source, this.#log, index)
        // oxlint-disable-next-line no-await-in-loop
        refusal = (await this.#log.receive([again], null))[0] ?? null
      }
      if (refusal) {
        this.#faults.push(`a genuine block was refused: ${refusal.code} ${refusal.message}`)
      } else this.#held.set(index, 0)
    }
    this.#length = Math.max(this.#length, this.#log.length)
    this.#promise(this.#workload.mode === 'sync')
  }

  /** The log that went through all this serves what it acknowledged, and can be appended to. */
  async #afterwards(): Promise<void> {
    const { role } = this.#workload
    try {
      await this.#log.ready()
    } catch {
      this.#log = openLog(this.#workload, this.#folder.open, true)
    }
    const log = this.#log
    try {
      await log.ready()
    } catch (error) {
      this.#faults.push(`does not open with nothing in its way: ${String(error)}`)
      return
    }
    for (const [index, generation] of this.#held) {
      try {
        // oxlint-disable-next-line no-await-in-loop
        const bytes = await log.get(index, { wait: false })
        if (!sameBytes(bytes, blockOf(this.#workload, index, generation)))
          this.#faults.push(`block ${index} is wrong`)
      } catch (error) {
        this.#faults.push(`block ${index}, acknowledged: ${String(error)}`)
      }
    }
    if (role === 'replica') return
    const first = log.length
    this.#attempt(first + 1)
    try {
      const index = await log.append(this.#run(first, 1))
      if (index !== first) this.#faults.push(`append at the end said ${index}, not ${first}`)
      this.#held.set(first, this.#generation)
      this.#length = log.length
      this.#promise(this.#workload.mode === 'sync')
    } catch (error) {
      this.#faults.push(`append at the end: ${String(error)}`)
      return
    }
    if (role !== 'static') return
    try {
      await log.finalize()
      this.#promise(this.#workload.mode !== 'none')
    } catch (error) {
      this.#faults.push(`finalize: ${String(error)}`)
    }
  }

  #run(first: number, count: number): Uint8Array[] {
    return Array.from({ length: count }, (_, i) =>
      blockOf(this.#workload, first + i, this.#generation),
    )
  }

  #attempt(length: number): void {
    this.#attempts.push({ moment: this.#folder.moments.length, length })
  }

  #note(cut: Omit<History['cuts'][number], 'moment'>): void {
    this.#cuts.push({ moment: this.#folder.moments.length, ...cut })
  }

  #promise(durable: boolean): void {
    this.#milestones.push({
      moment: this.#folder.moments.length,
      length: this.#length,
      held: new Map(this.#held),
      durable,
    })
  }
}
