/** Scripts over several mounted tries: trie/mounts. */
import assert from 'node:assert/strict'
import { fromHex, toHex } from '../../../src/bytes.ts'
import {
  decodeHeader,
  MountTrie,
  type MountInfo,
  type MountSide,
  type TrieEntry,
} from '../../../src/trie/index.ts'
import { MemoryLog } from '../../trie/memory-log.ts'
import type { VectorKind } from '../vector.ts'
import { Asked, declinedAsNull, type Decision } from './conditions.ts'
import { keyAndSeq } from './script.ts'

interface Feed {
  readonly publicKey: string
  readonly header: string
}

interface MountStep {
  readonly op: 'put' | 'del' | 'mount' | 'unmount'
  readonly trie: number
  readonly path: string
  readonly value?: string | null
  readonly flags?: number
  readonly target?: number
  readonly version?: number
  readonly remotePath?: string
  readonly condition?: Decision
  readonly closest?: boolean
  readonly append: Readonly<Record<string, readonly string[]>>
  readonly versions: readonly number[]
  readonly result: unknown
}

interface MountQuery {
  readonly q: 'get' | 'iterate' | 'mounts' | 'loadMount' | 'history' | 'diff'
  readonly trie: number
  readonly at: number
  readonly path: string
  readonly against: number
  readonly opts: Record<string, unknown> | null
  readonly expect: unknown
  readonly owner?: number
  readonly mount?: unknown
  readonly innerPath?: string
}

interface MountCase {
  readonly name: string
  readonly feeds: readonly Feed[]
  readonly steps: readonly MountStep[]
  readonly queries: readonly MountQuery[]
  readonly quirk?: string
}

export const kind: VectorKind = {
  name: 'trie/mounts',
  *cases({ json }) {
    for (const each of json.cases as readonly MountCase[]) {
      yield { name: each.name, run: () => check(each) }
    }
  },
}

/** Tries that find each other by key. */
export class MountWorld {
  readonly logs: readonly MemoryLog[]
  readonly tries: readonly MountTrie<MemoryLog>[]

  constructor(keys: readonly Uint8Array[], subtype?: string) {
    this.logs = keys.map((key) => {
      const log = new MemoryLog()
      log.key = key
      return log
    })
    const openLog = (key: Uint8Array): Promise<MemoryLog> => {
      const log = this.logs.find((each) => each.key && toHex(each.key) === toHex(key))
      return log ? Promise.resolve(log) : Promise.reject(new Error('no such log'))
    }
    this.tries = this.logs.map((log) => new MountTrie(log, { openLog, subtype }))
  }

  async ready(): Promise<void> {
    await Promise.all(this.tries.map((trie) => trie.ready()))
  }

  trie(index: number): MountTrie<MemoryLog> {
    const trie = this.tries[index]
    assert.ok(trie)
    return trie
  }

  /** Number of a trie by the key of its log. */
  indexOf(key: Uint8Array | null): number | null {
    if (!key) return null
    return this.logs.findIndex((log) => log.key && toHex(log.key) === toHex(key))
  }

  key(index: number): Uint8Array {
    return this.logs[index]?.key ?? new Uint8Array(0)
  }

  /** A place as the vectors write it. */
  info({ key, version, localPath, remotePath }: MountInfo): unknown {
    return { key: this.indexOf(key), version, localPath, remotePath }
  }
}

/** Names that a resolving path function would change: outside of what is stored here as given (Q28). */
function hasDots(path: string): boolean {
  return path.split('/').some((name) => name === '.' || name === '..')
}

async function check(each: MountCase): Promise<void> {
  const keys = each.feeds.map(({ publicKey }) => fromHex(publicKey))
  const { subtype } = decodeHeader(fromHex(each.feeds[0]?.header ?? ''))
  const world = new MountWorld(keys, subtype)
  await world.ready()
  if (each.quirk !== undefined) {
    await typed(async () => {
      for (const step of each.steps) await typed(() => perform(world, step))
      for (const query of each.queries) await typed(() => answer(world, query))
    })
    return
  }
  for (const step of each.steps) {
    if (hasDots(step.path)) return // the original resolves them here and there; ours never (Q28)
    const before = world.logs.map((log) => log.length)
    // oxlint-disable-next-line no-await-in-loop
    const result = await perform(world, step)
    const what = JSON.stringify({ ...step, append: undefined })
    const appended = Object.fromEntries(
      world.logs
        .map(
          (log, i) => [String(i), log.blocks.slice(before[i]).map((b) => b && toHex(b))] as const,
        )
        .filter(([, blocks]) => blocks.length > 0),
    )
    assert.deepEqual(appended, step.append, what)
    assert.deepEqual(result, declinedAsNull(step.result), what)
    assert.deepEqual(
      world.logs.map((log) => log.length),
      step.versions,
      what,
    )
  }
  for (const query of each.queries) {
    const want = { ...query, opts: null }
    // oxlint-disable-next-line no-await-in-loop
    const got = await answer(world, query)
    // A pinned mount's owner is unknown to the original until it is opened by itself (Q31).
    assert.deepEqual(pinnedUnknown({ ...want, ...got }, query), want, JSON.stringify(query))
  }
}

/** Where the vector knows no owner (a trie pinned to a version), whatever we know is right. */
function pinnedUnknown(got: Record<string, unknown>, want: MountQuery): unknown {
  const out = { ...got }
  if (want.owner === -1) out['owner'] = -1
  const wantedKey = (want.mount as { key?: unknown } | undefined)?.key
  if (wantedKey === null) out['mount'] = { ...(got['mount'] as object), key: null }
  if (!Array.isArray(want.expect)) return out
  const rows = want.expect as readonly unknown[]
  out['expect'] = (got['expect'] as readonly unknown[]).map((row, i) => {
    const wanted = rows[i]
    if (!Array.isArray(row) || !Array.isArray(wanted)) return row
    return row.map((cell: unknown, j) => (wanted[j] === -1 ? -1 : cell))
  })
  return out
}

async function typed(run: () => Promise<unknown>): Promise<void> {
  try {
    await run()
  } catch (error) {
    const code = (error as { code?: unknown }).code
    if (typeof code !== 'string' && !(error instanceof TypeError)) throw error
  }
}

async function perform(world: MountWorld, step: MountStep): Promise<unknown> {
  const trie = world.trie(step.trie)
  const value = step.value === null || step.value === undefined ? null : fromHex(step.value)
  if (step.op === 'mount') {
    const { version, remotePath } = step
    await trie.mount(step.path, world.key(step.target ?? 0), { version, remotePath, value })
    return null
  }
  if (step.op === 'unmount') {
    await trie.unmount(step.path)
    return null
  }
  const { flags = 0, closest = false } = step
  if (step.condition === undefined) {
    if (step.op === 'put') return keyAndSeq(await trie.put(step.path, value, { flags }))
    return keyAndSeq(await trie.del(step.path))
  }
  const asked = new Asked(step.condition, seenOf)
  const options = { flags, closest, condition: asked.condition }
  const result = await asked.outcome(
    step.op === 'put' ? trie.put(step.path, value, options) : trie.del(step.path, options),
  )
  return { result, seen: asked.seen }
}

function seenOf(entry: TrieEntry | null): unknown {
  return entry && { key: entry.key, seq: entry.seq, flags: entry.flags }
}

/** Ours steps over reset blocks, where the original ends (Q9): rows that it shows. */
function rowsBeforeReset(log: MemoryLog, { at, opts }: MountQuery): number {
  const blocks = log.blocks.slice(1, at === 0 ? undefined : at)
  const isReset = (block: Uint8Array | null): boolean => block?.[1] === 0
  if (isReset(blocks.at(-1) ?? null)) return 0
  if (opts?.['reverse']) blocks.reverse()
  const first = blocks.findIndex(isReset)
  return first === -1 ? blocks.length : first
}

async function answer(world: MountWorld, query: MountQuery): Promise<Record<string, unknown>> {
  const live = world.trie(query.trie)
  const trie = query.at === 0 ? live : live.checkout(query.at)
  const options = query.opts ?? {}
  switch (query.q) {
    case 'get': {
      const { node, trie: owner, info, innerPath } = await trie.get(query.path, options)
      const { key, seq, value, flags } = node ?? { key: '', seq: 0, value: null, flags: 0 }
      return {
        expect: node && { key, seq, value: value && toHex(value), flags },
        owner: world.indexOf(owner.log.key),
        mount: world.info(info),
        innerPath,
      }
    }
    case 'iterate': {
      const rows = await trie.list(query.path, options)
      return {
        expect: rows.map(({ node, trie: owner, innerPath }) => [
          node.key,
          node.seq,
          world.indexOf(owner.log.key),
          innerPath,
        ]),
      }
    }
    case 'mounts': {
      const rows = await trie.mounts(options).collect()
      return {
        expect: rows.map(({ path, trie: mounted }) => [
          path,
          world.indexOf(mounted.log.key),
          mounted.version,
        ]),
      }
    }
    case 'loadMount': {
      const { trie: owner, info } = await trie.resolve(query.path)
      return { expect: { owner: world.indexOf(owner.log.key), mount: world.info(info) } }
    }
    case 'history': {
      const rows = await trie.history(options).collect()
      return {
        expect: rows
          .slice(0, rowsBeforeReset(live.log, query))
          .map((row) =>
            row.type === 'put'
              ? ['put', row.node.key, row.node.seq]
              : ['mount', world.info(row.info)],
          ),
      }
    }
    case 'diff': {
      const rows = await trie.diff(query.against, query.path, options).collect()
      const side = (each: TrieEntry | MountSide | null): unknown => {
        if (!each) return null
        return 'info' in each ? { mount: each.info ? world.info(each.info) : {} } : each.seq
      }
      return {
        expect: rows.map(({ type, key, left, right }) => [type, key, side(left), side(right)]),
      }
    }
  }
}
