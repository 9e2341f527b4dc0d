/**
 * Files as the log vectors write them down: a length, a hash, and all bytes that are not zero.
 *
 * @see test/vectors/log/README.md, Shared notations
 * @module
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { fromHex, toHex } from '../../../src/bytes.ts'

/** A file; `null` in a list of files means that there is none. */
export interface Dump {
  readonly length: number
  readonly sha256: string
  /** Everything that is not zero: text in hex, or a byte value and how often. */
  readonly runs?: readonly (readonly [number, string] | readonly [number, number, number])[]
  /** Samples, where `runs` would be too long. */
  readonly excerpts?: readonly (readonly [number, string])[]
}

/** The bytes of a dump that lists them all. */
export function bytesOfDump(dump: Dump): Uint8Array {
  const bytes = new Uint8Array(dump.length)
  for (const run of dump.runs ?? []) {
    if (typeof run[1] === 'string') bytes.set(fromHex(run[1]), run[0])
    else bytes.fill(run[1], run[0], run[0] + (run[2] ?? 0))
  }
  assert.equal(sha256(bytes), dump.sha256, 'the dump itself')
  return bytes
}

/** Fail unless `bytes` is the dumped file; where it can be told, say at which offset they differ. */
export function assertDump(bytes: Uint8Array, dump: Dump, file: string): void {
  for (const [offset, hex] of dump.excerpts ?? []) {
    assert.equal(
      toHex(bytes.subarray(offset, offset + hex.length / 2)),
      hex,
      `${file} at ${offset}`,
    )
  }
  if (dump.runs) {
    const wanted = bytesOfDump(dump)
    const at = wanted.findIndex((byte, i) => byte !== bytes[i])
    if (at >= 0) {
      const got = toHex(bytes.subarray(at, at + 16))
      assert.fail(`${file} at ${at}: want ${toHex(wanted.subarray(at, at + 16))}, got ${got}`)
    }
  }
  assert.equal(bytes.length, dump.length, `bytes of ${file}`)
  assert.equal(sha256(bytes), dump.sha256, `hash of ${file}`)
}

/** SHA-256 in hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
