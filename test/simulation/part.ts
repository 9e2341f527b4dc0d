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
import { EVENTS } from './outcome.ts'
import type { Event, Outcome } from './outcome.ts'

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
  const events = new Map<Event, number>()
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
    for (const [event, times] of outcome.events) events.set(event, (events.get(event) ?? 0) + times)
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
  const rows: Row[] = [
    { what: `simulation: ${kind.what}`, ...worlds, remark },
    { what: `simulation: ${kind.name} played twice, the same run`, ...same },
  ]
  if (only === null) rows.push(rowOf(kind, events, quick))
  return rows
}

/** A whole run in which something never happens does not show that it is survived; a quick one may miss it. */
function rowOf(kind: Kind, events: ReadonlyMap<Event, number>, quick: boolean): Row {
  const seen = EVENTS.filter((event) => events.has(event))
  return {
    what: `simulation: what befell ${kind.name}, each kind at least once`,
    passed: seen.length,
    failed: quick ? 0 : EVENTS.length - seen.length,
    remark: EVENTS.map((event) => `${event} ${events.get(event) ?? 0}`).join(', '),
  }
}

async function played(kind: Kind, seed: number): Promise<Outcome> {
  try {
    return await kind.play(seed)
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { failures: [text], trace: 0, connections: 0, crashes: 0, waits: 0, events: new Map() }
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
