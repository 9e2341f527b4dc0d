/** Handler of `drive/constants.json`: the table of numbers, and the flags that strings stand for. @module */
import assert from 'node:assert/strict'
import { constants, parseFlags } from '../../../src/drive/open/constants.ts'
import type { VectorKind } from '../vector.ts'

type ConstantsCase =
  | { readonly op: 'constants'; readonly constants: Readonly<Record<string, number>> }
  | {
      readonly op: 'flag'
      readonly flag: string | number
      readonly value?: number
      readonly error?: string
    }

/** One case of the table, one a flag. */
export const kind: VectorKind = {
  name: 'drive/constants',
  *cases({ json }) {
    for (const each of json.cases as readonly ConstantsCase[]) {
      const name = each.op === 'constants' ? 'the table' : `flag ${JSON.stringify(each.flag)}`
      yield { name, run: () => check(each) }
    }
  },
}

function check(want: ConstantsCase): void {
  if (want.op === 'constants') assert.deepEqual({ ...constants }, want.constants)
  else if (want.error === undefined) assert.equal(parseFlags(want.flag), want.value)
  else assert.throws(() => parseFlags(want.flag), { code: 'EINVAL', errno: 22 })
}
