/**
 * One side of the differential run, in a process of its own: carries out whole sequences of operations, one line of
 * JSON each way (see test/interop/line-process.ts), and tells after every operation what came of it and what is to be
 * seen.
 *
 *     node subject.cjs v10 | node subject.cjs varve PATH
 *
 * Time stands still: `Date` shows what the step says, and in v10's process a timer fires only when nothing else is
 * left to do. So nothing depends on how fast the machine is, and what will never answer is known at once: the queue of
 * events is empty.
 */
'use strict'
const path = require('node:path')
const readline = require('node:readline')

const [side, modulePath = 'hyperdrive'] = process.argv.slice(2)
const clock = { now: 0 }
/** Waiting timers of v10, by the time at which they fire. */
const timers = new Map()
freezeDate()
if (side === 'v10') freezeTimers()

const { operations, blob, hex, called } = require('./operations.cjs')
const RandomAccessMemory = require(path.resolve('node_modules/random-access-memory'))
const hyperdrive = require(modulePath)
const Store = side === 'v10' ? require('corestore') : hyperdrive.Store

/** Rounds of an idle event loop, and milliseconds, after which nothing will come any more. */
const IDLE = { rounds: 400, ms: 150 }
const DRIVES = ['main', 'one', 'two']
const startTime = 1600000000000
/** What is told of an operation that never answers. */
const HANG = { hang: true }

/** What nobody could catch, the newest. */
const thrown = []
let explaining = false
process.on('uncaughtException', (error) => thrown.push(error))
process.on('unhandledRejection', (error) => thrown.push(error))

function freezeDate() {
  const RealDate = Date
  globalThis.Date = class extends RealDate {
    constructor(...args) {
      if (args.length === 0) super(clock.now)
      else super(...args)
    }
    static now() {
      return clock.now
    }
  }
}

function freezeTimers() {
  let next = 1
  globalThis.setTimeout = (run, ms = 1, ...args) => {
    const id = next++
    timers.set(id, { at: ms, run: () => run(...args) })
    return { id, ref() {}, unref() {}, hasRef: () => false, [Symbol.toPrimitive]: () => id }
  }
  globalThis.clearTimeout = (timer) => void timers.delete(timer?.id ?? timer)
}

/** Fire the timer that is due first. Returns whether there was one. */
function fireTimer() {
  if (timers.size === 0) return false
  const [first] = [...timers].toSorted(([, a], [, b]) => a.at - b.at)
  timers.delete(first[0])
  first[1].run()
  return true
}

/** What came of `work`: `ok`, `error`, an exception that `escaped`, or a `hang`. */
async function outcomeOf(work) {
  const outcomes = []
  thrown.length = 0
  Promise.resolve()
    .then(work)
    .then(
      (ok) => outcomes.push({ ok: ok === undefined ? null : ok }),
      (error) => outcomes.push({ error: errorRecord(error) }),
    )
  let rounds = 0
  let since = performance.now()
  for (;;) {
    await new Promise(setImmediate)
    if (outcomes.length > 0) return outcomes[0]
    if (thrown.length > 0) return { escaped: errorRecord(thrown[0]) }
    if (++rounds < IDLE.rounds || performance.now() - since < IDLE.ms) continue
    if (!fireTimer()) return HANG
    rounds = 0
    since = performance.now()
  }
}

/** Code and number of an error; its message too when someone is to read it. */
function errorRecord(error) {
  const told = { code: error?.code ?? null, errno: error?.errno ?? null }
  return explaining ? { ...told, message: error?.message ?? String(error) } : told
}

async function openScene(masterKey) {
  // Its pages of 1 MiB would have the collector run for every sequence.
  const files = () => new RandomAccessMemory({ pageSize: 4096 })
  const store = new Store(files, { masterKey: Buffer.from(masterKey, 'hex') })
  await store.ready()
  const scene = { store, drives: {}, logs: {}, at: {}, descriptors: new Map() }
  for (const name of DRIVES) {
    const options = { namespace: name, exact: true, descriptorFlushMs: Infinity }
    const drive = hyperdrive(store, null, options)
    drive.on('error', (error) => thrown.push(error))
    await called((f) => drive.ready(f))
    scene.drives[name] = drive
    scene.logs[name] = {
      metadata: drive.metadata,
      content: await called((f) => drive.getContent(f)),
    }
    scene.at[name] = { metadata: 0, content: 0 }
  }
  return scene
}

/** The drive that a step speaks of: as it is, or `back` versions ago. */
async function driveOf({ drive: name = 'main', back, fd }, scene) {
  const drive = scene.descriptors.get(fd)?.drive ?? scene.drives[name]
  if (back === undefined) return drive
  const checkout = drive.checkout(Math.max(1, drive.version - back))
  await called((f) => checkout.ready(f))
  return checkout
}

/** The logs of Varve know promises only. */
function blockOf(log, index) {
  if (side === 'varve') return log.get(index, { wait: false })
  return called((f) => log.get(index, { wait: false }, f))
}

/** Blocks of all logs that are new since the last look; content waits while a descriptor is writing. */
async function appended(scene) {
  const dirty = [...scene.descriptors.values()].some((each) => each.dirty)
  const found = {}
  for (const name of DRIVES) {
    for (const kind of dirty ? ['metadata'] : ['metadata', 'content']) {
      const log = scene.logs[name][kind]
      const blocks = []
      for (let i = scene.at[name][kind]; i < log.length; i++) {
        const block = await blockOf(log, i)
        blocks.push(kind === 'metadata' ? hex(block) : blob(block))
      }
      scene.at[name][kind] = log.length
      if (blocks.length > 0) found[`${name} ${kind}`] = blocks
    }
  }
  return found
}

/**
 * All that the drives show now: a whole listing with every stat, tags, mounts, and what the step changed. Where no log
 * has grown they are looked at after every eighth step only, for what a read might do to a cache.
 */
async function observe(step, i, before, scene) {
  const added = await outcomeOf(() => appended(scene))
  const { main } = scene.drives
  const name = step.drive ?? 'main'
  const drive = scene.drives[name]
  const seen = { blocks: added.ok ?? added }
  const look = async (what, op, on, args) => {
    const outcome = await outcomeOf(() => operations[op](on, args, {}, scene))
    seen[what] = outcome.ok ?? outcome
  }
  if (i % 8 === 0 || Object.keys(seen.blocks).length > 0) {
    await look('listing', 'readdir', main, ['/', { recursive: true, includeStats: true }])
    await look('mounts', 'getAllMounts', main, [])
    await look('tags', 'getAllTags', drive, [])
  }
  if (drive.version > before) await look('diff', 'diff', drive, [drive.version - before])
  for (const path of step.look ?? []) {
    await look(`lstat ${path}`, 'lstat', drive, [path])
    await look(`readdir ${path}`, 'readdir', drive, [path])
  }
  return seen
}

async function run({ masterKey, steps, explain = false }) {
  explaining = explain
  const scene = await openScene(masterKey)
  const results = []
  for (const [i, step] of steps.entries()) {
    clock.now = startTime + 1000 * i
    const before = scene.drives[step.drive ?? 'main'].version
    const outcome = await outcomeOf(async () =>
      operations[step.op](await driveOf(step, scene), step.args.map(argument), step, scene),
    )
    results.push({ outcome, seen: await observe(step, i, before, scene) })
    // What it still has under way would come in between the next ones.
    if (outcome === HANG || outcome.escaped) break
  }
  timers.clear()
  await outcomeOf(() => scene.store.close())
  return results.map((result) => JSON.stringify(result))
}

/** An argument with its forms for bytes, patterns and dates put in, at any depth. */
function argument(value) {
  if (Array.isArray(value)) return value.map(argument)
  if (typeof value !== 'object' || value === null) return value
  if (typeof value.hex === 'string') return Buffer.from(value.hex, 'hex')
  if (typeof value.pattern === 'number') return pattern(value.pattern, value.length)
  if (typeof value.date === 'number') return new Date(value.date)
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, argument(each)]))
}

function pattern(seed, length) {
  const bytes = Buffer.allocUnsafe(length)
  for (let i = 0; i < length; i++) bytes[i] = seed + 7 * i + 13 * Math.floor(i / 256)
  return bytes
}

const requests = { hello: () => ({ pid: process.pid }), run }
const answer = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)
const lines = readline.createInterface({ input: process.stdin })
let last = Promise.resolve()
lines.on('line', (line) => {
  const { id, op, args } = JSON.parse(line)
  last = last
    .then(() => requests[op](args))
    .then(
      (result) => answer({ id, result }),
      (error) => answer({ id, error: error.stack ?? String(error) }),
    )
})
lines.on('close', () => process.exit(0))
