/** Scripts of a thousand operations and more: trie/logs-large. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { fromHex, toHex } from '../../../src/bytes.ts'
import type { BatchOperation } from '../../../src/trie/index.ts'
import type { VectorKind } from '../vector.ts'
import { makeWorld, runQueries, type Query, type World } from './script.ts'

type Packed =
  | readonly ['p', string, string | null, number, number]
  | readonly ['d', string, number]
  | readonly ['b', readonly Packed[]]

interface LargeCase {
  readonly name: string
  readonly ops: readonly Packed[]
  readonly version: number
  readonly blockBytes: number
  readonly chain: readonly (readonly [number, string])[]
  readonly lastBlock: string
  readonly list: readonly (readonly [string, number])[]
  readonly hiddenList: readonly (readonly [string, number])[]
  readonly queries: readonly Query[]
}

export const kind: VectorKind = {
  name: 'trie/logs-large',
  *cases({ json }) {
    for (const each of json.cases as readonly LargeCase[]) {
      yield { name: each.name, run: () => check(each) }
    }
  },
}

async function check(each: LargeCase): Promise<void> {
  const world = await makeWorld()
  for (const op of each.ops) {
    // oxlint-disable-next-line no-await-in-loop
    await perform(world, op)
  }
  const { log, trie } = world
  assert.equal(trie.version, each.version)
  checkChain(log.blocks, each)
  const rows = async (hidden: boolean): Promise<unknown> =>
    (await trie.list('', { hidden })).map(({ key, seq }) => [key, seq])
  assert.deepEqual(await rows(false), each.list)
  assert.deepEqual(await rows(true), each.hiddenList)
  await runQueries(world, each.queries)
}

function checkChain(blocks: readonly (Uint8Array | null)[], each: LargeCase): void {
  const wanted = new Map(each.chain)
  let state = new Uint8Array(32)
  let byteLength = 0
  blocks.forEach((block, index) => {
    assert.ok(block)
    byteLength += block.length
    state = createHash('sha256').update(state).update(block).digest()
    const want = wanted.get(index + 1)
    if (want !== undefined) assert.equal(toHex(state), want, `chain at ${index + 1}`)
  })
  assert.equal(byteLength, each.blockBytes)
  assert.equal(toHex(blocks.at(-1) ?? new Uint8Array(0)), each.lastBlock)
}

async function perform({ trie }: World, op: Packed): Promise<void> {
  if (op[0] === 'b') {
    await trie.batch(op[1].map(unpack))
    return
  }
  const { type, key, value, ...options } = unpack(op)
  if (type === 'del') await trie.del(key, options)
  else await trie.put(key, value, options)
}

function unpack(op: Packed): BatchOperation<Uint8Array> & { hidden: boolean } {
  if (op[0] === 'p') {
    const [, key, value, hidden, flags] = op
    const bytes = value === null ? null : fromHex(value)
    return { type: 'put', key, value: bytes, hidden: hidden === 1, flags }
  }
  assert.equal(op[0], 'd')
  return { type: 'del', key: op[1], hidden: op[2] === 1 }
}
