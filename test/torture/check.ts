/**
 * What must hold of a log that is found after a crash.
 *
 * @module
 */
import { Log, LogError, fsck } from '../../src/log/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import type { Files } from './crash-states.ts'
import type { Chance } from './chance.ts'
import { messageOf, openLog, sameBytes } from './workload.ts'
import type { History, Workload } from './workload.ts'

/** What was promised to survive. */
export interface Expectation {
  readonly length: number
  readonly held: ReadonlySet<number>
  /** No promise that survives was ever given: the log may say that nothing can be proven. */
  readonly mayRefuse: boolean
  /** Everything that is held must be right: no write was lost. */
  readonly whole: boolean
  /** Everything that can be read can be replicated. */
  readonly provable: boolean
  readonly attempted: number
  /** Blocks that were ever to be cleared. */
  readonly cleared: ReadonlySet<number>
}

/** Blocks of the base that are looked at. */
const SAMPLE = 24

/** What a crash at `moment` has to leave. */
export function expectationAt(
  workload: Workload,
  history: History,
  moment: number,
  isPowerCut: boolean,
): Expectation {
  let last = null
  for (const milestone of history.milestones) {
    if (milestone.moment > moment) break
    if (!isPowerCut || milestone.durable) last = milestone
  }
  const held = new Set(last?.held)
  for (const { moment: asked, block } of history.clears) {
    if (last && asked >= last.moment && asked <= moment) held.delete(block)
  }
  const length = last?.length ?? 0
  return {
    length,
    held,
    mayRefuse: isPowerCut && length === 0 && workload.mode === 'none',
    whole: !isPowerCut || workload.mode !== 'none',
    provable: !isPowerCut || workload.mode !== 'none',
    attempted: history.attempted,
    cleared: new Set(
      history.clears.filter((clear) => clear.moment <= moment).map(({ block }) => block),
    ),
  }
}

/** Throws when the log in `files` is not what was promised. */
export async function check(
  workload: Workload,
  files: Files,
  expected: Expectation,
  chance: Chance,
): Promise<'sound' | 'refused'> {
  const folder = new MemoryFolder(files)
  let log = openLog(
    workload,
    folder.open,
    workload.givesKey || (workload.role === 'replica' && expected.length === 0),
  )
  try {
    await log.ready()
  } catch (error) {
    const isFitting = error instanceof LogError && expected.mayRefuse
    if (!isFitting) throw new Error(`does not open: ${String(error)}`, { cause: error })
    if (!sameFiles(folder.snapshot(), files))
      throw new Error('a refusal that wrote', { cause: error })
    return 'refused'
  }
  const isOurs = log.key !== null && sameBytes(log.key, workload.keys.publicKey)
  if (!isOurs) {
    if (expected.length > 0 || (expected.whole && expected.held.size > 0))
      throw new Error('another identity')
    if (log.length > 0) throw new Error('another identity over content')
  } else {
    const isWhole = await checkContent(workload, log, expected, chance)
    if (!isWhole) {
      // Writes were lost that nobody was promised. After a repair all that is left can be proven.
      await log.close()
      await fsck(folder.open, { key: workload.keys.publicKey, repair: true })
      log = openLog(workload, folder.open, false)
      const attempted = expected.attempted + 2
      const again = { ...expected, attempted, provable: true }
      await log.ready()
      if (!(await checkContent(workload, log, again, chance))) throw new Error('is not repaired')
    }
  }
  const { length } = log
  await log.close()
  if (chance.below(4) === 0) {
    const before = folder.snapshot()
    const again = openLog(workload, folder.open, workload.givesKey)
    await again.ready()
    if (again.length !== length) throw new Error(`${again.length} blocks after closing ${length}`)
    await again.close()
    if (!sameFiles(folder.snapshot(), before)) throw new Error('opening a closed log wrote')
  }
  return 'sound'
}

async function checkContent(
  workload: Workload,
  log: Log,
  expected: Expectation,
  chance: Chance,
): Promise<boolean> {
  const { blocks, role, sources, base } = workload
  if (log.length < expected.length) {
    throw new Error(`${log.length} blocks, of ${expected.length} acknowledged`)
  }
  if (log.length > expected.attempted) {
    throw new Error(`${log.length} blocks, where ${expected.attempted} were ever appended`)
  }
  if (log.downloaded(log.length) !== 0) throw new Error('blocks beyond the end are held')
  const sample = sampleOf(log.length, base, chance)
  const readable = await readAll(workload, log, sample)
  for (const index of expected.held) {
    if (!readable.has(index)) throw new Error(`block ${index}, promised, cannot be read`)
  }
  if (expected.whole) {
    for (const index of sample) {
      if (log.has(index) && !readable.has(index))
        throw new Error(`block ${index} is held and unreadable`)
    }
  }
  if (role === 'writer' && expected.whole) {
    for (const index of sample) {
      // Of an empty block whose bit was torn off nobody can tell whether it was cleared.
      if (blocks.at(index).length === 0) continue
      if (!readable.has(index) && !expected.cleared.has(index)) {
        throw new Error(`block ${index}, never cleared, is not held`)
      }
    }
  }
  if (role === 'writer') {
    if (!log.writable) {
      if (expected.length > 0) throw new Error('is not writable any more')
    } else {
      const { length } = log
      const index = await log.append(blocks.at(length))
      if (index !== length) throw new Error(`append said ${index}, not ${length}`)
      const head = await log.signature()
      if (head.index !== length)
        throw new Error(`the head ${length} is not signed, but ${head.index}`)
      await log.verify(length, head.signature)
      readable.add(length)
    }
  } else {
    await complete(workload, log, sources.at(-1), readable)
  }
  return checkCopy(workload, log, readable, expected)
}

/** Read what is held, in runs and, where that fails, one by one. */
async function readAll(
  { blocks }: Workload,
  log: Log,
  sample: readonly number[],
): Promise<Set<number>> {
  const readable = new Set<number>()
  const check = (index: number, bytes: Uint8Array): void => {
    if (!sameBytes(bytes, blocks.at(index)))
      throw new Error(`block ${index}: wrong bytes were served`)
    readable.add(index)
  }
  for (let i = 0; i < sample.length;) {
    const start = sample[i] ?? 0
    if (!log.has(start)) {
      i++
      continue
    }
    let end = start
    while (sample[i] === end && log.has(end)) {
      i++
      end++
    }
    try {
      // oxlint-disable-next-line no-await-in-loop
      const run = await log.getBatch(start, end, { wait: false })
      for (const [k, bytes] of run.entries()) check(start + k, bytes)
      continue
    } catch (error) {
      if (!(error instanceof LogError)) throw error
    }
    for (let index = start; index < end; index++) {
      try {
        // oxlint-disable-next-line no-await-in-loop
        check(index, await log.get(index, { wait: false }))
      } catch (error) {
        if (!(error instanceof LogError)) throw error
        if (error.code !== 'LOG_CORRUPT' && error.code !== 'LOG_NOT_HELD') throw error
      }
    }
  }
  return readable
}

/** A replica gets what it lacks from a peer that has everything. */
async function complete(
  workload: Workload,
  log: Log,
  source: Log | undefined,
  readable: Set<number>,
): Promise<void> {
  if (!source) return
  if (log.downloaded() > readable.size && workload.base === 0) await log.audit()
  for (let index = workload.base; index < source.length; index++) {
    if (log.has(index)) continue
    for (let attempt = 0; ; attempt++) {
      // oxlint-disable-next-line no-await-in-loop -- the digest tells what came before
      const [error] = await log.receive([await messageOf(source, log, index)], null)
      if (!error) break
      // One that finds its own tree damaged asks again, for a proof that does without it.
      if (attempt > 0) throw new Error(`block ${index} cannot be fetched again`, { cause: error })
    }
    // oxlint-disable-next-line no-await-in-loop
    const bytes = await log.get(index, { wait: false })
    if (!sameBytes(bytes, workload.blocks.at(index)))
      throw new Error(`block ${index}: fetched, and wrong`)
    readable.add(index)
  }
  if (log.length !== source.length)
    throw new Error(`${log.length} of ${source.length} blocks fetched`)
}

/**
 * A new replica gets everything that can be read here.
 *
 * @returns whether it does; without, something was lost that a proof leans on
 */
async function checkCopy(
  workload: Workload,
  log: Log,
  readable: Set<number>,
  expected: Expectation,
): Promise<boolean> {
  const copy = new Log(new MemoryFolder().open, workload.keys.publicKey, {
    sparse: true,
    durability: 'none',
  })
  await copy.ready()
  const wanted = [...readable].slice(-SAMPLE)
  const results: Array<Promise<unknown>> = []
  let isWhole = true
  for (const index of wanted) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- the digest tells what came before
      results.push(copy.receive([await messageOf(log, copy, index)], null))
    } catch (error) {
      if (expected.provable || !(error instanceof LogError)) throw error
      isWhole = false
    }
  }
  await Promise.all(results)
  for (const index of wanted) {
    if (!copy.has(index)) {
      if (expected.provable) throw new Error(`block ${index} cannot be replicated`)
      isWhole = false
      continue
    }
    // oxlint-disable-next-line no-await-in-loop
    const bytes = await copy.get(index, { wait: false })
    if (!sameBytes(bytes, workload.blocks.at(index))) {
      throw new Error(`block ${index}: wrong in a copy`)
    }
  }
  await copy.close()
  return isWhole
}

/** All blocks above the base, and some below it; ascending. */
function sampleOf(length: number, base: number, chance: Chance): number[] {
  const sample = new Set<number>()
  const count = base > 0 ? SAMPLE : 0
  for (let i = 0; i < count; i++) sample.add(Math.min(length - 1, chance.below(base)))
  for (let index = Math.max(0, base - SAMPLE); index < length; index++) sample.add(index)
  return [...sample].filter((index) => index >= 0).toSorted((a, b) => a - b)
}

function sameFiles(
  a: ReadonlyMap<string, Uint8Array>,
  b: ReadonlyMap<string, Uint8Array>,
): boolean {
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    const [left, right] = [a.get(name), b.get(name)]
    if (!left || !right || !sameBytes(left, right)) return false
  }
  return true
}
