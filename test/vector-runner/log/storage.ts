/**
 * `log/storage.json`: whole stores after scripted sequences, byte for byte, and what was written before
 * the bitfield was.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { fromHex, toHex } from '../../../src/bytes.ts'
import { Log } from '../../../src/log/log.ts'
import type { LogOptions } from '../../../src/log/options.ts'
import { MemoryFolder } from '../../../src/storage/memory-storage.ts'
import type { RandomAccess } from '../../../src/storage/random-access.ts'
import type { VectorCase, VectorFile, VectorKind } from '../vector.ts'
import { assertDump } from './dump.ts'
import type { Dump } from './dump.ts'
import { blockOf, type BlockSpec } from './notation.ts'

interface Step {
  readonly op:
    'append' | 'appendEach' | 'clear' | 'flush' | 'finalize' | 'audit' | 'corrupt' | 'reopen'
  readonly blocks?: readonly BlockSpec[]
  readonly generate?: { readonly count: number }
  readonly values?: readonly unknown[]
  readonly single?: boolean
  readonly start?: number
  readonly end?: number
  readonly file?: string
  readonly offset?: number
  readonly hex?: string
  readonly result?: unknown
}

type Write = readonly [file: string, offset: number, length: number]

interface StorageCase {
  readonly name: string
  readonly keyPair: { readonly publicKey: string; readonly secretKey: string } | null
  readonly passedSecretKey: boolean
  readonly options: LogOptions
  readonly initialFiles?: Readonly<Record<string, string>>
  readonly steps: readonly Step[]
  readonly length: number
  readonly byteLength: number
  readonly live: boolean
  readonly writable: boolean
  readonly key: string
  readonly files: Readonly<Record<string, Dump>>
  readonly writes?: readonly {
    readonly step: string
    readonly beforeBitfield: readonly Write[]
    readonly bitfield: readonly Write[]
  }[]
}

/** Handler of the file. */
export const kind: VectorKind = {
  name: 'log/storage',
  *cases(file: VectorFile): Iterable<VectorCase> {
    for (const each of file.json.cases as readonly StorageCase[]) {
      yield { name: each.name, run: () => runCase(each) }
    }
  },
}

async function runCase(each: StorageCase): Promise<void> {
  const initial = Object.entries(each.initialFiles ?? {})
  const folder = new MemoryFolder(initial.map(([name, hex]) => [name, fromHex(hex)] as const))
  const recorder = new Recorder(folder)
  const key = each.keyPair ? fromHex(each.keyPair.publicKey) : null
  const secretKey = each.keyPair && each.passedSecretKey ? fromHex(each.keyPair.secretKey) : null
  let log = new Log<unknown>(recorder.open, key, { ...each.options, secretKey, exact: true })
  await log.ready()
  const writes = [...(each.writes ?? [])]
  recorder.judge(writes.shift())
  for (const step of each.steps) {
    if (step.op === 'reopen') {
      // oxlint-disable-next-line no-await-in-loop
      await log.close()
      recorder.clear()
      log = new Log<unknown>(recorder.open, null, { ...each.options, exact: true })
      // oxlint-disable-next-line no-await-in-loop
      await log.ready()
    } else {
      // oxlint-disable-next-line no-await-in-loop
      const result = await runStep(log, step, folder, each.length)
      if (step.result !== undefined) assert.deepEqual(result, step.result, step.op)
    }
    recorder.judge(writes.shift())
  }
  assert.equal(log.length, each.length, 'length')
  assert.equal(log.byteLength, each.byteLength, 'byteLength')
  assert.equal(log.live, each.live, 'live')
  assert.equal(log.key ? toHex(log.key) : null, each.key, 'key')
  // A finalized log is complete: v10 goes on to call it writable, and lets appends break its key.
  if (each.live) assert.equal(log.writable, each.writable, 'writable')
  await log.close()
  const stored = folder.snapshot()
  for (const [name, dump] of Object.entries(each.files)) {
    assertDump(stored.get(name) ?? new Uint8Array(0), dump, name)
  }
  if (each.initialFiles) return
  for (const [name, bytes] of stored) {
    assert.ok(name in each.files || bytes.length === 0, `there is no file ${name}`)
  }
}

async function runStep(
  log: Log<unknown>,
  step: Step,
  folder: MemoryFolder,
  finalLength: number,
): Promise<unknown> {
  switch (step.op) {
    case 'append': {
      const values = valuesOf(log, step)
      return log.append(step.single ? values[0] : values)
    }
    case 'appendEach': {
      let last: number | undefined
      for (const value of valuesOf(log, step)) {
        // oxlint-disable-next-line no-await-in-loop
        last = await log.append(value)
      }
      return last
    }
    case 'clear':
      await log.clear(step.start ?? 0, step.end ?? finalLength)
      return undefined
    case 'flush':
      return log.flush()
    case 'finalize':
      await log.finalize()
      return undefined
    case 'audit':
      return log.audit()
    case 'corrupt':
      await folder.open(step.file ?? '').write(step.offset ?? 0, fromHex(step.hex ?? ''))
      return undefined
    case 'reopen':
      return assert.fail('a step of the caller')
  }
}

function valuesOf(log: Log<unknown>, step: Step): unknown[] {
  if (step.values) return [...step.values]
  if (step.blocks) return step.blocks.map(blockOf)
  const { length } = log
  return Array.from({ length: step.generate?.count ?? 0 }, (_, i) =>
    Uint8Array.of((length + i) % 256),
  )
}

/** Notes what is written, and whether it had ended before the bitfield was begun. */
class Recorder {
  readonly #folder: MemoryFolder
  readonly #before: Write[] = []
  readonly #bitfield: Write[] = []
  #open = 0

  constructor(folder: MemoryFolder) {
    this.#folder = folder
  }

  readonly open = (name: string): RandomAccess => {
    const file = this.#folder.open(name)
    const content = (): Uint8Array | undefined => this.#folder.snapshot().get(name)
    const write = file.write.bind(file)
    file.write = async (offset, bytes) => {
      // Only headers are compared: a copy of the whole folder for each write would be slow.
      const before = offset === 0 && bytes.length === 32 ? content()?.subarray(0, 32) : undefined
      if (name === 'bitfield')
        assert.equal(this.#open, 0, 'writes under way when the bitfield begins')
      else this.#open++
      await write(offset, bytes)
      if (name !== 'bitfield') this.#open--
      // A header that is there already need not be written again.
      if (offset === 0 && before && toHex(before) === toHex(bytes)) return
      ;(name === 'bitfield' ? this.#bitfield : this.#before).push([name, offset, bytes.length])
    }
    return file
  }

  clear(): void {
    this.#before.length = 0
    this.#bitfield.length = 0
  }

  judge(wanted: NonNullable<StorageCase['writes']>[number] | undefined): void {
    if (wanted) {
      // Opening again: v10 writes the same headers once more, which changes nothing.
      const isHeader = ([, offset, length]: Write): boolean => offset === 0 && length === 32
      const skip = wanted.step === 'reopen' ? isHeader : () => false
      const before = wanted.beforeBitfield.filter((write) => !skip(write))
      const bitfield = wanted.bitfield.filter((write) => !skip(write))
      assert.deepEqual(covered(this.#before), covered(before), `${wanted.step}: before`)
      assert.deepEqual(covered(this.#bitfield), covered(bitfield), `${wanted.step}: bitfield`)
    }
    this.clear()
  }
}

/** The ranges that writes cover, joined and sorted: how they were split does not matter. */
function covered(writes: readonly Write[]): Write[] {
  const sorted = writes
    .filter(([, , length]) => length > 0)
    .toSorted((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] - b[1]))
  const joined: Write[] = []
  for (const write of sorted) {
    const last = joined.at(-1)
    if (last && last[0] === write[0] && last[1] + last[2] >= write[1]) {
      const end = Math.max(last[1] + last[2], write[1] + write[2])
      joined[joined.length - 1] = [last[0], last[1], end - last[1]]
    } else joined.push(write)
  }
  return joined
}
