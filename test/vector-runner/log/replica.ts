/**
 * `log/replica.json`: read-only copies built one message at a time, with what they tell about
 * themselves in between, and their files at the end.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { fromHex } from '../../../src/bytes.ts'
import { Log } from '../../../src/log/log.ts'
import { MemoryFolder } from '../../../src/storage/memory-storage.ts'
import type { VectorCase, VectorFile, VectorKind } from '../vector.ts'
import { assertDump } from './dump.ts'
import type { Dump } from './dump.ts'
import { messageOf, type MessageSpec } from './notation.ts'

interface ReplicaCase {
  readonly name: string
  readonly publicKey: string
  readonly steps: readonly {
    readonly index: number
    readonly digest: number
    readonly message: MessageSpec
    readonly result: string
    readonly length: number
    readonly byteLength: number
    readonly treeBits?: readonly number[]
    readonly dataBits?: readonly number[]
  }[]
  readonly files: Readonly<Record<string, Dump>>
}

/** Handler of the file. */
export const kind: VectorKind = {
  name: 'log/replica',
  *cases(file: VectorFile): Iterable<VectorCase> {
    for (const each of file.json.cases as readonly ReplicaCase[]) {
      yield { name: each.name, run: () => runCase(each) }
    }
  },
}

async function runCase(each: ReplicaCase): Promise<void> {
  const folder = new MemoryFolder()
  const log = new Log(folder.open, fromHex(each.publicKey), { sparse: true })
  await log.ready()
  for (const [i, step] of each.steps.entries()) {
    assert.equal(log.digest(step.index), step.digest, `step ${i}: digest`)
    // oxlint-disable-next-line no-await-in-loop
    const [error] = await log.receive([messageOf(step.message)], null)
    assert.equal(error === null, step.result === 'ok', `step ${i}: ${error?.message ?? 'accepted'}`)
    assert.equal(log.length, step.length, `step ${i}: length`)
    assert.equal(log.byteLength, step.byteLength, `step ${i}: byteLength`)
    if (step.treeBits) assert.deepEqual(nodesOf(log), step.treeBits, `step ${i}: tree bits`)
    if (step.dataBits) assert.deepEqual(blocksOf(log), step.dataBits, `step ${i}: data bits`)
  }
  await log.close()
  const stored = folder.snapshot()
  for (const [name, dump] of Object.entries(each.files)) {
    assertDump(stored.get(name) ?? new Uint8Array(0), dump, name)
  }
}

function nodesOf(log: Log): number[] {
  const found: number[] = []
  for (let i = 0; i < 4 * log.length + 64; i++) if (log.hasNode(i)) found.push(i)
  return found
}

function blocksOf(log: Log): number[] {
  const found: number[] = []
  for (let i = 0; i < log.length; i++) if (log.has(i)) found.push(i)
  return found
}
