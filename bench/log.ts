/** One log in files: appending and reading, beside the bare write and the bare hash. */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Log } from '../src/log/index.ts'
import { leafHash } from '../src/merkle/index.ts'
import type { Bench } from './measure.ts'

/** Appends in batches and one by one, reads in order and scattered, opening a long log. */
export async function run(bench: Bench): Promise<void> {
  const count = bench.quick ? 100 : 10_000
  const few = count / 10
  const size = 1024
  await bench.compare(`append ${count} x 1 KiB, 1000 at a time`, {
    ours: () => withLog((log) => timed(() => appendAll(log, count, size, 1000))),
    v10: bench.v10?.('logAppend', { count, size, batch: 1000 }),
    limit: { name: 'bare hash + write', round: () => hashAndWrite(count, size, 1000) },
  })
  await bench.compare(`append ${few} x 1 KiB, one by one`, {
    ours: () => withLog((log) => timed(() => appendAll(log, few, size, 1))),
    v10: bench.v10?.('logAppend', { count: few, size, batch: 1 }),
    limit: { name: 'bare hash + write', round: () => hashAndWrite(few, size, 1) },
  })
  await bench.compare(`append ${few} x 64 KiB, 16 at a time`, {
    ours: () => withLog((log) => timed(() => appendAll(log, few, 65_536, 16))),
    v10: bench.v10?.('logAppend', { count: few, size: 65_536, batch: 16 }),
    limit: { name: 'bare hash + write', round: () => hashAndWrite(few, 65_536, 16) },
  })
  for (const random of [false, true]) {
    // oxlint-disable-next-line no-await-in-loop -- one bench after the other
    await bench.compare(`get ${few} x 1 KiB ${random ? 'scattered' : 'in order'}, from disk`, {
      ours: () => reopened(few, size, (log) => timed(() => getAll(log, few, random))),
      v10: bench.v10?.('logGet', { count: few, size, random }),
    })
  }
  await bench.compare(`open a log of ${count} blocks`, {
    ours: () => reopened(count, 16, () => Promise.resolve(), true),
  })
}

async function withLog<T>(work: (log: Log) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'varve-bench-'))
  const log = new Log(folder)
  await log.ready()
  const result = await work(log)
  await log.close()
  rmSync(folder, { recursive: true })
  return result
}

/** Fill a log, close it, open it again for `work`; with `opening` the time of that instead. */
async function reopened(
  count: number,
  size: number,
  work: (log: Log) => Promise<number | void>,
  opening = false,
): Promise<number | void> {
  const folder = mkdtempSync(join(tmpdir(), 'varve-bench-'))
  const first = new Log(folder)
  await appendAll(first, count, size, 1000)
  await first.close()
  const start = performance.now()
  const log = new Log(folder)
  await log.ready()
  const time = performance.now() - start
  const result = await work(log)
  await log.close()
  rmSync(folder, { recursive: true })
  return opening ? time : result
}

async function appendAll(log: Log, count: number, size: number, batch: number): Promise<void> {
  const block = new Uint8Array(size).fill(7)
  for (let at = 0; at < count; at += batch) {
    // oxlint-disable-next-line no-await-in-loop -- one batch after the other
    await log.append(Array.from({ length: Math.min(batch, count - at) }, () => block))
  }
}

async function getAll(log: Log, count: number, random: boolean): Promise<void> {
  for (let i = 0; i < count; i++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as v10's side
    await log.get(random ? (i * 7919) % count : i)
  }
}

function hashAndWrite(count: number, size: number, batch: number): number {
  const folder = mkdtempSync(join(tmpdir(), 'varve-bench-'))
  const block = new Uint8Array(size).fill(7)
  const joined = new Uint8Array(size * batch).fill(7)
  const start = performance.now()
  const fd = openSync(join(folder, 'data'), 'w')
  for (let at = 0; at < count; at += batch) {
    for (let i = 0; i < batch; i++) leafHash(block)
    writeSync(fd, joined)
  }
  closeSync(fd)
  const time = performance.now() - start
  rmSync(folder, { recursive: true })
  return time
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
