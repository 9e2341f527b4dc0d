/** The trie: puts, lookups, listings and differences, on logs in files. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Log } from '../src/log/index.ts'
import { openFolder } from '../src/storage/index.ts'
import { Trie } from '../src/trie/index.ts'
import type { Bench } from './measure.ts'

const VALUE = new Uint8Array(32).fill(7)

/** One batch, single puts, lookups from memory and from disk, a whole listing, a directory, a diff. */
export async function run(bench: Bench): Promise<void> {
  const count = bench.quick ? 100 : 10_000
  const few = count / 10
  const v10 = (
    job: string,
    parameters: Record<string, unknown>,
  ): ReturnType<NonNullable<Bench['v10']>> | undefined => bench.v10?.(job, parameters)
  await bench.compare(`put ${count} keys in batches of 1000`, {
    ours: () => withTrie((trie) => timed(() => putAll(trie, count, 1000))),
    v10: v10('triePut', { count, batch: 1000 }),
    limit: {
      name: 'bare append',
      round: () => withLog((log) => timed(() => appendAll(log, count, 1000))),
    },
  })
  await bench.compare(`put ${few} keys one by one`, {
    ours: () => withTrie((trie) => timed(() => putAll(trie, few, 1))),
    v10: v10('triePut', { count: few, batch: 1 }),
    limit: {
      name: 'bare append',
      round: () => withLog((log) => timed(() => appendAll(log, few, 1))),
    },
  })
  await bench.compare(`get each of ${count} keys`, {
    ours: () =>
      withFilled(count, (trie) =>
        timed(async () => {
          // oxlint-disable-next-line no-await-in-loop -- one lookup after the other is the job
          for (let i = 0; i < count; i++) await trie.get(keyOf(i))
        }),
      ),
    v10: v10('trieGet', { count }),
  })
  await bench.compare(`iterate over ${count} keys`, {
    ours: () => withFilled(count, (trie) => timed(() => trie.list(''))),
    v10: v10('trieIterate', { count }),
  })
  await bench.compare(`list one directory of ${count / 100} in ${count} keys, from disk`, {
    ours: () =>
      withReopened(count, (trie) => timed(() => trie.list('dir-7', { recursive: false }))),
  })
  await bench.compare(`diff of 10 changes in ${count} keys`, {
    ours: () =>
      withFilled(count, async (trie) => {
        const { version } = trie
        for (let i = 0; i < 10; i++) {
          // oxlint-disable-next-line no-await-in-loop
          await trie.put(keyOf(i * 7), VALUE)
        }
        return timed(() => trie.diff(version).collect())
      }),
  })
}

function keyOf(i: number): string {
  return `dir-${i % 100}/file-${i}`
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

async function putAll(trie: Trie, count: number, batch: number): Promise<void> {
  for (let at = 0; at < count; at += batch) {
    const length = Math.min(batch, count - at)
    if (batch === 1) {
      // oxlint-disable-next-line no-await-in-loop
      await trie.put(keyOf(at), VALUE)
      continue
    }
    const operations = Array.from({ length }, (_, i) => ({ key: keyOf(at + i), value: VALUE }))
    // oxlint-disable-next-line no-await-in-loop
    await trie.batch(operations)
  }
}

async function appendAll(log: Log, count: number, batch: number): Promise<void> {
  const block = new Uint8Array(90).fill(7) // about what a node takes
  for (let at = 0; at < count; at += batch) {
    // oxlint-disable-next-line no-await-in-loop
    await log.append(Array.from({ length: Math.min(batch, count - at) }, () => block))
  }
}

async function withLog(work: (log: Log) => Promise<number>): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'varve-bench-'))
  const log = new Log(openFolder(folder))
  await log.ready()
  try {
    return await work(log)
  } finally {
    await log.close()
    rmSync(folder, { recursive: true })
  }
}

function withTrie(work: (trie: Trie) => Promise<number>): Promise<number> {
  return withLog(async (log) => {
    const trie = new Trie(log)
    await trie.ready()
    return work(trie)
  })
}

function withFilled(count: number, work: (trie: Trie) => Promise<number>): Promise<number> {
  return withTrie(async (trie) => {
    await putAll(trie, count, 1000)
    return work(trie)
  })
}

/** As `withFilled`, by a trie with nothing in memory. */
async function withReopened(count: number, work: (trie: Trie) => Promise<number>): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'varve-bench-'))
  const first = new Log(openFolder(folder))
  await putAll(new Trie(first), count, 1000)
  await first.close()
  const log = new Log(openFolder(folder))
  try {
    return await work(new Trie(log))
  } finally {
    await log.close()
    rmSync(folder, { recursive: true })
  }
}
