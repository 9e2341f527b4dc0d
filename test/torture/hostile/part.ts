/**
 * The list of hostile peers, played one after the other; part (d) of the torture.
 *
 * Each plays against a fresh log in the victim's process. It may cost that process no more than an honest peer does,
 * 16 MiB and 250 ms of CPU time; it must not end, block or fool it.
 *
 * CPU time grows with what else the machine does. So it is told as what it would have been at the fastest pace that
 * the victim showed in this run (victim.ts times a fixed piece of work beside every round), and a peer that is over a
 * bound plays again: of three rounds the cheapest counts, since nothing makes a round cheaper than it is. Both are
 * needed where cores are shared; where they are not, neither changes anything. A wrong ending is never played again.
 *
 * @module
 */
import { announcementAttacks } from './attacks/announcements.ts'
import { channelAttacks } from './attacks/channels.ts'
import { dataAttacks } from './attacks/data.ts'
import { frameAttacks } from './attacks/frames.ts'
import { handshakeAttacks } from './attacks/handshake.ts'
import { requestAttacks } from './attacks/requests.ts'
import type { Part } from '../parts.ts'
import type { Cost, Role } from './protocol.ts'
import { Stage } from './stage.ts'
import type { Attack } from './stage.ts'

/** What a connection may cost beyond an honest one. */
export const MAX_BYTES: number = 16 * 1_048_576
export const MAX_CPU_MS = 250
/** Rounds that a peer which costs too much may play. */
const ROUNDS = 3
/** A round is never told as cheaper than its CPU time divided by this. */
const SLOWEST_PACE = 3

/** Every attack. */
export const attacks: readonly Attack[] = [
  ...handshakeAttacks,
  ...frameAttacks,
  ...channelAttacks,
  ...announcementAttacks,
  ...requestAttacks,
  ...dataAttacks,
]

/** What came of all of them. */
export interface HostileResult {
  readonly points: number
  /** Attacks that failed. */
  readonly failed: number
  /** The highest figures, in words. */
  readonly worst: string
}

/**
 * Play every attack whose name contains `only`.
 *
 * @param print - gets each line of the table as it is known
 */
export async function runHostile(options: {
  readonly seed: number
  readonly only?: string | undefined
  readonly print?: ((line: string) => void) | undefined
}): Promise<HostileResult> {
  const { seed, only = '', print } = options
  let failed = 0
  let [mostBytes, mostMs] = [0, 0]
  const say = (text: string): void => print?.(text)
  const chosen = attacks.filter(({ name }) => name.includes(only))
  let stage = await Stage.open(randomOf(seed))
  const scale = new Scale()
  const honest = new Map<Role, Figures>()
  say(line('hostile peer', 'peak MiB', 'CPU ms', 'each', 'ends with'))
  for (const attack of chosen) {
    let faults: string[] = []
    try {
      const base = honest.get(attack.role) ?? (await honestFigures(stage, attack.role, scale))
      honest.set(attack.role, base)
      let best: Figures = { bytes: Infinity, cpuMs: Infinity }
      let last: Cost | null = null
      for (let round = 0; round < ROUNDS && faults.length === 0 && isTooMuch(best); round++) {
        const { cost, faults: found } = await stage.measure(attack)
        faults = found
        last = cost
        best = cheaper(best, beyond(figuresOf(cost, scale), base))
      }
      if (best.bytes > MAX_BYTES) faults.push(`${mib(best.bytes)} MiB`)
      if (best.cpuMs > MAX_CPU_MS) faults.push(`${best.cpuMs.toFixed(0)} ms of CPU time`)
      mostBytes = Math.max(mostBytes, best.bytes)
      mostMs = Math.max(mostMs, best.cpuMs)
      const endings = [...new Set(last?.endings)].join(' ')
      const count = String(last?.connections)
      say(line(attack.name, mib(best.bytes), best.cpuMs.toFixed(0), count, endings))
    } catch (error) {
      faults.push(String(error))
      say(line(attack.name, '?', '?', '?', 'the victim is lost'))
      await stage.close()
      stage = await Stage.open(randomOf(seed))
    }
    if (faults.length > 0) failed++
    for (const fault of faults) {
      say(`    FAILED ${fault}`)
    }
  }
  await stage.close()
  const worst = `beyond an honest peer at most ${mib(mostBytes)} MiB and ${mostMs.toFixed(0)} ms of CPU time a connection`
  return { points: chosen.length, failed, worst }
}

/** Part (d) of the torture: the same list whether it is quick or not. */
export const part: Part = {
  name: 'hostile',
  async run({ seed, only, note, at }) {
    const { points, failed, worst } = await runHostile({
      seed,
      only: only ?? undefined,
      print: (text) => {
        at(text)
        note(text)
      },
    })
    return [{ what: 'hostile peers', passed: points - failed, failed, remark: worst }]
  },
}

/** What one connection of a round cost. */
interface Figures {
  readonly bytes: number
  readonly cpuMs: number
}

/** How much slower than its fastest the victim was in a round. */
class Scale {
  #fastestMs = Infinity

  /** 1 and more. */
  of({ paceMs }: Cost): number {
    this.#fastestMs = Math.min(this.#fastestMs, paceMs)
    return Math.min(SLOWEST_PACE, paceMs / this.#fastestMs)
  }
}

function figuresOf(cost: Cost, scale: Scale): Figures {
  const count = Math.max(cost.connections, 1)
  return { bytes: cost.peakBytes, cpuMs: cost.cpuMs / count / scale.of(cost) }
}

function beyond(figures: Figures, base: Figures): Figures {
  return {
    bytes: Math.max(0, figures.bytes - base.bytes),
    cpuMs: Math.max(0, figures.cpuMs - base.cpuMs),
  }
}

function cheaper(a: Figures, b: Figures): Figures {
  return { bytes: Math.min(a.bytes, b.bytes), cpuMs: Math.min(a.cpuMs, b.cpuMs) }
}

function isTooMuch({ bytes, cpuMs }: Figures): boolean {
  return bytes > MAX_BYTES || cpuMs > MAX_CPU_MS
}

/** Once to warm up, then the cheaper of two: what is taken off is the least that an honest peer costs. */
async function honestFigures(stage: Stage, role: Role, scale: Scale): Promise<Figures> {
  figuresOf(await stage.honestCost(role), scale)
  const first = figuresOf(await stage.honestCost(role), scale)
  return cheaper(first, figuresOf(await stage.honestCost(role), scale))
}

function mib(bytes: number): string {
  return (bytes / 1_048_576).toFixed(1)
}

function line(name: string, peak: string, cpu: string, count: string, endings: string): string {
  return `${name.padEnd(64)} ${peak.padStart(8)} ${cpu.padStart(7)} ${count.padStart(5)}  ${endings}`
}

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
