/**
 * `log/recovery.json`: opening what a crash or damage left.
 *
 * Every outcome that the specification accepts passes; and what opens must then be sound: held blocks
 * are right, no bit lies past the length, an append gets the next number and is signed, and the log
 * opens again as it was.
 *
 * @see spec/10-log.md 3.15
 * @module
 */
import assert from 'node:assert/strict'
import { equals, fromUtf8, toHex } from '../../../src/bytes.ts'
import { signingKeyPair } from '../../../src/crypto.ts'
import { LogError } from '../../../src/log/errors.ts'
import { Log } from '../../../src/log/log.ts'
import { MemoryFolder } from '../../../src/storage/memory-storage.ts'
import type { VectorCase, VectorFile, VectorKind } from '../vector.ts'
import { bytesOfDump, type Dump } from './dump.ts'
import { keyPairOf, type KeyPairSpec } from './notation.ts'

interface Reference {
  readonly open: string
  readonly length?: number
  readonly writable?: boolean
}

interface RecoveryCase {
  readonly name: string
  readonly kind: 'torn-append' | 'damage' | 'torn-create' | 'torn-bitfield-pages'
  readonly lengthBefore: number
  readonly lengthAfter?: number
  readonly newFiles?: readonly string[]
  readonly files?: Readonly<Record<string, Dump | null>>
  readonly appends?: readonly number[]
  readonly bitfieldPages?: readonly ('before' | 'after')[]
  readonly reference: Reference
  readonly requirement: 'same' | 'better'
}

const HEADER = 32
const PAGE = 3584
/** Blocks read at once. */
const RUN = 1024
/** Stores of two appends, by the appends: cases differ only in pages of the bitfield. */
const built = new Map<string, Promise<{ files: Map<string, Uint8Array>; before: Uint8Array }>>()

/** Handler of the file. */
export const kind: VectorKind = {
  name: 'log/recovery',
  *cases(file: VectorFile): Iterable<VectorCase> {
    const keys = keyPairOf(file.json['keyPair'] as KeyPairSpec)
    for (const each of file.json.cases as readonly RecoveryCase[]) {
      yield { name: each.name, run: () => runCase(each, keys) }
    }
  },
}

async function runCase(each: RecoveryCase, keys: ReturnType<typeof keyPairOf>): Promise<void> {
  const files =
    each.kind === 'torn-bitfield-pages'
      ? await tornPages(each, keys)
      : Object.entries(each.files ?? {}).flatMap(([name, dump]) =>
          dump ? [[name, bytesOfDump(dump)] as const] : [],
        )
  const folder = new MemoryFolder(files)
  const before = folder.snapshot()
  const isByteOfIndex = each.kind === 'torn-bitfield-pages'
  const { key, secretKey } = givenKeys(each.name, keys)
  const log = new Log(folder.open, key, { secretKey, sparse: true })
  const failure = await log.ready().then(
    () => null,
    (error: unknown) => error,
  )
  if (failure !== null) {
    assert.ok(failure instanceof LogError, 'fails with an error of its own')
    assert.ok(mayFail(each), `opening failed: ${failure.message}`)
    assert.deepEqual(folder.snapshot(), before, 'a log that does not open is left alone')
    return
  }
  assert.equal(each.reference.open === 'ok' || each.requirement === 'better', true, 'opened')
  assertLength(each, log.length)
  await assertSound(
    log,
    (i) => (isByteOfIndex ? Uint8Array.of(i % 256) : fromUtf8(`block-${i}`)),
    each,
  )
  if (each.name.startsWith('creation')) assert.ok(log.key, 'has a key')
  await goOn(log, folder, key)
}

/** Where a test names the keys that are passed, it says so in the file's README. */
function givenKeys(
  name: string,
  keys: ReturnType<typeof keyPairOf>,
): { key: Uint8Array | null; secretKey: Uint8Array | null } {
  if (name.includes('other key given')) return { key: signingKeyPair().publicKey, secretKey: null }
  if (name.includes('key and secret given'))
    return { key: keys.publicKey, secretKey: keys.secretKey }
  // "no key given" passes none.
  if (/(?<!no )key given/.test(name)) return { key: keys.publicKey, secretKey: null }
  return { key: null, secretKey: null }
}

function mayFail(each: RecoveryCase): boolean {
  if (each.reference.open !== 'ok' && each.requirement === 'same') return true
  if (each.requirement === 'same') return false
  if (each.kind === 'damage') return true
  // Nothing was ever acknowledged, and nothing of what is there can be proven.
  return each.kind === 'torn-append' && each.lengthBefore === 0 && isTornFirst(each)
}

function isTornFirst(each: RecoveryCase): boolean {
  const fresh = each.newFiles ?? []
  return fresh.includes('bitfield') && fresh.length < 4
}

function assertLength(each: RecoveryCase, length: number): void {
  const accepted = new Set<number>()
  if (each.reference.length !== undefined && each.requirement === 'same') {
    accepted.add(each.reference.length)
  }
  if (each.kind.startsWith('torn')) {
    accepted.add(each.lengthBefore)
    if (each.lengthAfter !== undefined) accepted.add(each.lengthAfter)
  } else if (each.requirement === 'better') {
    // As much as can be proven; never nothing, where something was.
    for (let i = 1; i <= each.lengthBefore; i++) accepted.add(i)
  }
  assert.ok(accepted.has(length), `length ${length}, of ${[...accepted].join(' or ')}`)
}

async function assertSound(
  log: Log,
  content: (index: number) => Uint8Array,
  each: RecoveryCase,
): Promise<void> {
  assert.equal(log.live, true, 'live')
  assert.equal(log.downloaded(log.length), 0, 'data bits past the length')
  for (let node = 2 * log.length; node < 2 * log.length + 128; node++) {
    assert.equal(log.hasNode(node), false, `tree bit ${node}`)
  }
  for (let start = 0; start < log.length; start += RUN) {
    const end = Math.min(start + RUN, log.length)
    // oxlint-disable-next-line no-await-in-loop
    const run = await log.getBatch(start, end, { wait: false }).catch(() => null)
    for (let i = start; i < end; i++) {
      // oxlint-disable-next-line no-await-in-loop
      const read = run?.[i - start] ?? (await log.get(i, { wait: false }).catch((e: unknown) => e))
      if (read instanceof Uint8Array) assert.ok(equals(read, content(i)), `block ${i}`)
      else assertLoss(read, i, log, each)
    }
  }
  if (log.length > 0) assert.equal((await log.signature()).index, log.length - 1, 'head is signed')
}

/** Damage may take blocks, of which reading then says so; a crash may not. */
function assertLoss(error: unknown, index: number, log: Log, each: RecoveryCase): void {
  assert.ok(error instanceof LogError, `block ${index}`)
  if (error.code === 'LOG_NOT_HELD') {
    assert.ok(!log.writable || each.kind === 'damage', `block ${index} is lost`)
    return
  }
  // Found at reading: a flipped byte in data, which opening does not look for.
  assert.equal(error.code, 'LOG_CORRUPT', `block ${index}`)
  assert.equal(each.kind, 'damage')
}

async function goOn(log: Log, folder: MemoryFolder, key: Uint8Array | null): Promise<void> {
  const { length } = log
  if (!log.writable) {
    await log.close()
    return
  }
  assert.equal(await log.append(fromUtf8('more')), length, 'sequence number')
  const { index, signature } = await log.signature(length)
  assert.equal(index, length)
  assert.equal(await log.verify(length, signature), true)
  const held = log.downloaded()
  const identity = toHex(log.key ?? new Uint8Array(0))
  await log.close()
  const written = folder.snapshot()
  const again = new Log(folder.open, key, { sparse: true })
  await again.ready()
  assert.equal(again.length, length + 1, 'length when opened again')
  assert.equal(again.downloaded(), held, 'held when opened again')
  assert.equal(toHex(again.key ?? new Uint8Array(0)), identity)
  await again.close()
  assert.deepEqual(folder.snapshot(), written, 'opening again finds nothing to repair')
}

/** Files of two appends, with some of the bitfield's pages as they were before the second. */
async function tornPages(
  each: RecoveryCase,
  keys: ReturnType<typeof keyPairOf>,
): Promise<(readonly [string, Uint8Array])[]> {
  const [first = 0, second = 0] = each.appends ?? []
  const id = `${first} ${second}`
  const building = built.get(id) ?? build(keys, first, second)
  built.set(id, building)
  const { files, before } = await building
  const bitfield = (files.get('bitfield') ?? new Uint8Array(0)).slice()
  for (const [page, state] of (each.bitfieldPages ?? []).entries()) {
    if (state === 'after') continue
    const at = HEADER + page * PAGE
    bitfield.fill(0, at, at + PAGE)
    bitfield.set(before.subarray(at, at + PAGE), at)
  }
  return [...new Map(files).set('bitfield', bitfield)]
}

async function build(
  keys: ReturnType<typeof keyPairOf>,
  first: number,
  second: number,
): Promise<{ files: Map<string, Uint8Array>; before: Uint8Array }> {
  const folder = new MemoryFolder()
  const log = new Log(folder.open, keys.publicKey, { secretKey: keys.secretKey })
  const blocks = (start: number, count: number): Uint8Array[] =>
    Array.from({ length: count }, (_, i) => Uint8Array.of((start + i) % 256))
  await log.append(blocks(0, first))
  const before = folder.snapshot().get('bitfield') ?? new Uint8Array(0)
  await log.append(blocks(first, second))
  await log.close()
  return { files: folder.snapshot(), before }
}
