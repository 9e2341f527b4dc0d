/** What a hostile writer may have signed: section 5 of spec/30-trie.md, row by row. */
import fc from 'fast-check'
import { test } from 'tap'
import { fromHex, toHex } from '../../src/bytes.ts'
import { HashPath } from '../../src/trie/hash-path.ts'
import { decodeNode, encodeNode, type TrieNode } from '../../src/trie/node.ts'
import { decodeTable, PointerTable, TableBuilder } from '../../src/trie/pointer-table.ts'
import { decodeCheckpoint, MAX_FRAMES } from '../../src/trie/checkpoint.ts'
import { encodeHeader, Trie } from '../../src/trie/index.ts'
import { MemoryLog } from './memory-log.ts'

const header = encodeHeader({})

/** A node with a table of our own making. */
function block(seq: number, key: string, cells: number[] = [], hidden = false): Uint8Array {
  const table = new PointerTable(cells, (cells[cells.length - 2] ?? 0) + 1)
  const last = cells.length === 0 ? 0 : lastRow(cells) + 1
  return encodeNode({
    seq,
    path: new HashPath(key, hidden),
    value: null,
    flags: 0,
    table: new PointerTable(table.cells, last),
  })
}

function lastRow(cells: readonly number[]): number {
  let row = 0
  for (let at = 0; at < cells.length;) {
    row = cells[at] ?? 0
    at = new PointerTable(cells, 0).next(at)
  }
  return row
}

function trieOf(...blocks: Uint8Array[]): Trie {
  return new Trie(new MemoryLog([header, ...blocks]))
}

/** Every kind of read. */
async function readAll(trie: Trie): Promise<void> {
  await trie.get('a')
  await trie.get('a', { prefix: true })
  await trie.get('nothing', { closest: true })
  await trie.list()
  await trie.list('', { reverse: true, hidden: true })
  await trie.list('a', { recursive: false })
  await trie.diff(1).collect()
  await trie.checkout(1).diff(trie).collect()
}

const malformed: [string, string][] = [
  ['no key', '1201781a0100'],
  ['an empty block', ''],
  ['a cut varint', '0a016120'],
  ['a wire type that is none', '0a016136'],
  ['a group', '0a01613334'],
  ['an empty table', '0a01611a00'],
  ['a cut table', '0a01611a05aa'],
  ['a table length above 2 ** 32', '0a01611a05ffffffff1f'],
  ['a table length far beyond the path', '0a01611a05ffffffff0f'],
  ['a row far beyond the path', '0a01611a0501ff7f0101'],
  ['rows that do not ascend', '0a01611a07 02 01 01 01 01 01 01'.replaceAll(' ', '')],
  ['more than 32 slots', '0a01611a0702 01 ffffffff7f'.replaceAll(' ', '')],
  ['a value cut short', '0a01611205aa'],
  ['a key cut short', '0a056162'],
  ['a known field of another wire type', '080161'],
  ['flags of more than ten bytes', '0a016128ffffffffffffffffffffff01'],
]

test('a block that is no node fails the reads that need it, and the next one works', async (t) => {
  for (const [what, hex] of malformed) {
    const log = new MemoryLog([header, block(1, 'a'), fromHex(hex)])
    const trie = new Trie(log)
    const { code } = await trie.get('a').then(
      () => ({ code: 'none' }),
      (error: { code: string }) => error,
    )
    t.equal(code, 'TRIE_BAD_NODE', what)
    await t.rejects(trie.list(), { code: 'TRIE_BAD_NODE' })
    await t.rejects(trie.diff(1).collect(), { code: 'TRIE_BAD_NODE' })
    await t.rejects(trie.history().collect(), { code: 'TRIE_BAD_NODE' })
    await t.rejects(trie.put('b'), { code: 'TRIE_BAD_NODE' })
    await t.rejects(trie.batch([{ key: 'b' }]), { code: 'TRIE_BAD_NODE' })
    t.equal(log.length, 3, 'and nothing is appended')
    t.equal((await trie.checkout(2).get('a'))?.key, 'a')
  }
})

test('keys and tables of a size that no writer makes are refused before they cost anything', async (t) => {
  const path = new HashPath('/'.repeat(70_000), false)
  const table = new PointerTable([], 0)
  const long = encodeNode({ seq: 1, path, value: null, flags: 0, table })
  t.throws(() => decodeNode(1, long), { code: 'TRIE_BAD_NODE' })
  t.throws(() => decodeTable(new Uint8Array(65_537).fill(1)), { code: 'TRIE_BAD_NODE' })
  await t.rejects(new Trie(new MemoryLog()).put('a'.repeat(65_537)), { code: 'TRIE_BAD_KEY' })
  const key = `${'a/'.repeat(30_000)}b`
  const trie = new Trie(new MemoryLog())
  await trie.batch([{ key }, { key: `${key}c` }, { type: 'del', key }])
  t.same(
    (await trie.list()).map((entry) => entry.key),
    [`${key}c`],
  )
})

test('any bytes are a node or a typed error', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        decodeNode(5, bytes)
      } catch (error) {
        if ((error as { code?: string }).code !== 'TRIE_BAD_NODE') throw error
      }
      try {
        decodeTable(bytes)
      } catch (error) {
        if ((error as { code?: string }).code !== 'TRIE_BAD_NODE') throw error
      }
    }),
    { numRuns: 3000 },
  )
  t.end()
})

test('pointers that are 0, to itself or to the future are left out', (t) => {
  const node = decodeNode(5, fromHex('0a01611a0802011f0005060401'))
  t.same(node.table.cells, [1, 0b11000, 4, 1])
  t.end()
})

test('a pointer to what is not on the way is not followed', async (t) => {
  // Row 1 of "b" leads, for the symbol of "a", to "b/x", which has another symbol there.
  const a = new HashPath('a', false)
  const target = block(1, 'b/x')
  const head = block(2, 'b', [1, 1 << a.symbol(1), 1])
  const trie = trieOf(target, head)
  t.equal(await trie.get('a'), null)
  t.equal(await trie.get('a', { prefix: true }), null)
  t.same(
    (await trie.list()).map(({ key }) => key),
    ['b'],
  )
  t.same(
    (await trie.diff(1).collect()).map(({ key }) => key),
    ['b'],
  )
  await trie.put('c')
  t.ok(await trie.get('c'))
  t.equal(await trie.del('a'), null)
})

test('a pointer to a reset block is stepped over by every read and write', async (t) => {
  const reset = block(1, '')
  const k = new HashPath('k', false)
  const z = new HashPath('z', false)
  // "z" points to the reset block as the original lets it, in row 1 slot 4.
  const trie = trieOf(reset, block(2, 'z', [1, 1 << 4, 1]))
  await readAll(trie)
  t.same(
    (await trie.list()).map(({ key }) => key),
    ['z'],
  )
  t.equal(await trie.get('k'), null)
  await trie.put('k', 'v')
  t.same((await trie.list()).map(({ key }) => key).toSorted(), ['k', 'z'])
  await trie.del('k')
  await trie.del('z')
  t.same(await trie.list(), [])
  t.equal(await trie.head(), null)
  t.not(k.symbol(1), z.symbol(1))
})

test('tables that point at each other give each key once, in work bounded by their size', async (t) => {
  // Every node points, in every row and for every symbol but its own, to every earlier one: 4 ** 32 ways.
  const blocks: Uint8Array[] = []
  for (let seq = 1; seq <= 24; seq++) {
    const cells: number[] = []
    const rows = seq === 1 ? 0 : 34
    for (let row = 0; row < rows; row++) {
      const pointers = Array.from({ length: 31 }, (_, i) => 1 + ((i + row) % (seq - 1)))
      cells.push(row, 0x7fffffff, ...pointers)
    }
    blocks.push(block(seq, `k${seq % 5}`, cells))
  }
  const trie = trieOf(...blocks)
  for (const options of [{}, { reverse: true }, { recursive: false }, { hidden: true }]) {
    let looked = 0
    // oxlint-disable-next-line no-await-in-loop
    const rows = await trie.list('', { ...options, onseq: () => looked++ })
    t.equal(new Set(rows.map(({ key }) => key)).size, rows.length, 'no key twice')
    t.ok(looked < 24 * 34 * 31, `${looked} looks`)
  }
  const rows = await trie.diff(12).collect()
  t.ok(rows.length <= 24)
  await readAll(trie)
})

test('colliding names in one chain, the same one many times over, give it once', async (t) => {
  const path = new HashPath('idgcmnmna', false)
  const symbol = path.symbol(32)
  const one = block(1, 'idgcmnmna')
  const two = block(2, 'idgcmnmna')
  const bits = [0, 1, 2, 3].reduce((sum, i) => sum + 2 ** (symbol + 5 * i), 0)
  const head = block(3, 'mpomeiehc', [32, bits, 1, 2, 1, 2])
  const trie = trieOf(one, two, head)
  t.same((await trie.list()).map(({ key }) => key).toSorted(), ['idgcmnmna', 'mpomeiehc'])
  t.equal((await trie.diff(1).collect()).length, 2)
})

test('a table that readers of the original could not read is not written', (t) => {
  const builder = new TableBuilder()
  for (let i = 1; i <= 6; i++) builder.place(32, 3, i)
  t.throws(() => builder.place(32, 3, 7), { code: 'TRIE_TOO_LARGE' })
  builder.place(32, 3, 6) // already there
  const node: TrieNode = {
    seq: 1e9,
    path: new HashPath('a', false),
    value: null,
    flags: 0,
    table: new PointerTable(
      Array.from({ length: 40000 }, () => 1e9),
      1,
    ),
  }
  t.throws(() => encodeNode(node), { code: 'TRIE_TOO_LARGE' })
  t.end()
})

test('checkpoints that are none are refused, in whatever way', async (t) => {
  const trie = new Trie(new MemoryLog())
  await trie.put('a')
  for (const hex of ['80', '01', '0101ff', `${'80'.repeat(11)}01`]) {
    const checkpoint = fromHex(hex)
    // oxlint-disable-next-line no-await-in-loop
    await t.rejects(trie.list('', { checkpoint }), { code: 'TRIE_BAD_CHECKPOINT' }, hex)
    // oxlint-disable-next-line no-await-in-loop
    await t.rejects(
      trie.diff(1, '', { checkpoint }).collect(),
      { code: 'TRIE_BAD_CHECKPOINT' },
      hex,
    )
  }
  const many = new Uint8Array((MAX_FRAMES + 1) * 2).fill(1)
  t.throws(() => decodeCheckpoint(many, 2), { code: 'TRIE_BAD_CHECKPOINT' })
  t.same(decodeCheckpoint(new Uint8Array(0), 3), [])
  // Made up, but well formed: nodes that are there, at places that are not theirs.
  t.ok((await trie.list('', { checkpoint: fromHex('6401') })).length <= 1)
  t.equal(toHex(trie.iterator('').checkpoint() ?? new Uint8Array(1)), '')
})

test('a pointer of a row for its own symbol is no neighbour of what is deleted', async (t) => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  const symbol = (name: string): number => new HashPath(name, false).symbol(1)
  const own = names.find((name) => names.some((other) => symbol(name) < symbol(other))) ?? ''
  const other = names.find((name) => symbol(own) < symbol(name)) ?? ''
  const third = names.find((name) => ![own, other].includes(name)) ?? ''
  // Row 1 of `own` names a node for its own symbol, before the one that is right.
  const bits = (1 << symbol(own)) | (1 << symbol(other))
  const trie = trieOf(block(1, third), block(2, other), block(3, own, [1, bits, 1, 2]))
  const { path } = decodeNode(3, block(3, own))
  t.equal(path.symbol(1), symbol(own))
  const appended = await trie.del(own)
  t.equal(appended?.key, other)
  t.equal(await trie.get(own), null)
  t.ok(await trie.get(other))
})
