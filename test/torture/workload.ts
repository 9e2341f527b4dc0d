/**
 * A seeded program that uses one log through its public face.
 *
 * A writer appends single blocks, batches and several at once, and may cut its log once; a static log
 * does the same and is finalized; a replica takes blocks with proofs from sources that grow. All clear, flush
 * and reopen. player.ts runs it, and notes what it was promised.
 *
 * @module
 */
import { signingKeyPair } from '../../src/crypto.ts'
import type { KeyPair } from '../../src/crypto.ts'
import { Log } from '../../src/log/index.ts'
import type { Durability, ReceivedBlock } from '../../src/log/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import type { OpenStorage } from '../../src/storage/index.ts'
import { Blocks } from './blocks.ts'
import { Chance } from './chance.ts'

/** Milliseconds that `batch` may take: never, so that no clock decides anything here. */
export const NEVER = 2 ** 31 - 1

/** Blocks of a wide log before the program begins: just short of the second bitfield page, over many tree pages. */
const WIDE = 8187

/** What a program does next. */
export type Step =
  | { readonly type: 'append'; readonly counts: readonly number[] }
  | { readonly type: 'receive'; readonly share: number; readonly source: number }
  | { readonly type: 'clear'; readonly at: number; readonly count: number }
  | { readonly type: 'flush' }
  /** Once: to this share of the length. What is appended afterwards is other content. */
  | { readonly type: 'truncate'; readonly share: number }
  | { readonly type: 'reopen' }

/** A program, and everything it needs. */
export interface Workload {
  readonly number: number
  readonly mode: Durability
  /** A static log has no key before it is finalized, at the end. */
  readonly role: 'writer' | 'replica' | 'static'
  readonly keys: KeyPair
  readonly blocks: Blocks
  /** What is appended after the log was cut. */
  readonly later: Blocks
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

/** How the log of a workload is opened, the first time and later. */
export function openLog(workload: Workload, storage: OpenStorage, isNew: boolean): Log {
  const { keys, mode, role, givesKey } = workload
  const options = { durability: mode, syncWindow: NEVER, sparse: true }
  if (role === 'static') return new Log(storage, null, { ...options, live: false })
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
  const isStatic = number % 8 === 5
  const role = isStatic ? 'static' : chance.coin(0.6) ? 'writer' : 'replica'
  // Of either kind of log some are wide.
  const wide = number % 16 === 15 || number % 32 === 13
  const keys = signingKeyPair(chance.bytes(32))
  const sizes = wide ? [0, 1, 2, 3] : undefined
  const blocks = new Blocks(chance.below(2 ** 32), sizes)
  const later = new Blocks(chance.below(2 ** 32), sizes)
  const base = wide ? WIDE : 0
  const steps = stepsOf(chance, role)
  const sources = role === 'replica' ? await makeSources(chance, keys, blocks, base) : []
  return {
    number,
    mode,
    role,
    keys,
    blocks,
    later,
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
  const cutAt = role !== 'replica' && chance.coin() ? 2 + chance.below(count - 3) : -1
  for (let i = 0; i < count; i++) {
    if (i === cutAt) steps.push({ type: 'truncate', share: chance.pick([0, 0.3, 0.6, 0.9]) })
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
  const isStatic = role === 'static'
  const log = new Log(folder.open, isStatic ? null : publicKey, {
    secretKey: isStatic ? null : secretKey,
    live: !isStatic,
  })
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

/** Whether two byte strings are equal. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

/** Block `index` as it is before the log was cut, or after. */
export function blockOf(workload: Workload, index: number, generation: number): Uint8Array {
  return (generation === 0 ? workload.blocks : workload.later).at(index)
}
