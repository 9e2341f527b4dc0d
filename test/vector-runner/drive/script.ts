/**
 * The scripted cases of the drive vectors (`drives.json`, `fds.json`, `readstreams.json`, `mounts.json`,
 * `quirks.json`): drives in stores that live in memory, steps under a frozen clock, and after every step the
 * outcome and every block that was appended.
 *
 * A case or step with a `quirk` is run and must answer; what it answers is not judged.
 *
 * @see test/vectors/drive/README.md, Scripted files
 * @module
 */
import assert from 'node:assert/strict'
import { Drive } from '../../../src/drive/drive.ts'
import { Store } from '../../../src/store/store.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Log } from '../../../src/log/index.ts'
import { differenceFor } from '../rules.ts'
import type { VectorCase, VectorFile } from '../vector.ts'
import { blob, expectedStat, type Outcome, type StatRecord } from './forms.ts'
import { operate, type Scene, type Step } from './operations.ts'

/** Longest that a step may take before it counts as one that never answers. Generous: it is no measure of speed. */
const NO_ANSWER_MS = 30_000

/** How a block with an empty key begins. */
const EMPTY_KEY = [0x0a, 0x00]

interface DriveCase {
  readonly store: string
  readonly namespace: string | null
  readonly metadataKey: string
  readonly discoveryKey: string
  readonly contentKey: string
  readonly header: string
}

/** What every drive of a case shows as the time. */
interface Clock {
  time: number
}

interface LogState {
  readonly length: number
  readonly byteLength: number
  readonly signature: string | null
}

interface ScriptedCase {
  readonly name: string
  readonly quirk?: string
  readonly stores: Readonly<Record<string, string>>
  readonly drives: Readonly<Record<string, DriveCase>>
  readonly feed?: { readonly seed: string; readonly publicKey: string; readonly blocks: string[] }
  readonly steps: readonly (Step & Outcome)[]
  readonly final: Readonly<
    Record<string, { readonly metadata: LogState; readonly content: LogState }>
  >
}

/** @yields one case of the runner for each case of a scripted file */
export function* scriptedCases(file: VectorFile): Iterable<VectorCase> {
  for (const each of file.json.cases as readonly ScriptedCase[]) {
    yield { name: each.name, run: () => runCase(each) }
  }
}

async function runCase(script: ScriptedCase): Promise<void> {
  const clock: Clock = { time: 0 }
  const judged = script.quirk === undefined
  const closing: (() => Promise<unknown>)[] = []
  try {
    const stores = await openStores(script, closing)
    const drives = await openDrives(script, stores, clock, closing)
    const more = await openFeed(script, stores)
    const watched = await watchLogs(drives)
    const scene: Scene = { drives, descriptors: new Map(), writing: new Set() }
    if (judged) await checkDrives(script, drives)
    for (const [i, step] of script.steps.entries()) {
      const label = `step ${i} (${step.op} ${JSON.stringify(step.args ?? [])})`
      clock.time = step.time
      if (step.note?.includes('one more block')) await more()
      const outcome = await within(
        label,
        attempt(() => runStep(step, scene)),
      )
      if (!judged) continue
      if (step.quirk === undefined) await checkOutcome(label, step, outcome, scene)
      await checkAppended(label, step, watched, scene)
    }
    if (judged) await checkFinal(script, drives)
  } finally {
    for (const close of closing.toReversed()) await close()
  }
}

async function openStores(
  script: ScriptedCase,
  closing: (() => Promise<unknown>)[],
): Promise<ReadonlyMap<string, Store>> {
  const stores = new Map<string, Store>()
  for (const [name, masterKey] of Object.entries(script.stores)) {
    const store = new Store(() => new MemoryStorage(), {
      masterKey: Buffer.from(masterKey, 'hex'),
    })
    await store.ready()
    closing.push(() => store.close())
    stores.set(name, store)
  }
  return stores
}

async function openDrives(
  script: ScriptedCase,
  stores: ReadonlyMap<string, Store>,
  clock: Clock,
  closing: (() => Promise<unknown>)[],
): Promise<ReadonlyMap<string, Drive>> {
  const drives = new Map<string, Drive>()
  for (const [name, { store, namespace }] of Object.entries(script.drives)) {
    const on = stores.get(store)
    if (!on) throw new Error(`no store ${store}`)
    const drive = new Drive(on, null, {
      exact: true,
      now: () => clock.time,
      descriptorFlushMs: Infinity,
      ...(namespace === null ? {} : { namespace }),
    })
    await drive.ready()
    closing.push(() => drive.close())
    drives.set(name, drive)
  }
  return drives
}

/** Make the plain log of the case, and give back what appends its next block. */
async function openFeed(
  { feed }: ScriptedCase,
  stores: ReadonlyMap<string, Store>,
): Promise<() => Promise<unknown>> {
  const [store] = stores.values()
  if (!feed || !store) return () => Promise.reject(new Error('the case has no feed'))
  const { signingKeyPair } = await import('../../../src/crypto.ts')
  const log = store.get({ keyPair: signingKeyPair(Buffer.from(feed.seed, 'hex')) })
  await log.ready()
  assert.equal(Buffer.from(log.key ?? []).toString('hex'), feed.publicKey, 'key of the feed')
  const blocks = feed.blocks.map((text) => Buffer.from(text))
  await log.append(blocks.slice(0, 2))
  let next = 2
  return () => log.append(blocks.slice(next, ++next))
}

async function runStep(step: Step, scene: Scene): Promise<unknown> {
  const drive = scene.drives.get(step.drive)
  if (!drive) throw new Error(`no drive ${step.drive}`)
  if (step.at === undefined) return operate(drive, step, scene)
  const checkout = drive.checkout(step.at)
  try {
    await checkout.ready()
    return await operate(checkout, step, scene)
  } finally {
    await checkout.close()
  }
}

type Attempt = { readonly ok: unknown } | { readonly error: unknown }

async function attempt(work: () => Promise<unknown>): Promise<Attempt> {
  try {
    return { ok: await work() }
  } catch (error) {
    return { error }
  }
}

/** Fail when `work` never answers; a real timer, since the clock of the case stands still. */
async function within<T>(label: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${label} never answers`)), NO_ANSWER_MS)
  })
  try {
    return await Promise.race([work, silence])
  } finally {
    clearTimeout(timer)
  }
}

async function checkOutcome(
  label: string,
  step: Step & Outcome,
  outcome: Attempt,
  scene: Scene,
): Promise<void> {
  if (step.err) {
    if (!('error' in outcome)) assert.fail(`${label} succeeds; v10: ${step.err.message}`)
    const { code, errno } = outcome.error as { readonly code?: unknown; readonly errno?: unknown }
    if (step.err.code !== null) assert.equal(code, step.err.code, `${label}: code`)
    if (step.err.errno !== null) assert.equal(errno, step.err.errno, `${label}: errno`)
    return
  }
  if ('error' in outcome) throw new Error(`${label} fails`, { cause: outcome.error })
  assert.ok('ok' in step, `${label} answers`)
  const wanted = expected(step.op, step.ok)
  const rule = differenceFor({ op: step.op, args: step.args ?? [] })
  if (rule?.answer.type === 'longer') await checkLonger(label, step, outcome.ok, wanted, scene)
  else assert.deepEqual(outcome.ok, wanted, label)
}

/**
 * A history may go on where v10's ends, if the block there, which neither lists, has an empty key. Where that is the
 * newest block, v10 lists nothing at all.
 */
async function checkLonger(
  label: string,
  step: Step,
  rows: unknown,
  wanted: unknown,
  scene: Scene,
): Promise<void> {
  assert.ok(Array.isArray(rows) && Array.isArray(wanted), `${label} is a list`)
  assert.deepEqual(rows.slice(0, wanted.length), wanted, label)
  if (rows.length === wanted.length) return
  const metadata = scene.drives.get(step.drive)?.metadata
  const newest = (step.at ?? metadata?.length ?? 0) - 1
  const block = await metadata?.get(wanted.length === 0 ? newest : wanted.length + 1)
  assert.deepEqual([...(block?.subarray(0, 2) ?? [])], EMPTY_KEY, `${label}: ends at a reset block`)
}

/** The result of a vector with what its README calls informative or equal taken out. */
function expected(op: string, result: unknown): unknown {
  if (op === 'readStream') {
    const { chunks: _, ...bytes } = result as Readonly<Record<string, unknown>>
    return bytes
  }
  if (op === 'diff') {
    return (result as readonly { type: string; value: unknown }[]).map((row) =>
      row.type === 'put' ? { ...row, value: expectedStat(row.value as StatRecord) } : row,
    )
  }
  return isStat(result) ? expectedStat(result) : result
}

function isStat(result: unknown): result is StatRecord {
  return typeof result === 'object' && result !== null && 'byteOffset' in result
}

/** How far the blocks of each log were compared. */
interface Watched {
  readonly name: string
  readonly metadata: Log
  readonly content: Log
  metadataAt: number
  contentAt: number
}

async function watchLogs(drives: ReadonlyMap<string, Drive>): Promise<readonly Watched[]> {
  return Promise.all(
    [...drives].map(async ([name, drive]) => {
      const [metadata, content] = [drive.metadata, await drive.getContent()]
      if (!metadata) throw new Error(`drive ${name} has no metadata log`)
      return { name, metadata, content, metadataAt: metadata.length, contentAt: content.length }
    }),
  )
}

async function checkAppended(
  label: string,
  step: Step,
  watched: readonly Watched[],
  scene: Scene,
): Promise<void> {
  for (const each of watched) {
    const appended = step.appended?.[each.name]
    const metadata = await blocksFrom(each.metadata, each.metadataAt, each.metadata.length)
    const hex = metadata.map((block) => Buffer.from(block).toString('hex'))
    assert.deepEqual(hex, appended?.metadata ?? [], `${label}: metadata of ${each.name}`)
    each.metadataAt += hex.length
    // Blocks of an open descriptor may be here already; they are told with the step that closes it.
    const wanted = appended?.content ?? []
    const end = scene.writing.size > 0 ? each.contentAt + wanted.length : each.content.length
    const content = (await blocksFrom(each.content, each.contentAt, end)).map(blob)
    assert.deepEqual(content, wanted, `${label}: content of ${each.name}`)
    each.contentAt += content.length
    if (appended?.version !== undefined) assert.equal(each.metadata.length, appended.version)
    if (appended?.contentByteLength !== undefined && scene.writing.size === 0) {
      assert.equal(each.content.byteLength, appended.contentByteLength, `${label}: byteLength`)
    }
  }
}

async function blocksFrom(log: Log, start: number, end: number): Promise<Uint8Array[]> {
  const blocks: Uint8Array[] = []
  for (let i = start; i < Math.min(end, log.length); i++) {
    blocks.push(await log.get(i, { wait: false }))
  }
  return blocks
}

async function checkDrives(
  script: ScriptedCase,
  drives: ReadonlyMap<string, Drive>,
): Promise<void> {
  for (const [name, drive] of drives) {
    const wanted = script.drives[name]
    const content = await drive.getContent()
    const header = await drive.metadata?.get(0)
    const hex = (bytes: Uint8Array | null | undefined): string =>
      Buffer.from(bytes ?? []).toString('hex')
    assert.deepEqual(
      {
        metadataKey: hex(drive.key),
        discoveryKey: hex(drive.discoveryKey),
        contentKey: hex(content.key),
        header: hex(header),
      },
      {
        metadataKey: wanted?.metadataKey,
        discoveryKey: wanted?.discoveryKey,
        contentKey: wanted?.contentKey,
        header: wanted?.header,
      },
      `keys of ${name}`,
    )
  }
}

async function checkFinal(script: ScriptedCase, drives: ReadonlyMap<string, Drive>): Promise<void> {
  for (const [name, wanted] of Object.entries(script.final)) {
    const drive = drives.get(name)
    assert.ok(drive?.metadata, `drive ${name}`)
    const content = await drive.getContent()
    assert.deepEqual(await stateOf(drive.metadata), wanted.metadata, `metadata of ${name}`)
    assert.deepEqual(await stateOf(content), wanted.content, `content of ${name}`)
  }
}

async function stateOf(log: Log): Promise<LogState> {
  const { length, byteLength } = log
  if (length === 0) return { length, byteLength, signature: null }
  const { signature } = await log.signature(length - 1)
  return { length, byteLength, signature: Buffer.from(signature).toString('hex') }
}
