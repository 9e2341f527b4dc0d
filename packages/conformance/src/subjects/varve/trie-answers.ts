/**
 * Varve's answers about the trie.
 *
 * @module
 */
import type { BatchOperation, ExtensionMessage, PointerTable, Trie } from 'varve/trie'
import { bytesOf, hex } from '../../expect.ts'
import type { RowsJson, TrieCall, TrieQuery } from '../../operations.ts'
import type { Handlers } from '../answer.ts'
import type { Library } from './library.ts'

/** Read made-up pointers as of the end of time. */
const LAST = Number.MAX_SAFE_INTEGER

/** Keys, blocks, tables, records, messages, scripts. */
export function trieAnswers(library: Library): Handlers {
  const { trie } = library
  const { HashPath, storedKey } = trie
  const tableOf = (length: number, rows: RowsJson): PointerTable => {
    const cells: number[] = []
    for (const [row, slots] of rows) {
      const bits = slots.reduce((sum, pointer, slot) => (pointer ? sum + 2 ** slot : sum), 0)
      cells.push(row, bits, ...slots.filter((pointer) => pointer !== 0))
    }
    return new trie.PointerTable(cells, length)
  }
  return {
    hashPath: ({ key, hidden }) => {
      const path = new HashPath(storedKey(key), hidden)
      return {
        storedKey: path.key,
        components: path.components,
        hash: hex(path.hash),
        path: Array.from({ length: path.length }, (_, i) => path.symbol(i)).join(''),
      }
    },
    encodeHeader: ({ type, metadata, subtype }) => ({
      block: hex(
        trie.encodeHeader({
          type,
          metadata: metadata === null ? null : bytesOf(metadata),
          subtype,
        }),
      ),
    }),
    decodeHeader: ({ block }) => {
      const { type, metadata, subtype } = trie.decodeHeader(bytesOf(block))
      return { type, metadata: metadata && hex(metadata), subtype }
    },
    encodePointers: ({ length, rows }) => {
      const table = tableOf(length, rows)
      const out = new Uint8Array(trie.tableLength(table))
      trie.encodeTable(table, out, 0)
      return { bytes: hex(out) }
    },
    decodePointers: ({ bytes }) => {
      const table = trie.decodeTable(bytesOf(bytes))
      return { length: table.length, rows: rowsOf(table) }
    },
    encodeTrieNode: ({ seq, key, value, flags, hidden, tableLength, rows }) => ({
      block: hex(
        trie.encodeNode({
          seq,
          path: new HashPath(storedKey(key), hidden),
          value: value === null ? null : bytesOf(value),
          flags,
          table: tableOf(tableLength, rows),
        }),
      ),
    }),
    decodeTrieNode: ({ block }) => {
      const { path, value, flags, table } = trie.decodeNode(LAST, bytesOf(block))
      const { key, hidden } = path
      const rows = rowsOf(table)
      return { key, value: value && hex(value), flags, hidden, tableLength: table.length, rows }
    },
    encodeMountRecord: ({ key, localPath, version, remotePath, hash }) => ({
      bytes: hex(
        trie.encodeMountRecord({
          key: bytesOf(key),
          localPath,
          version,
          remotePath,
          hash: hash === null ? null : bytesOf(hash),
        }),
      ),
    }),
    decodeMountRecord: ({ bytes }) => {
      const { key, localPath, version, remotePath, hash } = trie.decodeMountRecord(bytesOf(bytes))
      return {
        key: hex(key),
        localPath,
        version,
        remotePath,
        hash: hash ? hex(hash) : null,
      }
    },
    encodeTrieMessage: ({ message }) => ({
      bytes: hex(trie.encodeExtensionMessage(trieMessageOf(message))),
    }),
    decodeTrieMessage: ({ bytes }) => {
      const { get, iterator, cache } = trie.decodeExtensionMessage(bytesOf(bytes))
      const checkpoint = iterator?.checkpoint ? hex(iterator.checkpoint) : null
      return { message: { get, iterator: iterator && { ...iterator, checkpoint }, cache } }
    },
    trie: async ({ calls, queries }) => script(library, calls, queries),
  }
}

function trieMessageOf(message: Readonly<Record<string, unknown>>): Partial<ExtensionMessage> {
  return JSON.parse(JSON.stringify(message), (key, value: unknown) =>
    key === 'checkpoint' && typeof value === 'string' ? bytesOf(value) : value,
  ) as Partial<ExtensionMessage>
}

function rowsOf(table: PointerTable): RowsJson {
  const rows: [number, number[]][] = []
  for (let at = 0; at < table.cells.length; at = table.next(at)) {
    const slots: number[] = []
    for (let slot = 0; slot < 32; slot++) slots.push(table.slotAt(at, slot))
    while (slots.at(-1) === 0) slots.pop()
    rows.push([table.rowAt(at), slots])
  }
  return rows
}

async function script(
  { log, storage, trie }: Library,
  calls: readonly TrieCall[],
  queries: readonly TrieQuery[],
): Promise<{ appended: string[][]; answers: unknown[] }> {
  const source = new log.Log(new storage.MemoryFolder().open, null, { durability: 'none' })
  const tree = new trie.Trie(source)
  await tree.ready()
  const appended: string[][] = []
  for (const call of calls) {
    const before = source.length
    await perform(tree, call)
    const blocks = []
    for (let i = before; i < source.length; i++) {
      blocks.push(hex(await source.get(i)))
    }
    appended.push(blocks)
  }
  const answers = []
  for (const query of queries) answers.push(await answer(tree, query))
  await source.close()
  return { appended, answers }
}

async function perform(tree: Trie, call: TrieCall): Promise<void> {
  if (call.op === 'batch') await tree.batch(call.ops.map(batched))
  else if (call.op === 'del') await tree.del(call.key, hiddenOf(call))
  else await tree.put(call.key, valueOf(call.value), optionsOf(call))
}

function batched(call: TrieCall): BatchOperation<Uint8Array> {
  if (call.op === 'batch') throw new Error('a batch in a batch')
  if (call.op === 'del') return { type: 'del', key: call.key, ...hiddenOf(call) }
  return { type: 'put', key: call.key, value: valueOf(call.value), ...optionsOf(call) }
}

function valueOf(value: string | null): Uint8Array | null {
  return value === null ? null : bytesOf(value)
}

function hiddenOf({ hidden }: { readonly hidden?: boolean }): { hidden?: boolean } {
  return hidden === undefined ? {} : { hidden }
}

function optionsOf(call: TrieCall & { readonly op: 'put' }): { hidden?: boolean; flags?: number } {
  return { ...hiddenOf(call), ...(call.flags !== undefined && { flags: call.flags }) }
}

async function answer(live: Trie, query: TrieQuery): Promise<unknown> {
  const { q, at, key = '', prefix = '', against = 0, opts } = query
  const tree = at === 0 ? live : live.checkout(at)
  if (q === 'get') {
    const entry = await tree.get(key, opts)
    if (!entry) return null
    const { seq, value, flags, hidden } = entry
    return { key: entry.key, seq, value: value && hex(value), flags, hidden }
  }
  if (q === 'iterate') return (await tree.list(prefix, opts)).map((row) => [row.key, row.seq])
  if (q === 'diff') {
    const rows = await tree.diff(against, prefix, opts).collect()
    return rows.map(({ key: at_, left, right }) => [at_, left?.seq ?? 0, right?.seq ?? 0])
  }
  const rows = await tree.history(opts).collect()
  return rows.map((row) => [row.seq, row.key])
}
