/**
 * The list of hostile peers, played one after the other; part (d) of the torture.
 *
 * Each plays against a fresh log in the victim's process. It may cost that process no more than an honest peer does,
 * 16 MiB and 250 ms of CPU time; it must not end, block or fool it.
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
  const honest = new Map<Role, Cost>()
  say(line('hostile peer', 'peak MiB', 'CPU ms', 'each', 'ends with'))
  for (const attack of chosen) {
    let faults: string[] = []
    try {
      const base = honest.get(attack.role) ?? (await honestCost(stage, attack.role))
      honest.set(attack.role, base)
      const { cost, faults: found } = await stage.measure(attack)
      faults = found
      const count = Math.max(cost.connections, 1)
      const peak = Math.max(0, cost.peakBytes - base.peakBytes)
      const cpu = Math.max(0, cost.cpuMs / count - base.cpuMs)
      if (peak > MAX_BYTES) faults.push(`${mib(peak)} MiB`)
      if (cpu > MAX_CPU_MS) faults.push(`${cpu.toFixed(0)} ms of CPU time`)
      mostBytes = Math.max(mostBytes, peak)
      mostMs = Math.max(mostMs, cpu)
      const endings = [...new Set(cost.endings)].join(' ')
      say(line(attack.name, mib(peak), cpu.toFixed(0), String(count), endings))
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

/** Once to warm up, then the cheaper of two. */
async function honestCost(stage: Stage, role: Role): Promise<Cost> {
  await stage.honestCost(role)
  const [first, second] = [await stage.honestCost(role), await stage.honestCost(role)]
  return first.cpuMs < second.cpuMs ? first : second
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
