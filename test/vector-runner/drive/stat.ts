/** Handler of `drive/stat.json`: entries to bytes and back, and damaged bytes. @module */
import assert from 'node:assert/strict'
import { Stat, type StatInput } from '../../../src/drive/entries/stat.ts'
import type { VectorKind } from '../vector.ts'
import { type StatRecord, argument, expectedStat, statRecord } from './forms.ts'

interface EncodeCase {
  readonly op: 'encode'
  readonly label: string
  readonly now: number
  readonly kind: 'file' | 'directory' | 'symlink' | 'raw'
  readonly input: unknown
  readonly hex: string
  readonly decoded: StatRecord
}

interface DecodeCase {
  readonly op: 'decode'
  readonly now: number
  readonly hex: string
  readonly decoded?: StatRecord
  readonly error?: string
  readonly quirk?: string
}

const MAKE = {
  file: (input: StatInput, now: number) => Stat.file(input, now),
  directory: (input: StatInput, now: number) => Stat.directory(input, now),
  symlink: (input: StatInput, now: number) => Stat.link(input, now),
  raw: (input: StatInput, now: number) => new Stat(input, now),
}

/** One case each. Damaged bytes that v10 takes (`quirk`) must be refused or read, whichever it is. */
export const kind: VectorKind = {
  name: 'drive/stat',
  *cases({ json }) {
    for (const each of json.cases as readonly (EncodeCase | DecodeCase)[]) {
      const name = each.op === 'encode' ? each.label : `decode ${each.hex || 'nothing'}`
      yield { name, run: () => (each.op === 'encode' ? encodes(each) : decodes(each)) }
    }
  },
}

function encodes({ kind, input, now, hex, decoded }: EncodeCase): void {
  const stat = MAKE[kind](argument(input) as StatInput, now)
  assert.equal(Buffer.from(stat.encode()).toString('hex'), hex)
  const read = Stat.decode(Buffer.from(hex, 'hex'), now)
  assert.deepEqual(statRecord(read), expectedStat(decoded))
}

function decodes({ hex, now, decoded, error, quirk }: DecodeCase): void {
  const decode = (): Stat => Stat.decode(Buffer.from(hex, 'hex'), now)
  if (quirk !== undefined) {
    try {
      decode()
    } catch (failure) {
      assert.equal((failure as { code?: unknown }).code, 'DRIVE_BAD_STAT')
    }
  } else if (error === undefined) {
    assert.ok(decoded)
    assert.deepEqual(statRecord(decode()), expectedStat(decoded))
  } else {
    assert.throws(decode, { code: 'DRIVE_BAD_STAT' })
  }
}
