/**
 * The trie: keys and their paths, blocks, tables, records, messages; and whole scripts.
 *
 * @see docs/protocol/30-trie.md 2 and 3
 * @module
 */
import { same } from '../expect.ts'
import type { Hex, Operations, RowsJson, TrieCall, TrieQuery } from '../operations.ts'
import { asks, recorded, refuses, slug, type VectorCase } from './vector-case.ts'

/** Components, hash and symbols of a key. */
export function* pathCases(): Iterable<VectorCase> {
  interface HashCase {
    key: string
    storedKey: string
    components: string[]
    hash: Hex
    path: string
  }
  const topic = { id: 'trie.path', section: '30-trie 2.6' }
  for (const [i, { key, storedKey, components, hash, path }] of recorded<HashCase>(
    'trie/hash',
  ).cases.entries()) {
    const expected = { storedKey, components, hash, path }
    const title = `the key ${JSON.stringify(key.slice(0, 30))} has its components, hash and symbols, and ends in 4`
    yield asks(topic, i, title, 'hashPath', { key, hidden: false }, expected)
    if (i % 4 !== 0) continue
    const hidden = { ...expected, path: `1${path.slice(1)}` }
    const text = `hidden, the key ${JSON.stringify(key.slice(0, 30))} differs in the first symbol alone`
    yield asks(topic, `${i}-hidden`, text, 'hashPath', { key, hidden: true }, hidden)
  }
}

/** Block 0. */
export function* headerCases(): Iterable<VectorCase> {
  interface HeaderCase {
    name: string
    kind: 'encode' | 'decode'
    type: string
    metadata: Hex | null
    subtype: string | null
    block: Hex
    expect?: { error?: string; type: string; metadata: Hex | null; subtype: string }
  }
  const topic = { id: 'trie.header', section: '30-trie 2.2' }
  for (const [i, each] of recorded<HeaderCase>('trie/header').cases.entries()) {
    const { name, kind, type, metadata, subtype, block, expect } = each
    const number = `${i}-${slug(name)}`
    if (kind === 'encode') {
      const args = { type, metadata, subtype }
      yield asks(topic, number, `a header is written: ${name}`, 'encodeHeader', args, { block })
    } else if (expect?.error !== undefined) {
      yield refuses(topic, number, `a header is refused: ${name}`, 'decodeHeader', { block })
    } else if (expect) {
      yield asks(topic, number, `a header is read: ${name}`, 'decodeHeader', { block }, expect)
    }
  }
}

/** Pointer tables. */
export function* pointerCases(): Iterable<VectorCase> {
  interface PointersCase {
    name: string
    kind: 'encode' | 'decode'
    level?: 'must' | 'reference'
    length: number
    rows: RowsJson
    bytes: Hex
    expect?: { error?: string; length: number; rows: RowsJson }
  }
  const topic = { id: 'trie.pointers', section: '30-trie 2.7' }
  for (const [i, each] of recorded<PointersCase>('trie/pointers').cases.entries()) {
    const { name, kind, level, length, rows, bytes, expect } = each
    const number = `${i}-${slug(name)}`
    if (kind === 'encode') {
      const title = `a table is written row by row: ${name}`
      yield asks(topic, number, title, 'encodePointers', { length, rows }, { bytes })
      const text = `a table is read back: ${name}`
      yield asks(topic, `${number}-back`, text, 'decodePointers', { bytes }, { length, rows })
    } else if (level !== 'reference' && expect?.error !== undefined) {
      yield refuses(topic, number, `a table is refused: ${name}`, 'decodePointers', { bytes })
    } else if (level !== 'reference' && expect) {
      yield asks(topic, number, `a table is read: ${name}`, 'decodePointers', { bytes }, expect)
    }
  }
}

type NodeFields = Operations['decodeTrieNode']['result']

/** Node blocks. */
export function* nodeCases(): Iterable<VectorCase> {
  interface NodeCase extends NodeFields {
    name: string
    kind: 'encode' | 'decode'
    level?: 'must' | 'reference'
    storedKey: string
    seq: number
    block: Hex
    expect?: NodeFields & { error?: string }
  }
  const topic = { id: 'trie.node', section: '30-trie 2.3' }
  const flags = { id: 'trie.node', section: '30-trie 2.4' }
  for (const [i, each] of recorded<NodeCase>('trie/node').cases.entries()) {
    const { name, kind, level, seq, key, value, hidden, tableLength, rows, block, expect } = each
    const number = `${i}-${slug(name)}`
    if (kind === 'encode') {
      const args = { seq, key, value, flags: each.flags, hidden, tableLength, rows }
      const of = each.flags > 0 || hidden ? flags : topic
      yield asks(of, number, `a node is written: ${name}`, 'encodeTrieNode', args, { block })
    } else if (level !== 'reference' && expect?.error !== undefined) {
      yield refuses(topic, number, `a node is refused: ${name}`, 'decodeTrieNode', { block })
    } else if (level !== 'reference' && expect) {
      yield asks(topic, number, `a node is read: ${name}`, 'decodeTrieNode', { block }, expect)
    }
  }
}

/** Records of mounts. */
export function* mountRecordCases(): Iterable<VectorCase> {
  interface RecordCase {
    name: string
    kind: 'encode' | 'decode'
    key: Hex
    localPath: string
    version: number | null
    remotePath: string | null
    hash: Hex | null
    bytes: Hex
    expect?: Operations['decodeMountRecord']['result'] & { error?: string }
  }
  const topic = { id: 'trie.mount', section: '30-trie 2.11' }
  for (const [i, each] of recorded<RecordCase>('trie/mount-record').cases.entries()) {
    const { name, kind, key, localPath, version, remotePath, hash, bytes, expect } = each
    const number = `${i}-${slug(name)}`
    if (kind === 'encode') {
      const args = { key, localPath, version, remotePath, hash }
      yield asks(topic, number, `a record is written: ${name}`, 'encodeMountRecord', args, {
        bytes,
      })
    } else if (expect?.error !== undefined) {
      yield refuses(topic, number, `a record is refused: ${name}`, 'decodeMountRecord', { bytes })
    } else if (expect) {
      yield asks(topic, number, `a record is read: ${name}`, 'decodeMountRecord', { bytes }, expect)
    }
  }
}

/** Messages of the extension. */
export function* trieMessageCases(): Iterable<VectorCase> {
  interface MessageCase {
    name: string
    kind: string
    fields: Record<string, unknown>
    bytes: Hex
    expect: Record<string, unknown>
  }
  const topic = { id: 'trie.message', section: '30-trie 2.8' }
  for (const [i, each] of recorded<MessageCase>('trie/extension').cases.entries()) {
    const { name, kind, fields, bytes, expect } = each
    const number = `${i}-${slug(name)}`
    if (kind === 'message') {
      const args = { message: fields }
      yield asks(topic, number, `a message is written: ${name}`, 'encodeTrieMessage', args, {
        bytes,
      })
      const text = `a message is read back: ${name}`
      yield asks(topic, `${number}-back`, text, 'decodeTrieMessage', { bytes }, { message: fields })
    } else if (kind === 'decode' && expect['error'] === undefined) {
      const title = `a message is read: ${name}`
      yield asks(topic, number, title, 'decodeTrieMessage', { bytes }, { message: expect })
    } else if (kind === 'decode') {
      yield refuses(topic, number, `a message is refused: ${name}`, 'decodeTrieMessage', { bytes })
    }
  }
}

interface Step {
  readonly op: string
  readonly at?: number
  readonly append: readonly Hex[]
  readonly result: unknown
}

interface Script {
  readonly name: string
  readonly quirk?: string
  readonly header: Hex
  readonly steps: readonly Step[]
  readonly queries: readonly (TrieQuery & {
    readonly expect?: unknown
    readonly correct?: unknown
  })[]
}

/** The header of a trie with nothing set. */
const PLAIN_HEADER = '0a09687970657274726965'
const SECTIONS = {
  get: '30-trie 3.3',
  iterate: '30-trie 3.8',
  diff: '30-trie 3.9',
  history: '30-trie 3.11',
}

/** Scripts: the blocks they append, and the answers of the trie. */
export function* scriptCases(): Iterable<VectorCase> {
  for (const file of ['logs-small', 'collisions']) {
    for (const script of recorded<Script>(`trie/${file}`).cases) yield* scriptCase(file, script)
  }
}

function* scriptCase(file: string, script: Script): Iterable<VectorCase> {
  const { name, quirk, header, steps, queries } = script
  if (quirk !== undefined || header !== PLAIN_HEADER) return
  const bad = steps.some((step) => step.at !== undefined || step.op === 'range' || failed(step))
  if (bad) return
  const calls = steps as unknown as readonly TrieCall[]
  const deletes = steps.some(({ op }) => op === 'del')
  const id = `${file === 'collisions' ? 'collision-' : ''}${slug(name)}`
  yield {
    id: `trie.write.${id}`,
    title: `${steps.length} calls append these blocks, byte for byte: ${name}`,
    section: deletes ? '30-trie 3.6' : '30-trie 3.4',
    level: 'MUST',
    async run(subject) {
      const { appended } = await subject.ask('trie', { calls, queries: [] })
      for (const [i, { append }] of steps.entries()) same(appended[i], append, `call ${i}`)
    },
  }
  for (const q of ['get', 'iterate', 'diff', 'history'] as const) {
    // The reference's diff and history of colliding or emptied tries are its own affair (30-trie 6).
    const some = queries.filter((query) => query.q === q && query.correct === undefined)
    const resets = steps.some(({ append }) => append.some((block) => block.startsWith('0a00')))
    if (some.length === 0 || (q === 'history' && resets)) continue
    yield {
      id: `trie.${q}.${id}`,
      title: `${some.length} questions (${q}) are answered as recorded: ${name}`,
      section: SECTIONS[q],
      level: 'MUST',
      async run(subject) {
        const asked = some.map(({ q: kind, at, key, prefix, against, opts }) => ({
          q: kind,
          at,
          opts,
          ...(key !== undefined && { key }),
          ...(prefix !== undefined && { prefix }),
          ...(against !== undefined && { against }),
        }))
        const { answers } = await subject.ask('trie', { calls, queries: asked })
        for (const [i, { expect }] of some.entries()) {
          same(answers[i], expect, JSON.stringify(asked[i]))
        }
      },
    }
  }
}

function failed({ result }: Step): boolean {
  return typeof result === 'object' && result !== null && 'error' in result
}
