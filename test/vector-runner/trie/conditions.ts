/** Puts and deletes that ask first: trie/conditions. */
import assert from 'node:assert/strict'
import { fromHex, toHex } from '../../../src/bytes.ts'
import type { TrieEntry } from '../../../src/trie/index.ts'
import type { VectorKind } from '../vector.ts'
import { fieldsOf, headerOptions, keyAndSeq, makeWorld, type World } from './script.ts'

/** What a condition does. */
export type Decision = 'accept' | 'decline' | 'fail'

interface ConditionStep {
  readonly op: 'put' | 'del'
  readonly key: string
  readonly value?: string
  readonly hidden?: boolean
  readonly flags?: number
  readonly condition?: Decision
  readonly closest?: boolean
  readonly result: unknown
  readonly append: readonly string[]
  readonly version: number
}

interface ConditionCase {
  readonly name: string
  readonly header: string
  readonly steps: readonly ConditionStep[]
}

export const kind: VectorKind = {
  name: 'trie/conditions',
  *cases({ json }) {
    for (const each of json.cases as readonly ConditionCase[]) {
      yield { name: each.name, run: () => check(each) }
    }
  },
}

async function check({ header, steps }: ConditionCase): Promise<void> {
  const world = await makeWorld(await headerOptions(header))
  for (const step of steps) {
    const before = world.log.length
    // oxlint-disable-next-line no-await-in-loop
    const result = await perform(world, step)
    const appended = world.log.blocks.slice(before).map((block) => block && toHex(block))
    assert.deepEqual(appended, step.append)
    assert.equal(world.trie.version, step.version)
    assert.deepEqual(result, declinedAsNull(step.result), JSON.stringify(step))
  }
}

/** A declined put gives null here; the original hands back a node with seq 0. */
export function declinedAsNull(result: unknown): unknown {
  if (typeof result !== 'object' || result === null || !('result' in result)) return result
  const inner = result.result
  const isDeclined =
    typeof inner === 'object' && inner !== null && 'seq' in inner && inner.seq === 0
  return isDeclined ? { ...result, result: null } : result
}

async function perform({ trie }: World, step: ConditionStep): Promise<unknown> {
  const value = step.value === undefined ? null : fromHex(step.value)
  const { hidden = false, flags = 0, closest = false } = step
  if (step.condition === undefined) {
    if (step.op === 'put') return keyAndSeq(await trie.put(step.key, value, { hidden, flags }))
    return keyAndSeq(await trie.del(step.key, { hidden }))
  }
  const asked = new Asked(step.condition)
  const options = { hidden, flags, closest, condition: asked.condition }
  const result = await asked.outcome(
    step.op === 'put' ? trie.put(step.key, value, options) : trie.del(step.key, options),
  )
  return { result, seen: asked.seen }
}

/** A condition that decides as told, and what it saw. */
export class Asked {
  seen: unknown = 'not called'
  readonly #decision: Decision
  readonly #form: (entry: TrieEntry | null) => unknown

  constructor(decision: Decision, form: (entry: TrieEntry | null) => unknown = fieldsOf) {
    this.#decision = decision
    this.#form = form
  }

  readonly condition = (old: TrieEntry | null): boolean => {
    this.seen = this.#form(old)
    if (this.#decision === 'fail') throw new Error('condition failed')
    return this.#decision === 'accept'
  }

  /** Key and seq of what came back, or the message. */
  async outcome(work: Promise<TrieEntry | null>): Promise<unknown> {
    try {
      return keyAndSeq(await work)
    } catch (error) {
      assert.ok(error instanceof Error)
      return { error: error.message }
    }
  }
}
