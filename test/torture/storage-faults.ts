/**
 * Storage fault replay, at the level of single calls.
 *
 * Each workload is run once undisturbed, and its journal walked: at every moment the process is killed,
 * writes tear, the power goes. Then it is run again for each call that it makes, which fails. Every
 * state that is left is a point: it is opened, read, extended and replicated (check.ts).
 *
 * @module
 */
import { Chance } from './chance.ts'
import { check, expectationAt } from './check.ts'
import { CrashStates } from './crash-states.ts'
import type { Part, Row, Setting } from './parts.ts'
import { RecordingFolder } from './recording-folder.ts'
import type { CallType, Failure } from './recording-folder.ts'
import { play } from './player.ts'
import { endWorkload, makeWorkload } from './workload.ts'
import type { Workload } from './workload.ts'

const FULL_POINTS = 100_000
const QUICK_POINTS = 6000
/** Power cuts at every moment. */
const CUTS = 2
const FAILURES_PRINTED = 30

const KINDS = {
  kill: 'killed after each call',
  torn512: 'write torn at 512 bytes',
  torn4096: 'write torn at 4096 bytes',
  cut: 'power cut, any un-synced writes lost',
  ENOSPC: 'ENOSPC at each write, once or from then on',
  EIO: 'EIO at each call',
  short: 'short read at each read',
} as const
type Kind = keyof typeof KINDS

class Tally {
  readonly passed: Record<string, number> = {}
  readonly failed: Record<string, number> = {}
  readonly refused: Record<string, number> = {}
  readonly #setting: Setting
  points = 0
  failures = 0

  constructor(setting: Setting) {
    this.#setting = setting
  }

  async point(kind: Kind, name: string, run: () => Promise<'sound' | 'refused'>): Promise<void> {
    this.points++
    if (this.#setting.only !== null && !name.includes(this.#setting.only)) return
    this.#setting.at(name)
    try {
      const outcome = await run()
      this.passed[kind] = (this.passed[kind] ?? 0) + 1
      if (outcome === 'refused') this.refused[kind] = (this.refused[kind] ?? 0) + 1
    } catch (error) {
      this.failed[kind] = (this.failed[kind] ?? 0) + 1
      if (++this.failures > FAILURES_PRINTED) return
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      this.#setting.note(
        `FAIL --seed ${this.#setting.seed} --only '${name}': ${text.split('\n').slice(0, 4).join(' | ')}`,
      )
    }
  }

  rows(): Row[] {
    return (Object.keys(KINDS) as Kind[]).map((kind) => {
      const refused = this.refused[kind] ?? 0
      return {
        what: `storage: ${KINDS[kind]}`,
        passed: this.passed[kind] ?? 0,
        failed: this.failed[kind] ?? 0,
        ...(refused > 0 && { remark: `${refused} refused to open with nothing acknowledged` }),
      }
    })
  }
}

function nameOf({ number, role, mode }: Workload): string {
  return `workload ${number} (${role}, ${mode})`
}

/** Every state that a crash during one undisturbed run may leave. */
async function crashes(seed: number, workload: Workload, tally: Tally): Promise<number> {
  const name = nameOf(workload)
  const folder = new RecordingFolder(new Chance(seed, workload.number, 2), workload.files)
  const history = await play(workload, folder, false)
  for (const fault of history.faults) {
    // oxlint-disable-next-line no-await-in-loop
    await tally.point('kill', `${name} undisturbed`, () => Promise.reject(new Error(fault)))
  }
  const states = new CrashStates(workload.files)
  for (const [i, moment] of folder.moments.entries()) {
    const { operation, done } = moment
    const chance = new Chance(seed, workload.number, 3, i)
    const choices = (): Chance => new Chance(seed, workload.number, 5, i)
    const now = expectationAt(workload, history, i, false)
    if (done && operation.type !== 'sync') {
      for (const sector of [512, 4096] as const) {
        if (!states.tears(operation, sector)) continue
        const kind = sector === 512 ? 'torn512' : 'torn4096'
        const files = states.torn(operation, sector, chance)
        // oxlint-disable-next-line no-await-in-loop
        await tally.point(kind, `${name} moment ${i} ${kind}`, () =>
          check(workload, files, now, choices()),
        )
      }
    }
    states.pass(moment)
    const after = expectationAt(workload, history, i + 1, false)
    if (operation.type !== 'sync') {
      const files = states.killed(chance)
      // oxlint-disable-next-line no-await-in-loop
      await tally.point('kill', `${name} moment ${i} kill`, () =>
        check(workload, files, after, choices()),
      )
    }
    const cut = expectationAt(workload, history, i + 1, true)
    for (let k = 0; k < CUTS; k++) {
      const files = states.powerCut(chance)
      // oxlint-disable-next-line no-await-in-loop
      await tally.point('cut', `${name} moment ${i} cut ${k}`, () =>
        check(workload, files, cut, choices()),
      )
    }
  }
  return folder.calls.length
}

/** One run with call `n` failing. */
async function failing(
  seed: number,
  workload: Workload,
  n: number,
  failure: Failure,
  forEver: boolean,
): Promise<'sound' | 'refused'> {
  const folder = new RecordingFolder(new Chance(seed, workload.number, 2), workload.files)
  folder.fault = (call, type) => {
    if (call < n || (call > n && !forEver)) return null
    return fits(failure, type) ? failure : null
  }
  const history = await play(workload, folder, true)
  const [fault] = history.faults
  if (fault !== undefined) throw new Error(fault)
  const expected = expectationAt(workload, history, Infinity, false)
  return check(workload, folder.left(), expected, new Chance(seed, workload.number, 4, n))
}

function fits(failure: Failure, type: CallType): boolean {
  if (failure === 'ENOSPC') return type === 'write'
  return failure === 'EIO' || type === 'read'
}

async function failures(
  seed: number,
  workload: Workload,
  calls: readonly CallType[],
  tally: Tally,
): Promise<void> {
  const name = nameOf(workload)
  for (const [n, type] of calls.entries()) {
    for (const failure of ['EIO', 'ENOSPC', 'short'] as const) {
      if (!fits(failure, type)) continue
      const forEver = failure === 'ENOSPC' && n % 2 === 1
      // oxlint-disable-next-line no-await-in-loop
      await tally.point(
        failure,
        `${name} call ${n} ${type} ${failure}${forEver ? ' for ever' : ''}`,
        () => failing(seed, workload, n, failure, forEver),
      )
    }
  }
}

async function run(setting: Setting): Promise<Row[]> {
  const { seed, quick, note, only } = setting
  const tally = new Tally(setting)
  const wanted = quick ? QUICK_POINTS : FULL_POINTS
  let told = 0
  for (let number = 0; tally.points < wanted; number++) {
    // oxlint-disable-next-line no-await-in-loop -- the state of a workload is large
    const workload = await makeWorkload(seed, number)
    if (only !== null && !only.startsWith(nameOf(workload))) {
      tally.points += 100
      continue
    }
    const folder = new RecordingFolder(new Chance(seed, number, 2), workload.files)
    // oxlint-disable-next-line no-await-in-loop
    await play(workload, folder, true)
    // oxlint-disable-next-line no-await-in-loop
    await crashes(seed, workload, tally)
    // oxlint-disable-next-line no-await-in-loop
    await failures(seed, workload, folder.calls, tally)
    // oxlint-disable-next-line no-await-in-loop
    await endWorkload(workload)
    if (tally.points - told < 10_000) continue
    told = tally.points
    note(`storage faults: ${told} points, ${tally.failures} failed`)
  }
  return tally.rows()
}

export const part: Part = { name: 'storage', run }
