/**
 * `log/rle.json`: run-length coding of bitfields.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { fromHex, toHex } from '../../../src/bytes.ts'
import { LogError } from '../../../src/log/errors.ts'
import { decodeRle, encodeRle, encodedRleLength } from '../../../src/log/rle.ts'
import type { VectorCase, VectorFile, VectorKind } from '../vector.ts'
import { sha256 } from './dump.ts'

/** Far above any decoded size in the vectors, so that only what is malformed fails. */
const MAX_BYTES = 2 ** 24

type RleCase =
  | {
      readonly op: 'encode'
      readonly input: string
      readonly output: string
      readonly encodingLength: number
    }
  | {
      readonly op: 'decode'
      readonly align: number
      readonly input: string
      readonly output?: string
      readonly outputLength?: number
      readonly outputSha256?: string
      readonly error?: string
    }

/** Handler of the file. */
export const kind: VectorKind = {
  name: 'log/rle',
  *cases(file: VectorFile): Iterable<VectorCase> {
    for (const [i, each] of (file.json.cases as readonly RleCase[]).entries()) {
      yield { name: `${i} ${each.op} ${each.input.slice(0, 40)}`, run: () => runCase(each) }
    }
  },
}

function runCase(each: RleCase): void {
  const input = fromHex(each.input)
  if (each.op === 'encode') {
    assert.equal(toHex(encodeRle(input)), each.output)
    assert.equal(encodedRleLength(input), each.encodingLength)
    return
  }
  if (each.error !== undefined) {
    assert.throws(
      () => decodeRle(input, MAX_BYTES),
      (error) => error instanceof LogError && error.code === 'LOG_BAD_BITFIELD',
    )
    return
  }
  const bare = decodeRle(input, MAX_BYTES)
  const bytes = new Uint8Array(Math.ceil(bare.length / each.align) * each.align)
  bytes.set(bare)
  if (each.output !== undefined) assert.equal(toHex(bytes), each.output)
  if (each.outputLength !== undefined) assert.equal(bytes.length, each.outputLength)
  if (each.outputSha256 !== undefined) assert.equal(sha256(bytes), each.outputSha256)
  // One byte less than it needs is refused before anything is allocated.
  if (bare.length > 0) assert.throws(() => decodeRle(input, bare.length - 1))
}
