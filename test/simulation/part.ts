/**
 * Part of torture: whole logs and whole drives on a simulated network, one world a seed.
 *
 * `npm run torture -- simulation --seed S --only 'logs 17'` plays one world of a run again.
 *
 * @module
 */
import type { Part, Row, Setting } from '../torture/parts.ts'
import { playDrives } from './drive-world.ts'
import { playLogs } from './log-world.ts'
import type { Outcome } from './outcome.ts'

interface Kind {
  readonly name: string
  readonly what: string
  readonly play: (seed: number) => Promise<Outcome>
  readonly full: number
  readonly quick: number
}

const KINDS: readonly Kind[] = [
  { name: 'logs', what: 'one log, several peers', play: playLogs, full: 8000, quick: 240 },
  { name: 'drives', what: 'one drive, several peers', play: playDrives, full: 2500, quick: 75 },
]
/** One world in so many is played twice, and must go the same way. */
const TWICE = 20
const FAILURES_PRINTED = 30

/** Seed of world `number`: no two of a run are alike. */
function seedOf(seed: number, kind: number, number: number): number {
  return (Math.imul(seed + kind, 0x9e3779b1) + number) >>> 0
}

async function playKind(kind: Kind, place: number, setting: Setting): Promise<Row[]> {
  const { quick, only, note } = setting
  const worlds = { passed: 0, failed: 0 }
  const same = { passed: 0, failed: 0 }
  const sums = { connections: 0, crashes: 0, waits: 0 }
  const count = quick ? kind.quick : kind.full
  for (let number = 0; number < count; number++) {
    const name = `${kind.name} ${number}`
    if (only !== null && only !== name) continue
    const seed = seedOf(setting.seed, place, number)
    setting.at(name)
    // oxlint-disable-next-line no-await-in-loop -- one world at a time
    const outcome = await played(kind, seed)
    worlds[outcome.failures.length === 0 ? 'passed' : 'failed']++
    for (const key of ['connections', 'crashes', 'waits'] as const) sums[key] += outcome[key]
    if (outcome.failures.length > 0 && worlds.failed <= FAILURES_PRINTED) {
      note(
        `FAIL --seed ${setting.seed} --only '${name}': ${outcome.failures.slice(0, 6).join(' | ')}`,
      )
    }
    if (number % TWICE === 0 || only !== null) {
      // oxlint-disable-next-line no-await-in-loop
      const again = await played(kind, seed)
      same[again.trace === outcome.trace ? 'passed' : 'failed']++
      if (again.trace !== outcome.trace)
        note(`FAIL --seed ${setting.seed} --only '${name}': went another way`)
    }
    if (number % 1000 === 999)
      note(`simulation: ${number + 1} ${kind.name}, ${worlds.failed} failed`)
  }
  const remark = `${sums.waits} waits, ${sums.connections} connections, ${sums.crashes} crashes`
  return [
    { what: `simulation: ${kind.what}`, ...worlds, remark },
    { what: `simulation: ${kind.name} played twice, the same run`, ...same },
  ]
}

async function played(kind: Kind, seed: number): Promise<Outcome> {
  try {
    return await kind.play(seed)
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { failures: [text], trace: 0, connections: 0, crashes: 0, waits: 0 }
  }
}

/** All kinds of worlds. */
export const part: Part = {
  name: 'simulation',
  run: async (setting) => {
    const rows: Row[] = []
    for (const [place, kind] of KINDS.entries()) {
      // oxlint-disable-next-line no-await-in-loop
      rows.push(...(await playKind(kind, place, setting)))
    }
    return rows
  },
}
