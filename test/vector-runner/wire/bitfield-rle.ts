/** Vectors of run-length coded bitfields, and of the Have that answers a Want. */
import { strict as assert } from 'node:assert'
import { fromHex, toHex } from '../../../src/bytes.ts'
import { Bitfield } from '../../../src/log/bitfield.ts'
import { LogError } from '../../../src/log/errors.ts'
import { decodeRle, encodeRle } from '../../../src/log/rle.ts'
import type { VectorKind } from '../vector.ts'

interface RleCase {
  readonly kind: 'rle'
  readonly name: string
  readonly bitfield: string
  readonly encoded: string
  readonly decodedAligned4: string
}

interface RleDecodeCase {
  readonly kind: 'rle-decode'
  readonly name: string
  readonly encoded: string
  readonly reference: { readonly ok: boolean; readonly decodedAligned4?: string }
  readonly required: 'accept' | 'reject' | 'any'
}

interface WantCase {
  readonly kind: 'want-reply'
  readonly name: string
  readonly blocks: readonly (readonly [number, number])[]
  readonly want: { readonly start: number; readonly length: number }
  readonly have: { readonly start: number; readonly length: number; readonly bitfield: string }
}

const PAGE_BYTES = 3584
const MOST = 2 ** 20

function aligned(bytes: Uint8Array): string {
  const out = new Uint8Array(Math.ceil(bytes.length / 4) * 4)
  out.set(bytes)
  return toHex(out)
}

function run(each: RleCase | RleDecodeCase | WantCase): void {
  switch (each.kind) {
    case 'rle':
      assert.equal(toHex(encodeRle(fromHex(each.bitfield))), each.encoded)
      assert.equal(aligned(decodeRle(fromHex(each.encoded), MOST)), each.decodedAligned4)
      return
    case 'rle-decode': {
      let decoded: string | null = null
      try {
        decoded = aligned(decodeRle(fromHex(each.encoded), MOST))
      } catch (error) {
        assert.ok(error instanceof LogError, String(error))
      }
      if (each.required !== 'any') assert.equal(decoded !== null, each.required === 'accept')
      if (decoded !== null) assert.equal(decoded, each.reference.decodedAligned4)
      return
    }
    case 'want-reply': {
      const { start, length } = each.want
      const bitfield = new Bitfield(PAGE_BYTES)
      for (const [from, to] of each.blocks) bitfield.set(from, to, true)
      const bits = bitfield.bits(start, length === 0 ? Number.MAX_SAFE_INTEGER - start : length)
      assert.deepEqual({ start, length, bitfield: toHex(encodeRle(bits)) }, each.have)
    }
  }
}

/** The handler of `wire/bitfield-rle`. */
export const kind: VectorKind = {
  name: 'wire/bitfield-rle',
  *cases({ json }) {
    for (const each of json.cases as readonly (RleCase | RleDecodeCase | WantCase)[]) {
      yield { name: each.name, run: () => run(each) }
    }
  },
}
