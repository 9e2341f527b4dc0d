/**
 * A seeded program that uses one log through its public face, and what it was promised when.
 *
 * A writer appends single blocks, batches and several at once; a replica takes blocks with proofs from
 * sources that grow. Both clear, flush and reopen. Every answer is noted with the moment at which it
 * came: what a crash after that moment must leave.
 *
 * @module
 */
import { signingKeyPair } from '../../src/crypto.ts'
import type { KeyPair } from '../../src/crypto.ts'
import { Log, LogError } from '../../src/log/index.ts'
import type { Durability, ReceivedBlock } from '../../src/log/index.ts'
import { MemoryFolder, StorageError } from '../../src/storage/index.ts'
import type { OpenStorage } from '../../src/storage/index.ts'
import { Blocks } from './blocks.ts'
import { Chance } from './chance.ts'
import type { RecordingFolder } from './recording-folder.ts'

/** Milliseconds that `batch` may take: never, so that no clock decides anything here. */
export const NEVER = 2 ** 31 - 1

/** Blocks of a wide log before the program begins: just short of the second bitfield page. */
const WIDE = 8187

/** What a program does next. */
type Step =
  | { readonly type: 'append'; readonly counts: readonly number[] }
  | { readonly type: 'receive'; readonly share: number; readonly source: number }
  | { readonly type: 'clear'; readonly at: number; readonly count: number }
  | { readonly type: 'flush' }
  | { readonly type: 'reopen' }

/** A program, and everything it needs. */
export interface Workload {
  readonly number: number
  readonly mode: Durability
  readonly role: 'writer' | 'replica'
  readonly keys: KeyPair
  readonly blocks: Blocks
  /** What is in the folder before, synced. */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** Length of what is there before. */
  readonly base: number
  /** Whether the key is given whenever the log is opened. */
  readonly givesKey: boolean
  readonly steps: readonly Step[]
  /** Of a replica: logs of the same key, each longer than the one before. */
  readonly sources: readonly Log[]
}

/** From `moment` on these hold. */
export interface Milestone {
  readonly moment: number
  readonly length: number
  /** Blocks at or above the base that must be there and right. */
  readonly held: ReadonlySet<number>
  /** Survives a power cut. */
  readonly durable: boolean
}

/** What one run of a program was promised. */
export interface History {
  readonly milestones: readonly Milestone[]
  /** Blocks that were to be cleared, from a moment on. */
  readonly clears: ReadonlyArray<{ readonly moment: number; readonly block: number }>
  /** No length above this was ever asked for. */
  readonly attempted: number
  /** What went wrong though it may not. */
  readonly faults: readonly string[]
}

/** How the log of a workload is opened, the first time and later. */
export function openLog(workload: Workload, storage: OpenStorage, isNew: boolean): Log {
  const { keys, mode, role, givesKey } = workload
  const options = { durability: mode, syncWindow: NEVER, sparse: true }
  const key = givesKey || (isNew && role === 'replica') ? keys.publicKey : null
  return new Log(storage, key, {
    ...options,
    secretKey: role === 'writer' && (isNew || givesKey) ? keys.secretKey : null,
  })
}

/** Make the workload of a number. */
export async function makeWorkload(seed: number, number: number): Promise<Workload> {
  const chance = new Chance(seed, number, 1)
  const mode = (['sync', 'batch', 'none'] as const)[number % 3] ?? 'sync'
  const role = chance.coin(0.6) ? 'writer' : 'replica'
  const wide = number % 16 === 15
  const keys = signingKeyPair(chance.bytes(32))
  const blocks = new Blocks(chance.below(2 ** 32), wide ? [0, 1, 2, 3] : undefined)
  const base = wide ? WIDE : 0
  const steps = stepsOf(chance, role)
  const sources = role === 'replica' ? await makeSources(chance, keys, blocks, base) : []
  return {
    number,
    mode,
    role,
    keys,
    blocks,
    base,
    files: wide ? await filesOf(role, keys, blocks, base) : new Map(),
    givesKey: chance.coin(),
    steps,
    sources,
  }
}

/** Let go of what a workload holds. */
export async function endWorkload(workload: Workload): Promise<void> {
  await Promise.all(workload.sources.map((source) => source.close()))
}

function stepsOf(chance: Chance, role: Workload['role']): Step[] {
  const steps: Step[] = []
  const count = 8 + chance.below(8)
  for (let i = 0; i < count; i++) {
    const dice = chance.below(20)
    if (dice < 12) {
      if (role === 'replica') {
        const source = Math.min(2, Math.floor((3 * i) / count))
        steps.push({ type: 'receive', share: chance.pick([0.1, 0.3, 0.6]), source })
        continue
      }
      const batches = chance.coin(0.2) ? 2 + chance.below(4) : 1
      const counts = Array.from({ length: batches }, () => chance.pick([1, 1, 1, 2, 3, 5, 9, 20]))
      steps.push({ type: 'append', counts })
    } else if (dice < 15) {
      steps.push({ type: 'clear', at: chance.below(2 ** 20), count: chance.pick([1, 1, 2, 5]) })
    } else if (dice < 18) steps.push({ type: 'flush' })
    else steps.push({ type: 'reopen' })
  }
  return steps
}

async function filesOf(
  role: Workload['role'],
  keys: KeyPair,
  blocks: Blocks,
  base: number,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const folder = new MemoryFolder()
  const { publicKey, secretKey } = keys
  const log = new Log(folder.open, publicKey, { secretKey })
  // Not in one batch: a signature lies in the middle.
  await log.append(blocks.run(0, base - 100))
  await log.append(blocks.run(base - 100, 100))
  await log.close()
  const files = folder.snapshot()
  if (role === 'replica') files.delete('secret_key')
  return files
}

async function makeSources(
  chance: Chance,
  keys: KeyPair,
  blocks: Blocks,
  base: number,
): Promise<Log[]> {
  const sources: Log[] = []
  const { publicKey, secretKey } = keys
  const folder = new MemoryFolder()
  const grown = new Log(folder.open, publicKey, { secretKey, durability: 'none' })
  if (base > 0) {
    await grown.append(blocks.run(0, base - 100))
    await grown.append(blocks.run(base - 100, 100))
  }
  for (let stage = 0; stage < 3; stage++) {
    for (let i = 2 + chance.below(3); i > 0; i--) {
      // oxlint-disable-next-line no-await-in-loop
      await grown.append(blocks.run(grown.length, chance.pick([1, 2, 4, 9])))
    }
    // oxlint-disable-next-line no-await-in-loop
    await grown.flush()
    const stored = new MemoryFolder(folder.snapshot())
    const source = new Log(stored.open, publicKey, { durability: 'none' })
    // oxlint-disable-next-line no-await-in-loop
    await source.ready()
    sources.push(source)
  }
  await grown.close()
  return sources
}

/** Block `index` of `source`, as a peer would send it to `copy`. */
export async function messageOf(source: Log, copy: Log, index: number): Promise<ReceivedBlock> {
  const digest = copy.digest(index)
  const value = await source.get(index, { wait: false })
  return { index, value, ...(await source.proof(index, { digest })) }
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
  readonly #held = new Set<number>()
  #attempted: number
  #length: number
  #log: Log
  readonly #careful: boolean

  constructor(workload: Workload, folder: RecordingFolder, careful: boolean) {
    this.#careful = careful
    this.#workload = workload
    this.#folder = folder
    this.#attempted = workload.base
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
      attempted: this.#attempted,
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
    const { blocks, mode } = this.#workload
    const log = this.#log
    switch (step.type) {
      case 'append': {
        await log.ready()
        if (this.#workload.role === 'replica') return
        let at = log.length
        const append = async (count: number): Promise<void> => {
          const first = at
          at += count
          this.#attempted = Math.max(this.#attempted, at)
          const index = await log.append(blocks.run(first, count))
          if (index !== first) this.#faults.push(`append said ${index}, not ${first}`)
          for (let i = 0; i < count; i++) this.#held.add(first + i)
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
    this.#attempted = Math.max(this.#attempted, source.length)
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
      received.push(this.#note(source, receiving, now))
    }
    for (const outcome of await Promise.allSettled(received)) {
      if (outcome.status === 'rejected') throw outcome.reason
    }
  }

  async #note(
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
      } else this.#held.add(index)
    }
    this.#length = Math.max(this.#length, this.#log.length)
    this.#promise(this.#workload.mode === 'sync')
  }

  /** The log that went through all this serves what it acknowledged, and can be appended to. */
  async #afterwards(): Promise<void> {
    const { blocks, role } = this.#workload
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
    for (const index of this.#held) {
      try {
        // oxlint-disable-next-line no-await-in-loop
        const bytes = await log.get(index, { wait: false })
        if (!sameBytes(bytes, blocks.at(index))) this.#faults.push(`block ${index} is wrong`)
      } catch (error) {
        this.#faults.push(`block ${index}, acknowledged: ${String(error)}`)
      }
    }
    if (role === 'replica') return
    const first = log.length
    this.#attempted = Math.max(this.#attempted, first + 1)
    try {
      const index = await log.append(blocks.at(first))
      if (index !== first) this.#faults.push(`append at the end said ${index}, not ${first}`)
      this.#held.add(first)
      this.#length = log.length
      this.#promise(this.#workload.mode === 'sync')
    } catch (error) {
      this.#faults.push(`append at the end: ${String(error)}`)
    }
  }

  #promise(durable: boolean): void {
    this.#milestones.push({
      moment: this.#folder.moments.length,
      length: this.#length,
      held: new Set(this.#held),
      durable,
    })
  }
}

/** Whether two byte strings are equal. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
