/**
 * What must hold of a log that is found after a crash.
 *
 * @module
 */
import { Log, LogError, fsck } from '../../src/log/index.ts'
import { treeHash } from '../../src/merkle/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import type { Files } from './crash-states.ts'
import type { Chance } from './chance.ts'
import type { History } from './player.ts'
import { blockOf, messageOf, openLog, sameBytes } from './workload.ts'
import type { Workload } from './workload.ts'

/** What was promised to survive. */
export interface Expectation {
  readonly length: number
  /** Blocks, and whether as before the log was cut (0) or after (1). */
  readonly held: ReadonlyMap<number, number>
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
  const held = new Map(last?.held)
  for (const { moment: asked, block } of history.clears) {
    if (last && asked >= last.moment && asked <= moment) held.delete(block)
  }
  let length = last?.length ?? 0
  for (const cut of history.cuts) {
    if (cut.moment > moment || (last && cut.moment < last.moment)) continue
    length = Math.min(length, cut.length)
    for (const block of held.keys()) if (block >= length) held.delete(block)
  }
  return {
    length,
    held,
    mayRefuse: isPowerCut && length === 0 && workload.mode === 'none',
    whole: !isPowerCut || workload.mode !== 'none',
    provable: !isPowerCut || workload.mode !== 'none',
    attempted: mostAt(history, moment, isPowerCut),
    cleared: new Set(
      history.clears.filter((clear) => clear.moment <= moment).map(({ block }) => block),
    ),
  }
}

/** The longest that the log may be. */
function mostAt({ attempts, cuts }: History, moment: number, isPowerCut: boolean): number {
  const cut = cuts.findLast(
    (each) => each.done && each.moment <= moment && (each.durable || !isPowerCut),
  )
  let most = cut?.length ?? 0
  for (const { moment: asked, length } of attempts) {
    if (asked <= moment && (!cut || asked >= cut.moment)) most = Math.max(most, length)
  }
  return most
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
  const isStatic = workload.role === 'static'
  let isRepaired = true
  const isOurs = isStatic || (log.key !== null && sameBytes(log.key, workload.keys.publicKey))
  if (!isOurs) {
    if (expected.length > 0 || (expected.whole && expected.held.size > 0))
      throw new Error('another identity')
    if (log.length > 0) throw new Error('another identity over content')
  } else {
    const isWhole = await checkContent(workload, log, expected, chance)
    if (!isWhole && !isStatic) {
      // Writes were lost that nobody was promised. After a repair all that is left can be proven.
      await log.close()
      await fsck(folder.open, { key: workload.keys.publicKey, repair: true })
      log = openLog(workload, folder.open, false)
      // It may have been appended to by now, or completed by a source.
      const source = workload.sources.at(-1)?.length ?? 0
      const attempted = Math.max(expected.attempted + 2, source)
      const again = { ...expected, attempted, provable: true }
      await log.ready()
      if (!(await checkContent(workload, log, again, chance))) throw new Error('is not repaired')
    } else isRepaired = isWhole && expected.whole
  }
  const { length } = log
  await log.close()
  // What was lost of a static log in mode `none` may be found and dropped at any opening.
  if (chance.below(4) === 0 && isRepaired) {
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
  const { role, sources, base } = workload
  if (log.length < expected.length) {
    throw new Error(`${log.length} blocks, of ${expected.length} acknowledged`)
  }
  if (log.length > expected.attempted) {
    throw new Error(`${log.length} blocks, where ${expected.attempted} were ever appended`)
  }
  if (log.downloaded(log.length) !== 0) throw new Error('blocks beyond the end are held')
  const sample = sampleOf(log.length, base, chance)
  const readable = await readAll(workload, log, sample)
  for (const [index, generation] of expected.held) {
    const found = readable.get(index)
    if (found === undefined) throw new Error(`block ${index}, promised, cannot be read`)
    if (!sameBytes(found, blockOf(workload, index, generation)))
      throw new Error(`block ${index} is of another time`)
  }
  if (expected.whole) {
    for (const index of sample) {
      if (log.has(index) && !readable.has(index))
        throw new Error(`block ${index} is held and unreadable`)
    }
  }
  if (role !== 'replica' && expected.whole) {
    for (const index of sample) {
      // Of an empty block whose bit was torn off nobody can tell whether it was cleared.
      if (isEmpty(workload, index)) continue
      if (!readable.has(index) && !expected.cleared.has(index)) {
        throw new Error(`block ${index}, never cleared, is not held`)
      }
    }
  }
  if (role !== 'replica') {
    if (!log.writable) {
      if (role === 'static') await checkKey(log)
      else if (expected.length > 0) throw new Error('is not writable any more')
    } else {
      const { length } = log
      const block = blockOf(workload, length, 1)
      const index = await log.append(block)
      if (index !== length) throw new Error(`append said ${index}, not ${length}`)
      readable.set(length, block)
      if (role === 'static') await log.finalize()
      else {
        const head = await log.signature()
        if (head.index !== length)
          throw new Error(`the head ${length} is not signed, but ${head.index}`)
        await log.verify(length, head.signature)
      }
    }
  } else {
    await complete(workload, log, sources.at(-1), readable)
  }
  return checkCopy(log, readable, expected)
}

/** A static log that is complete: its key is the hash of its tree. */
async function checkKey(log: Log): Promise<void> {
  const roots = log.length === 0 ? [] : await log.rootHashes(log.length - 1)
  if (!log.key || !sameBytes(treeHash(roots), log.key))
    throw new Error('the key is of other blocks')
}

function isEmpty(workload: Workload, index: number): boolean {
  return [0, 1].some((generation) => blockOf(workload, index, generation).length === 0)
}

/** Read what is held, in runs and, where that fails, one by one. */
async function readAll(
  workload: Workload,
  log: Log,
  sample: readonly number[],
): Promise<Map<number, Uint8Array>> {
  const readable = new Map<number, Uint8Array>()
  const check = (index: number, bytes: Uint8Array): void => {
    const isRight = [0, 1].some((each) => sameBytes(bytes, blockOf(workload, index, each)))
    if (!isRight) throw new Error(`block ${index}: wrong bytes were served`)
    readable.set(index, bytes)
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
  readable: Map<number, Uint8Array>,
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
    readable.set(index, bytes)
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
  log: Log,
  readable: ReadonlyMap<number, Uint8Array>,
  expected: Expectation,
): Promise<boolean> {
  const copy = new Log(new MemoryFolder().open, log.key, {
    sparse: true,
    durability: 'none',
  })
  await copy.ready()
  const wanted = [...readable.keys()].slice(-SAMPLE)
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
    if (!sameBytes(bytes, readable.get(index) ?? new Uint8Array(0))) {
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
