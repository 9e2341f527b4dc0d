/**
 * Kind `wire/have-state`: what is known of a remote after Haves and Unhaves.
 *
 * Deviates by quirk Q-7: a length that a remote once had is only given up when it takes everything back. The
 * reference also lets a bitfield of blocks that are all held here lower it.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { fromHex } from '../../../src/bytes.ts'
import { RemoteState } from '../../../src/wire/exchange/remote-state.ts'
import type { VectorKind } from '../vector.ts'

interface Step {
  readonly type: 'Have' | 'Unhave'
  readonly message: { readonly start: number; readonly length?: number; readonly bitfield?: string }
  readonly remoteLength: number
  readonly missingHere: readonly (readonly [number, number])[]
  readonly wantsDisabled: boolean
}

interface Case {
  readonly name: string
  readonly localBlocks: readonly number[]
  readonly steps: readonly Step[]
}

/** Handler of the file. */
export const kind: VectorKind = {
  name: 'wire/have-state',
  *cases({ json }) {
    for (const each of json.cases as readonly Case[]) {
      yield { name: each.name, run: () => check(each) }
    }
  },
}

function check({ localBlocks, steps }: Case): void {
  const state = new RemoteState()
  const local = new Set(localBlocks)
  let legacy = false
  let longest = 0
  for (const step of steps) {
    const { start, length = 1, bitfield } = step.message
    if (step.type === 'Unhave') {
      const everything = start === 0 && length >= state.length
      state.unhave({ start, length })
      if (everything) longest = 0
    } else {
      const bits = bitfield === undefined ? null : fromHex(bitfield)
      legacy = state.have({ start, length, bitfield: bits, ack: false }).legacy || legacy
    }
    longest = Math.max(longest, step.remoteLength)
    assert.equal(state.length, longest)
    assert.equal(legacy, step.wantsDisabled)
    assert.deepEqual(missing(state, local), step.missingHere)
  }
}

/** Half-open runs of blocks that the remote has and we lack. */
function missing(state: RemoteState, local: ReadonlySet<number>): number[][] {
  const runs: number[][] = []
  for (let at = 0; (at = state.blocks.next(at, 2 ** 53)) >= 0; at++) {
    if (local.has(at)) continue
    const last = runs[runs.length - 1]
    if (last?.[1] === at) last[1] = at + 1
    else runs.push([at, at + 1])
  }
  return runs
}
