/**
 * Scripts of operations on one trie, and queries on the result: the shapes that several trie vectors
 * share.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { fromHex, toHex } from '../../../src/bytes.ts'
import type { TrieEntry } from '../../../src/trie/entry.ts'
import { Trie, type TrieOptions } from '../../../src/trie/index.ts'
import type { BatchOperation } from '../../../src/trie/options.ts'
import { MemoryLog } from '../../trie/memory-log.ts'

/** One operation. */
export interface Operation {
  readonly op: 'put' | 'del' | 'batch' | 'range'
  readonly key: string
  readonly value?: string | null
  readonly hidden?: boolean
  readonly flags?: number
  readonly at?: number
  readonly ops: readonly Operation[]
  readonly prefix: string
  readonly from: number
  readonly to: number
}

/** Key and seq of a node. */
export interface KeyAndSeq {
  readonly key: string
  readonly seq: number
}

/** An operation and what came of it. */
export interface Step extends Operation {
  readonly append: readonly string[]
  readonly version: number
  readonly result: KeyAndSeq | null | readonly KeyAndSeq[] | { readonly error: string }
}

/** A question to the result. */
export interface Query {
  readonly q: 'get' | 'iterate' | 'diff' | 'history'
  readonly at: number
  readonly key: string
  readonly prefix: string
  readonly against: number
  readonly opts: Record<string, unknown>
  readonly expect?: unknown
  readonly reads?: readonly number[]
  readonly correct?: readonly (readonly [string, number, number])[]
  readonly count?: number
  readonly digest?: string
}

/** A script. */
export interface Script {
  readonly name: string
  readonly header: string
  readonly steps: readonly Step[]
  readonly queries: readonly Query[]
  readonly quirk?: string
}

/** A trie in memory, its log beside it. */
export interface World {
  readonly log: MemoryLog
  readonly trie: Trie
}

/** An empty trie. */
export async function makeWorld(options: TrieOptions = {}): Promise<World> {
  const log = new MemoryLog()
  const trie = new Trie(log, options)
  await trie.ready()
  return { log, trie }
}

/** The options that make a header like `header`. */
export async function headerOptions(header: string): Promise<TrieOptions> {
  const { decodeHeader } = await import('../../../src/trie/header.ts')
  const { metadata, subtype } = decodeHeader(fromHex(header))
  return { metadata, subtype: subtype === '' ? null : subtype }
}

/** Operations of a batch. */
export function batchOf(operation: Operation): BatchOperation<Uint8Array>[] {
  if (operation.op === 'range') {
    const { prefix, from, to } = operation
    return Array.from({ length: to - from }, (_, i) => {
      const number = String(from + i)
      return { type: 'put', key: prefix + number, value: number }
    })
  }
  return operation.ops.map((each) => ({
    type: each.op === 'del' ? 'del' : 'put',
    key: each.key,
    value: bytes(each.value),
    ...options(each),
  }))
}

/** Do an operation; gives what came back as the vectors write it. */
export async function perform(trie: Trie, operation: Operation): Promise<unknown> {
  const target = operation.at === undefined ? trie : trie.checkout(operation.at)
  if (operation.op === 'put') {
    return keyAndSeq(await target.put(operation.key, bytes(operation.value), options(operation)))
  }
  if (operation.op === 'del') return keyAndSeq(await target.del(operation.key, options(operation)))
  return (await target.batch(batchOf(operation))).map(keyAndSeq)
}

function options({ hidden, flags }: Operation): { hidden: boolean; flags: number } {
  return { hidden: hidden ?? false, flags: flags ?? 0 }
}

function bytes(value: string | null | undefined): Uint8Array | null {
  return value === null || value === undefined ? null : fromHex(value)
}

/** Key and seq of an entry. */
export function keyAndSeq(entry: TrieEntry | null): KeyAndSeq | null {
  return entry && { key: entry.key, seq: entry.seq }
}

/** An entry as the vectors write it. */
export function fieldsOf(entry: TrieEntry | null): unknown {
  if (!entry) return null
  const { key, seq, value, flags, hidden } = entry
  return { key, seq, value: value && toHex(value), flags, hidden }
}

/** Run a script and its queries. A quirk must only come to an end. */
export async function runScript(script: Script, more: TrieOptions = {}): Promise<void> {
  const world = await makeWorld({ ...(await headerOptions(script.header)), ...more })
  if (script.quirk !== undefined) {
    await runQuirk(world, script)
    return
  }
  assert.equal(toHex(world.log.blocks[0] ?? new Uint8Array(0)), script.header)
  for (const step of script.steps) {
    const before = world.log.length
    // oxlint-disable-next-line no-await-in-loop
    const result = await perform(world.trie, step)
    const appended = world.log.blocks
      .slice(before)
      .map((block) => toHex(block ?? new Uint8Array(0)))
    assert.deepEqual(appended, step.append, `blocks of ${JSON.stringify(step).slice(0, 200)}`)
    assert.deepEqual(result, step.result)
    assert.equal(world.trie.version, step.version)
  }
  await runQueries(world, script.queries, more)
}

/** Steps and queries that the original does wrong: ours have to end, as a result or as a typed error. */
async function runQuirk(world: World, script: Script): Promise<void> {
  for (const step of script.steps) {
    // oxlint-disable-next-line no-await-in-loop
    await typed(() => perform(world.trie, step))
  }
  // The blocks of the original, read by us.
  const log = new MemoryLog([
    fromHex(script.header),
    ...script.steps.flatMap((s) => s.append.map(fromHex)),
  ])
  const read: World = { log, trie: new Trie(log) }
  for (const each of [world, read]) {
    for (const query of script.queries) {
      // oxlint-disable-next-line no-await-in-loop
      await typed(() => answer(each, { ...query, opts: { ...query.opts, wait: false } }))
    }
  }
}

async function typed(run: () => Promise<unknown>): Promise<void> {
  try {
    await run()
  } catch (error) {
    const code = (error as { code?: unknown }).code
    if (typeof code !== 'string' && !(error instanceof RangeError)) throw error
  }
}

/** Run queries, on the trie that wrote and on one that reads the same blocks for the first time. */
export async function runQueries(
  world: World,
  queries: readonly Query[],
  options: TrieOptions = {},
): Promise<void> {
  for (const query of queries) {
    const log = new MemoryLog(world.log.blocks)
    for (const each of [world, { log, trie: new Trie(log, options) }]) {
      // oxlint-disable-next-line no-await-in-loop
      await runQuery(each, query)
    }
  }
}

async function runQuery(world: World, query: Query): Promise<void> {
  const { result, reads } = await answer(world, query)
  const what = JSON.stringify({ ...query, expect: undefined }).slice(0, 300)
  if (query.correct) {
    assert.deepEqual(sorted(result), sorted(query.correct), what)
    return
  }
  if (query.q === 'history') {
    checkHistory(world, query, result, what)
    return
  }
  if (query.digest !== undefined) {
    const list = result as readonly unknown[]
    assert.equal(list.length, query.count, what)
    assert.deepEqual(list.slice(0, 5), query.expect, what)
    const digest = createHash('sha256').update(JSON.stringify(list)).digest('hex')
    assert.equal(digest, query.digest, what)
    return
  }
  assert.deepEqual(result, query.expect, what)
  if (query.reads) assert.deepEqual(reads, query.reads, what)
}

/** Ours steps over reset blocks, where the original stops: compared up to the first of them. */
function checkHistory(world: World, query: Query, result: unknown, what: string): void {
  const rows = result as readonly (readonly [number, string])[]
  const want = query.expect as readonly (readonly [number, string])[] | undefined
  const list = query.digest === undefined ? (want ?? []) : null
  const head = (query.at || world.log.length) - 1
  const isReset = (seq: number): boolean =>
    toHex(world.log.blocks[seq]?.subarray(0, 2) ?? new Uint8Array(0)) === '0a00'
  if (head > 0 && isReset(head)) return // the original shows nothing at all then
  const step = query.opts['reverse'] ? -1 : 1
  let count = 0
  while (
    count < rows.length &&
    (count === 0 || rows[count]?.[0] === (rows[count - 1]?.[0] ?? 0) + step)
  )
    count++
  const first = rows[0]?.[0]
  if (first !== undefined && list !== null && list.length === 0) {
    assert.ok(isReset(first - step), what) // it stopped before its first row
    return
  }
  const upToReset = rows.slice(0, count)
  if (list) assert.deepEqual(upToReset, list, what)
  else assert.equal(upToReset.length, query.count, what)
}

function sorted(rows: unknown): string[] {
  return (rows as readonly unknown[]).map((row) => JSON.stringify(row)).toSorted()
}

/** The answer to a query as the vectors write it. */
export async function answer(
  { trie: live }: World,
  query: Query,
): Promise<{ result: unknown; reads: number[] }> {
  const trie = query.at === 0 ? live : live.checkout(query.at)
  const reads: number[] = []
  if (query.q === 'get') {
    const entry = await trie.get(query.key, { ...query.opts, onseq: (seq) => void reads.push(seq) })
    return { result: fieldsOf(entry), reads }
  }
  if (query.q === 'iterate') {
    const rows = await trie.list(query.prefix, query.opts)
    return { result: rows.map(({ key, seq }) => [key, seq]), reads }
  }
  if (query.q === 'diff') {
    const rows = await trie.diff(query.against, query.prefix, query.opts).collect()
    return {
      result: rows.map(({ key, left, right }) => [key, left?.seq ?? 0, right?.seq ?? 0]),
      reads,
    }
  }
  const rows = await trie.history(query.opts).collect()
  return { result: rows.map(({ seq, key }) => [seq, key]), reads }
}
