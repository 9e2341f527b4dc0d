/** Storage: what a write and a read through an adapter cost beside the bare system call. */
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FilePool, FileStorage, MemoryStorage, type RandomAccess } from '../src/storage/index.ts'
import type { Bench } from './measure.ts'

const LARGE = 64 * 1024
const SMALL = 40
/** Operations under way at a time, where they need not wait for each other. */
const AT_ONCE = 16

/** Write and read a file in large and small pieces, with the file adapter and in memory. */
export async function run(bench: Bench): Promise<void> {
  const folder = fs.mkdtempSync(join(tmpdir(), 'varve-bench-'))
  try {
    await benchLarge(bench, folder, bench.quick ? 16 : 512)
    await benchSmall(bench, folder, bench.quick ? 100 : 5000)
    await benchMany(bench, folder, bench.quick ? 50 : 1000)
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

/** Against blocking calls: all that the machine can do. */
async function benchLarge(bench: Bench, folder: string, blocks: number): Promise<void> {
  const title = `${(blocks * LARGE) / 1024 / 1024} MiB in blocks of 64 KiB`
  const block = new Uint8Array(LARGE).fill(7)
  const file = new FileStorage(join(folder, 'large'))
  const memory = new MemoryStorage()
  const fd = fs.openSync(join(folder, 'large-bare'), 'w+')
  const copies = new Uint8Array(blocks * LARGE)
  await bench.compare(`file: write ${title}`, {
    ours: () => writeAll(file, block, blocks),
    limit: {
      name: 'bare write',
      round: () => {
        for (let i = 0; i < blocks; i++) fs.writeSync(fd, block, 0, LARGE, i * LARGE)
      },
    },
  })
  await bench.compare(`file: read ${title}`, {
    ours: () => readAll(file, LARGE, blocks),
    limit: {
      name: 'bare read',
      round: () => {
        for (let i = 0; i < blocks; i++) fs.readSync(fd, block, 0, LARGE, i * LARGE)
      },
    },
  })
  await bench.compare(`memory: write ${title}`, {
    ours: () => writeAll(memory, block, blocks),
    limit: {
      name: 'bare copy',
      round: () => {
        for (let i = 0; i < blocks; i++) copies.set(block, i * LARGE)
      },
    },
  })
  fs.closeSync(fd)
  await file.close()
}

/** Against the bare calls with a callback: what the adapter itself adds. */
async function benchSmall(bench: Bench, folder: string, count: number): Promise<void> {
  const bytes = new Uint8Array(SMALL).fill(7)
  const file = new FileStorage(join(folder, 'small'))
  const fd = fs.openSync(join(folder, 'small-bare'), 'w+')
  await bench.compare(`file: write ${count} x ${SMALL} B`, {
    ours: () => writeAll(file, bytes, count),
    limit: {
      name: 'fs.write',
      round: () => each(count, (i, done) => fs.write(fd, bytes, 0, SMALL, i * SMALL, done)),
    },
  })
  await bench.compare(`file: read ${count} x ${SMALL} B`, {
    ours: () => readAll(file, SMALL, count),
    limit: {
      name: 'fs.read',
      round: () => each(count, (i, done) => fs.read(fd, bytes, 0, SMALL, i * SMALL, done)),
    },
  })
  await bench.compare(`file: read ${count} x ${SMALL} B, ${AT_ONCE} at once`, {
    ours: () => readAll(file, SMALL, count, AT_ONCE),
    limit: {
      name: 'fs.read',
      round: async () => {
        const share = count / AT_ONCE
        const start = (k: number): Promise<void> =>
          each(share, (i, done) =>
            fs.read(fd, bytes, 0, SMALL, Math.floor(k * share + i) * SMALL, done),
          )
        await Promise.all(Array.from({ length: AT_ONCE }, (_, k) => start(k)))
      },
    },
  })
  fs.closeSync(fd)
  await file.close()
}

/** What it costs when there are more files than descriptors. */
async function benchMany(bench: Bench, folder: string, count: number): Promise<void> {
  const bytes = new Uint8Array(SMALL).fill(7)
  const open = (limit: number): FileStorage[] => {
    const pool = new FilePool(limit)
    return Array.from(
      { length: count },
      (_, i) => new FileStorage(join(folder, `${limit}-${i}`), { pool }),
    )
  }
  const [few, all] = [open(64), open(count)]
  const touch = async (files: readonly FileStorage[]): Promise<void> => {
    for (const file of files) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
      await file.write(0, bytes)
    }
  }
  await bench.compare(`files: write to each of ${count}, 64 open`, {
    ours: () => touch(few),
    limit: { name: 'all open', round: () => touch(all) },
  })
  await Promise.all([...few, ...all].map((file) => file.close()))
}

async function writeAll(storage: RandomAccess, bytes: Uint8Array, count: number): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one after the other, as the bare side
  for (let i = 0; i < count; i++) await storage.write(i * bytes.length, bytes)
}

async function readAll(
  storage: RandomAccess,
  size: number,
  count: number,
  atOnce = 1,
): Promise<void> {
  const share = count / atOnce
  const readShare = async (k: number): Promise<void> => {
    // oxlint-disable-next-line no-await-in-loop
    for (let i = 0; i < share; i++) await storage.read(Math.floor(k * share + i) * size, size)
  }
  await Promise.all(Array.from({ length: atOnce }, (_, k) => readShare(k)))
}

/** Calls one after the other, each begun in the callback of the one before. */
function each(
  count: number,
  call: (i: number, done: (error: Error | null) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let i = 0
    const next = (error: Error | null): void => {
      if (error) reject(error)
      else if (i >= count) resolve()
      else call(i++, next)
    }
    next(null)
  })
}
