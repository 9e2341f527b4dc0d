/**
 * Watchers across mounts: trie/mount-watch.
 *
 * The original looks into a mounted trie only when the watched path is as long as the mountpoint, and
 * never into later mounts (Q21). Ours watches every mounted trie at the mapped path, so where mounts
 * are at or around the path it may tell more, never less; elsewhere exactly the same.
 */
import assert from 'node:assert/strict'
import { fromHex } from '../../../src/bytes.ts'
import type { VectorKind } from '../vector.ts'
import { MountWorld } from './mounts.ts'
import { turn } from './watch.ts'

interface WatchStep {
  readonly op?: 'put' | 'del' | 'mount' | 'unmount'
  readonly start?: boolean
  readonly trie: number
  readonly path: string
  readonly value?: string
  readonly target?: number
  readonly changes: readonly number[]
}

interface WatchCase {
  readonly name: string
  readonly tries: number
  readonly watcherTrie: number
  readonly watches: readonly string[]
  readonly before: readonly WatchStep[]
  readonly steps: readonly WatchStep[]
}

export const kind: VectorKind = {
  name: 'trie/mount-watch',
  *cases({ json }) {
    for (const each of json.cases as readonly WatchCase[]) {
      yield { name: each.name, run: () => check(each) }
    }
  },
}

async function check({ tries, watcherTrie, watches, before, steps }: WatchCase): Promise<void> {
  const keys = Array.from({ length: tries }, (_, i) => new Uint8Array(32).fill(i + 1))
  const world = new MountWorld(keys)
  await world.ready()
  const mounted: string[] = []
  const perform = async (step: WatchStep): Promise<void> => {
    const trie = world.trie(step.trie)
    const value = step.value === undefined ? null : fromHex(step.value)
    if (step.op === 'put') await trie.put(step.path, value)
    else if (step.op === 'del') await trie.del(step.path)
    else if (step.op === 'unmount') await trie.unmount(step.path)
    else if (step.op === 'mount') {
      await trie.mount(step.path, world.key(step.target ?? 0))
      if (step.trie === watcherTrie) mounted.push(step.path)
    }
  }
  // oxlint-disable-next-line no-await-in-loop
  for (const step of before) await perform(step)
  const changes = watches.map(() => 0)
  const watchers = watches.map((path, i) =>
    world.trie(watcherTrie).watch(path, () => {
      changes[i] = (changes[i] ?? 0) + 1
    }),
  )
  for (const step of steps) {
    // oxlint-disable-next-line no-await-in-loop
    if (!step.start) await perform(step)
    // oxlint-disable-next-line no-await-in-loop
    for (let i = 0; i < 5; i++) await turn()
    watches.forEach((path, i) => {
      const [got = 0, want = 0] = [changes[i], step.changes[i]]
      const what = `${path}: ${JSON.stringify(step)}, got ${got}`
      const sees = mounted.some(
        (point) =>
          `${point}/`.startsWith(path === '' ? '' : `${path}/`) ||
          `${path}/`.startsWith(`${point}/`),
      )
      if (sees) assert.ok(got >= want, what)
      else assert.equal(got, want, what)
      changes[i] = 0
    })
  }
  for (const watcher of watchers) watcher.destroy()
}
