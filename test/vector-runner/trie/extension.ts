/** Messages of the extension, what is answered, and what is asked: trie/extension. */
import assert from 'node:assert/strict'
import { fromHex, toHex } from '../../../src/bytes.ts'
import {
  decodeExtensionMessage,
  encodeExtensionMessage,
  type ExtensionMessage,
} from '../../../src/trie/extension-messages.ts'
import { Trie } from '../../../src/trie/index.ts'
import { MemoryLog, MemoryPeer } from '../../trie/memory-log.ts'
import type { VectorKind } from '../vector.ts'
import { batchOf, makeWorld, perform, type Operation, type World } from './script.ts'
import { turn } from './watch.ts'

interface Fields {
  readonly get: { readonly head: number; readonly key: string } | null
  readonly iterator: {
    readonly head: number
    readonly key: string
    readonly flags: number
    readonly checkpoint: string | null
  } | null
  readonly cache: {
    readonly start: number
    readonly end: number
    readonly blocks: readonly number[]
  } | null
  readonly error?: string
}

interface ExtensionCase {
  readonly name: string
  readonly kind: 'message' | 'decode' | 'server' | 'reader'
  readonly fields: Fields
  readonly bytes: string
  readonly expect: Fields
  readonly ops: readonly Operation[]
  readonly request: string
  readonly replies: readonly string[]
  readonly events: readonly (readonly [string, string])[]
  readonly have: readonly number[] | 'all'
  readonly length: number
  readonly messages: readonly string[]
}

export const kind: VectorKind = {
  name: 'trie/extension',
  *cases({ json }) {
    for (const each of json.cases as readonly ExtensionCase[]) {
      yield { name: each.name, run: () => check(each) }
    }
  },
}

function check(each: ExtensionCase): void | Promise<void> {
  switch (each.kind) {
    case 'message':
      assert.equal(toHex(encodeExtensionMessage(messageOf(each.fields))), each.bytes)
      assert.deepEqual(fieldsOf(decodeExtensionMessage(fromHex(each.bytes))), each.fields)
      return
    case 'decode':
      checkDecode(each)
      return
    case 'server':
      return checkServer(each)
    case 'reader':
      return checkReader(each)
  }
}

function checkDecode({ bytes, expect }: ExtensionCase): void {
  if (expect.error !== undefined) {
    assert.throws(() => decodeExtensionMessage(fromHex(bytes)), { code: 'TRIE_BAD_MESSAGE' })
    return
  }
  assert.deepEqual(fieldsOf(decodeExtensionMessage(fromHex(bytes))), expect)
}

function messageOf({ get, iterator, cache }: Fields): ExtensionMessage {
  const checkpoint = iterator?.checkpoint ?? null
  return {
    get,
    cache,
    iterator: iterator && {
      ...iterator,
      checkpoint: checkpoint === null ? null : fromHex(checkpoint),
    },
  }
}

function fieldsOf({ get, iterator, cache }: ExtensionMessage): Fields {
  return {
    get,
    iterator: iterator && {
      ...iterator,
      checkpoint: iterator.checkpoint && toHex(iterator.checkpoint),
    },
    cache,
  }
}

async function worldOf(ops: readonly Operation[]): Promise<World> {
  const world = await makeWorld()
  for (const op of ops) {
    // oxlint-disable-next-line no-await-in-loop
    await perform(world.trie, op)
  }
  return world
}

async function checkServer({ ops, request, replies, events }: ExtensionCase): Promise<void> {
  const written = await worldOf(ops)
  // The one that wrote has all nodes in memory, the other reads each block for the first time.
  for (const { log, trie } of [written, fresh(written)]) {
    const seen: [string, string][] = []
    for (const name of ['extension-get', 'extension-iterator'] as const) {
      trie.removeAllListeners(name)
      trie.on(name, (key) => seen.push([name, key]))
    }
    const peer = new MemoryPeer()
    log.extensions.receive(0, ['hypertrie'], fromHex(request), peer)
    // oxlint-disable-next-line no-await-in-loop
    await settled(peer)
    assert.deepEqual(peer.received.map(toHex), replies)
    assert.deepEqual(seen, events)
  }
}

function fresh({ log }: World): World {
  const copy = new MemoryLog(log.blocks)
  return { log: copy, trie: new Trie(copy) }
}

/** Until a peer is sent nothing more. */
async function settled(peer: MemoryPeer): Promise<void> {
  let before: number
  do {
    before = peer.received.length
    // oxlint-disable-next-line no-await-in-loop
    for (let i = 0; i < 200; i++) await turn()
  } while (peer.received.length !== before)
}

async function checkReader(each: ExtensionCase): Promise<void> {
  const { log: full } = await worldOf(each.ops)
  const { have } = each
  const held = full.blocks.map((block, i) => (have === 'all' || have.includes(i) ? block : null))
  const log = new MemoryLog(held.slice(0, each.length))
  const trie = new Trie(log)
  await trie.ready()
  const wanted = each.messages.map((bytes) => decodeExtensionMessage(fromHex(bytes)))
  const call = read(trie, each, wanted[0])
  call.catch(() => null)
  await turn()
  // Hidden lookups tell nobody: the message has no mark for them, and the answer would be useless.
  const expected = each.name.includes('get hidden') ? [] : wanted
  assert.deepEqual(
    log.peer.received.map(meaning),
    expected.map((message) => meaning(encodeExtensionMessage(message))),
  )
}

/** A message without its checkpoint, which is a hint; but whether there is one counts. */
function meaning(bytes: Uint8Array): Fields {
  const fields = fieldsOf(decodeExtensionMessage(bytes))
  const { iterator } = fields
  const checkpoint = iterator?.checkpoint === null ? null : ''
  return { ...fields, iterator: iterator && { ...iterator, checkpoint } }
}

/** The call that a case is named after; its key is in the message it caused, or any of the trie. */
function read(
  trie: Trie,
  each: ExtensionCase,
  message: ExtensionMessage | undefined,
): Promise<unknown> {
  const [, call = ''] = each.name.split('reader: ')
  const key =
    message?.get?.key ?? message?.iterator?.key ?? someKey(each.ops, call.includes('hidden'))
  const options = optionsOf(call)
  if (call.startsWith('get')) return trie.get(key, options)
  if (call.startsWith('diff')) return trie.diff(1, '', options).collect()
  assert.ok(call.startsWith('iterate'), call)
  return trie.list(call.includes('prefix') ? key : '', options)
}

function optionsOf(call: string): Record<string, boolean> {
  return {
    hidden: call.includes('hidden'),
    reverse: call.includes('reverse'),
    gt: / gt\b/.test(call),
    extension: !call.includes('extension off'),
    ...(call.includes('non-recursive') ? { recursive: false } : {}),
  }
}

function someKey(ops: readonly Operation[], hidden: boolean): string {
  for (const op of ops) {
    if (op.op === 'put' && (op.hidden ?? false) === hidden) return op.key
    if (op.op === 'range') return batchOf(op)[0]?.key ?? ''
  }
  return 'k'
}
