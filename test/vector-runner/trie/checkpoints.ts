/** Iterations and differences page by page: trie/checkpoints. */
import assert from 'node:assert/strict'
import { fromHex, toHex } from '../../../src/bytes.ts'
import { Trie } from '../../../src/trie/index.ts'
import type { Pull } from '../../../src/trie/pull.ts'
import { MemoryLog } from '../../trie/memory-log.ts'
import type { VectorKind } from '../vector.ts'
import { makeWorld, perform, type Operation } from './script.ts'

interface Run {
  readonly kind: 'iterate' | 'diff'
  readonly opts: Record<string, unknown>
  readonly prefix: string
  readonly at: number
  readonly against?: number
  readonly parts: readonly {
    readonly rows: readonly unknown[]
    readonly checkpoint: string | null
  }[]
}

interface CheckpointCase {
  readonly name: string
  readonly ops: readonly Operation[]
  readonly version: number
  readonly pageSize: number
  readonly runs: readonly Run[]
}

export const kind: VectorKind = {
  name: 'trie/checkpoints',
  *cases({ json }) {
    for (const each of json.cases as readonly CheckpointCase[]) {
      yield { name: each.name, run: () => check(each) }
    }
  },
}

async function check({ ops, version, pageSize, runs }: CheckpointCase): Promise<void> {
  const { log, trie } = await makeWorld()
  for (const op of ops) {
    // oxlint-disable-next-line no-await-in-loop
    await perform(trie, op)
  }
  assert.equal(trie.version, version)
  for (const run of runs) {
    let checkpoint: Uint8Array | null = null
    for (const part of run.parts) {
      // Each page by a trie that knows nothing of the one before.
      const live = new Trie(new MemoryLog(log.blocks))
      const reader = run.at === 0 ? live : live.checkout(run.at)
      const pull = begin(reader, run, checkpoint)
      // oxlint-disable-next-line no-await-in-loop
      const rows = await take(pull, pageSize)
      assert.deepEqual(rows, part.rows, JSON.stringify({ ...run, parts: undefined }))
      if (part.checkpoint === null) break
      assert.equal(toHex(pull.checkpoint() ?? new Uint8Array(0)), part.checkpoint)
      checkpoint = fromHex(part.checkpoint)
    }
  }
}

function begin(trie: Trie, run: Run, checkpoint: Uint8Array | null): Pull<Row> {
  const options = { ...run.opts, checkpoint }
  if (run.kind === 'diff') return trie.diff(run.against ?? 0, run.prefix, options)
  return trie.iterator(run.prefix, options)
}

/** A row of an iteration, or of a difference. */
interface Row {
  readonly key: string
  readonly seq?: number
  readonly left?: { readonly seq: number } | null
  readonly right?: { readonly seq: number } | null
}

async function take(pull: Pull<Row>, count: number): Promise<unknown[]> {
  const rows: unknown[] = []
  while (rows.length < count) {
    // oxlint-disable-next-line no-await-in-loop
    const row = await pull.next()
    if (!row) break
    if (row.seq === undefined) rows.push([row.key, row.left?.seq ?? 0, row.right?.seq ?? 0])
    else rows.push([row.key, row.seq])
  }
  return rows
}
