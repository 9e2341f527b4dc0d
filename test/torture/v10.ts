/**
 * The real v10 through the same storage faults: `npm run torture:v10 -- [--seed N] [--points N]`.
 *
 * The same workloads of a writer are run by v10's log on the recording folder, given to it as
 * random-access-storage objects, and every state that a crash leaves is opened, read and extended by it.
 * It never syncs, so in a power cut everything may be lost; counted is only what is wrong afterwards.
 *
 * @module
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { MemoryFolder } from '../../src/storage/index.ts'
import type { OpenStorage, RandomAccess } from '../../src/storage/index.ts'
import { installOriginal } from '../interop/install.ts'
import { Chance } from './chance.ts'
import { CrashStates } from './crash-states.ts'
import type { Files } from './crash-states.ts'
import { RecordingFolder } from './recording-folder.ts'
import { endWorkload, makeWorkload, sameBytes } from './workload.ts'
import type { Workload } from './workload.ts'

type Done<T> = (error: Error | null, value?: T) => void

/** As much of v10's log as is used here. */
interface Feed {
  readonly length: number
  readonly writable: boolean
  readonly key: Uint8Array
  on(event: 'error', listener: (error: Error) => void): void
  ready(done: Done<void>): void
  append(blocks: Uint8Array | Uint8Array[], done: Done<number>): void
  get(index: number, options: { wait: boolean }, done: Done<Uint8Array>): void
  has(index: number): boolean
  clear(start: number, end: number, done: Done<void>): void
  flush(done: Done<void>): void
  signature(done: Done<{ index: number; signature: Uint8Array }>): void
  verify(index: number, signature: Uint8Array, done: Done<boolean>): void
  close(done: Done<void>): void
}
type Hypercore = (storage: (name: string) => object, key: unknown, options: object) => Feed

/** What is wrong with a state, worst first. */
const VERDICTS = [
  'wrong bytes served',
  'acknowledged block lost',
  'does not open',
  'cannot be appended to',
  'head not signed',
  'no answer',
] as const
type Verdict = (typeof VERDICTS)[number] | 'sound'

/** An answer takes milliseconds; what has none by then has none. */
const HANG_MS = 3000

/** A file of ours as v10 wants it. */
function asOldStorage(file: RandomAccess): object {
  const answer = <T>(work: Promise<T>, done?: Done<T>): void => {
    work.then(
      (value) => setImmediate(() => done?.(null, value)),
      (error: Error) => setImmediate(() => done?.(error)),
    )
  }
  const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes)
  return {
    open: (done?: Done<void>) => answer(Promise.resolve(), done),
    read: (offset: number, length: number, done: Done<Buffer>) =>
      answer(file.read(offset, length).then(asBuffer), done),
    write: (offset: number, bytes: Uint8Array, done?: Done<void>) =>
      answer(file.write(offset, bytes), done),
    // As its own file storage: only what reaches the end is cut off.
    del: (offset: number, length: number, done?: Done<void>) =>
      answer(
        file.size().then((size) => (offset + length >= size ? file.truncate(offset) : undefined)),
        done,
      ),
    stat: (done: Done<{ size: number }>) =>
      answer(
        file.size().then((size) => ({ size })),
        done,
      ),
    close: (done?: Done<void>) => answer(Promise.resolve(), done),
    destroy: (done?: Done<void>) => answer(Promise.resolve(), done),
  }
}

function call<T>(run: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    // oxlint-disable-next-line no-unsafe-type-assertion -- v10 gives what its documentation says
    run((error, value) => (error ? reject(error) : resolve(value as T)))
  })
}

function openFeed(
  hypercore: Hypercore,
  open: OpenStorage,
  workload: Workload,
  isNew: boolean,
): Feed {
  const { publicKey, secretKey } = workload.keys
  const feed = hypercore(
    (name) => asOldStorage(open(name)),
    isNew ? Buffer.from(publicKey) : null,
    isNew ? { secretKey: Buffer.from(secretKey) } : {},
  )
  feed.on('error', () => undefined) // told to `ready` as well
  return feed
}

/** Run a writer's workload. Returns acknowledged lengths and clears by moment. */
async function play(
  hypercore: Hypercore,
  workload: Workload,
  folder: RecordingFolder,
): Promise<{ acks: Array<[moment: number, length: number]>; cleared: Set<number> }> {
  const { blocks } = workload
  const acks: Array<[number, number]> = []
  const cleared = new Set<number>()
  let feed = openFeed(hypercore, folder.open, workload, true)
  await call<void>((done) => feed.ready(done))
  let length = 0
  for (const step of workload.steps) {
    if (step.type === 'append') {
      const appends = step.counts.map((count) => {
        const run = blocks.run(length, count).map((block) => Buffer.from(block))
        length += count
        const end = length
        return call<number>((done) => feed.append(run, done)).then(() => {
          acks.push([folder.moments.length, end])
          return end
        })
      })
      // oxlint-disable-next-line no-await-in-loop
      await Promise.all(appends)
    } else if (step.type === 'clear' && length > 0) {
      const start = step.at % length
      const end = Math.min(length, start + step.count)
      for (let block = start; block < end; block++) cleared.add(block)
      // oxlint-disable-next-line no-await-in-loop
      await call<void>((done) => feed.clear(start, end, done))
    } else if (step.type === 'reopen') {
      const old = feed
      // oxlint-disable-next-line no-await-in-loop
      await call<void>((done) => old.close(done))
      feed = openFeed(hypercore, folder.open, workload, false)
      // oxlint-disable-next-line no-await-in-loop
      await call<void>((done) => feed.ready(done))
    }
  }
  await call<void>((done) => feed.close(done))
  return { acks, cleared }
}

async function judge(
  hypercore: Hypercore,
  workload: Workload,
  files: Files,
  least: number,
  cleared: ReadonlySet<number>,
): Promise<Verdict> {
  const { blocks } = workload
  const feed = openFeed(hypercore, new MemoryFolder(files).open, workload, least === 0)
  try {
    await call<void>((done) => feed.ready(done))
  } catch {
    return 'does not open'
  }
  let lost = feed.length < least
  for (let index = 0; index < feed.length; index++) {
    try {
      // oxlint-disable-next-line no-await-in-loop
      const bytes = await call<Uint8Array>((done) => feed.get(index, { wait: false }, done))
      if (!sameBytes(bytes, blocks.at(index))) return 'wrong bytes served'
    } catch {
      if (index < least && !cleared.has(index)) lost = true
    }
  }
  if (lost) return 'acknowledged block lost'
  const { length } = feed
  try {
    const block = Buffer.from(blocks.at(length))
    if ((await call<number>((done) => feed.append(block, done))) !== length) {
      return 'cannot be appended to'
    }
  } catch {
    return 'cannot be appended to'
  }
  try {
    const head = await call<{ index: number; signature: Uint8Array }>((done) =>
      feed.signature(done),
    )
    if (head.index !== length) return 'head not signed'
    await call<boolean>((done) => feed.verify(length, head.signature, done))
  } catch {
    return 'head not signed'
  }
  return 'sound'
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { seed: { type: 'string' }, points: { type: 'string' } },
  })
  const seed = Number(values.seed ?? 1)
  const wanted = Number(values.points ?? 2000)
  const require = createRequire(join(installOriginal(), 'package.json'))
  // oxlint-disable-next-line no-unsafe-type-assertion -- the package has no types
  const hypercore = require('hypercore') as Hypercore
  const counts = new Map<string, Map<Verdict, number>>()
  const point = async (kind: string, run: () => Promise<Verdict>): Promise<void> => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const hang = new Promise<Verdict>((resolve) => {
      timer = setTimeout(() => resolve('no answer'), HANG_MS)
    })
    const verdict = await Promise.race([run(), hang])
    clearTimeout(timer)
    const row = counts.get(kind) ?? new Map<Verdict, number>()
    counts.set(kind, row.set(verdict, (row.get(verdict) ?? 0) + 1))
  }
  for (let number = 0; totalOf(counts) < wanted; number++) {
    // oxlint-disable-next-line no-await-in-loop
    const workload = await makeWorkload(seed, number)
    // oxlint-disable-next-line no-await-in-loop
    if (workload.role === 'writer' && workload.base === 0)
      await crash(hypercore, seed, workload, point)
    // oxlint-disable-next-line no-await-in-loop
    await endWorkload(workload)
  }
  report(seed, counts)
}

async function crash(
  hypercore: Hypercore,
  seed: number,
  workload: Workload,
  point: (kind: string, run: () => Promise<Verdict>) => Promise<void>,
): Promise<void> {
  const folder = new RecordingFolder(new Chance(seed, workload.number, 2))
  const { acks, cleared } = await play(hypercore, workload, folder)
  const states = new CrashStates(new Map())
  for (const [i, moment] of folder.moments.entries()) {
    const chance = new Chance(seed, workload.number, 3, i)
    states.pass(moment)
    const least = acks.reduce(
      (most, [at, length]) => (at <= i + 1 ? Math.max(most, length) : most),
      0,
    )
    const killed = states.killed(chance)
    // oxlint-disable-next-line no-await-in-loop
    await point('killed after each call', () => judge(hypercore, workload, killed, least, cleared))
    const cut = states.powerCut(chance)
    // oxlint-disable-next-line no-await-in-loop
    await point('power cut, any writes lost', () => judge(hypercore, workload, cut, 0, cleared))
  }
}

function totalOf(counts: ReadonlyMap<string, ReadonlyMap<Verdict, number>>): number {
  let total = 0
  for (const row of counts.values()) for (const count of row.values()) total += count
  return total
}

function report(seed: number, counts: ReadonlyMap<string, ReadonlyMap<Verdict, number>>): void {
  const print = (line: string): void => void process.stdout.write(`${line}\n`)
  print(`v10, seed ${seed}`)
  print(`| What | Points | Sound | ${VERDICTS.join(' | ')} |`)
  print(`| --- | ---: | ---: |${VERDICTS.map(() => ' ---: |').join('')}`)
  for (const [kind, row] of counts) {
    const total = [...row.values()].reduce((sum, each) => sum + each, 0)
    const figures = VERDICTS.map((verdict) => row.get(verdict) ?? 0)
    print(`| ${kind} | ${total} | ${row.get('sound') ?? 0} | ${figures.join(' | ')} |`)
  }
}

await main()
