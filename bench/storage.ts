/** Storage: what a write and a read through an adapter cost beside the bare system call. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileStorage, MemoryStorage, type RandomAccess } from '../src/storage/index.ts'
import type { Bench } from './measure.ts'

const BLOCK = 64 * 1024

/** Write and read a file in blocks, with the file adapter and in memory. */
export async function run(bench: Bench): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'varve-bench-'))
  const blocks = bench.quick ? 16 : 512
  const title = `${(blocks * BLOCK) / 1024 / 1024} MiB in blocks of 64 KiB`
  const block = new Uint8Array(BLOCK).fill(7)
  const bare = join(folder, 'bare')
  const file = new FileStorage(join(folder, 'ours'))
  const memory = new MemoryStorage()
  try {
    await bench.compare(`file: write ${title}`, {
      ours: () => writeAll(file, block, blocks),
      limit: { name: 'bare write', round: () => bareWrite(bare, block, blocks) },
    })
    await bench.compare(`file: read ${title}`, {
      ours: () => readAll(file, blocks),
      limit: { name: 'bare read', round: () => bareRead(bare, blocks) },
    })
    const copies = new Uint8Array(blocks * BLOCK)
    await bench.compare(`memory: write ${title}`, {
      ours: () => writeAll(memory, block, blocks),
      limit: {
        name: 'bare copy',
        round: () => {
          for (let i = 0; i < blocks; i++) copies.set(block, i * BLOCK)
        },
      },
    })
  } finally {
    await file.close()
    await memory.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function writeAll(storage: RandomAccess, block: Uint8Array, blocks: number): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one after the other, as the bare side
  for (let i = 0; i < blocks; i++) await storage.write(i * BLOCK, block)
}

async function readAll(storage: RandomAccess, blocks: number): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop
  for (let i = 0; i < blocks; i++) await storage.read(i * BLOCK, BLOCK)
}

function bareWrite(path: string, block: Uint8Array, blocks: number): void {
  const fd = openSync(path, 'w')
  for (let i = 0; i < blocks; i++) writeSync(fd, block, 0, BLOCK, i * BLOCK)
  closeSync(fd)
}

function bareRead(path: string, blocks: number): void {
  const block = new Uint8Array(BLOCK)
  const fd = openSync(path, 'r')
  for (let i = 0; i < blocks; i++) readSync(fd, block, 0, BLOCK, i * BLOCK)
  closeSync(fd)
}
