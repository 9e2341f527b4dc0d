/** Watchers: trie/watch. */
import assert from 'node:assert/strict'
import type { VectorKind } from '../vector.ts'
import { makeWorld, perform, type Operation } from './script.ts'

interface WatchCase {
  readonly name: string
  readonly watches: readonly string[]
  readonly before: readonly Operation[]
  readonly steps: readonly (Operation & {
    readonly start?: boolean
    readonly changes: readonly number[]
  })[]
}

export const kind: VectorKind = {
  name: 'trie/watch',
  *cases({ json }) {
    for (const each of json.cases as readonly WatchCase[]) {
      yield { name: each.name, run: () => check(each) }
    }
  },
}

async function check({ watches, before, steps }: WatchCase): Promise<void> {
  const { trie } = await makeWorld()
  for (const op of before) {
    // oxlint-disable-next-line no-await-in-loop
    await perform(trie, op)
  }
  let changes = watches.map(() => 0)
  const watchers = watches.map((prefix, i) =>
    trie.watch(prefix, () => {
      changes[i] = (changes[i] ?? 0) + 1
    }),
  )
  for (const step of steps) {
    // oxlint-disable-next-line no-await-in-loop
    if (!step.start) await perform(trie, step)
    // oxlint-disable-next-line no-await-in-loop
    await turn()
    assert.deepEqual(changes, step.changes, JSON.stringify(step))
    changes = watches.map(() => 0)
  }
  for (const watcher of watchers) watcher.destroy()
}

/** Until all that is in memory has been done. */
export async function turn(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setImmediate(resolve))
  }
}
