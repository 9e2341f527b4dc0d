/** The drive in a folder: writing, reading and listing files, beside a plain folder of the system. */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Drive } from '../src/index.ts'
import type { Bench } from './measure.ts'

/** Small and large files, one folder of many. */
export async function run(bench: Bench): Promise<void> {
  for (const [files, size] of [
    [1000, 1000],
    [20, 4 * 1024 * 1024],
  ] as const) {
    const count = bench.quick ? Math.ceil(files / 20) : files
    const title = `${count} files of ${size < 1024 ? `${size} B` : `${Math.round(size / 1024)} KiB`}`
    // oxlint-disable-next-line no-await-in-loop -- one bench after the other
    await bench.compare(`write ${title}`, {
      ours: () => withDrive((drive) => timed(() => writeAll(drive, count, size))),
      v10: bench.v10?.('driveWrite', { count, size }),
      limit: { name: 'plain folder', round: () => plainFolder(count, size).write },
    })
    // oxlint-disable-next-line no-await-in-loop
    await bench.compare(`read ${title}`, {
      ours: () =>
        withDrive(async (drive) => {
          await writeAll(drive, count, size)
          return timed(() => readAll(drive, count))
        }),
      v10: bench.v10?.('driveRead', { count, size }),
      limit: { name: 'plain folder', round: () => plainFolder(count, size).read },
    })
  }
  const count = bench.quick ? 100 : 1000
  await bench.compare(`list a folder of 100, in ${count}, 20 times`, {
    ours: () =>
      withDrive(async (drive) => {
        await writeAll(drive, count, 10)
        return timed(async () => {
          // oxlint-disable-next-line no-await-in-loop
          for (let i = 0; i < 20; i++) await drive.readdir('/folder-0')
        })
      }),
    v10: bench.v10?.('driveList', { count, times: 20 }),
    limit: { name: 'plain folder', round: () => plainFolder(100, 10, 20).list },
  })
  await bench.compare(`write ${count} files of 1000 B at once`, {
    ours: () => withDrive((drive) => timed(() => writeAtOnce(drive, count, 1000))),
    v10: bench.v10?.('driveWriteAtOnce', { count, size: 1000 }),
    limit: { name: 'plain folder', round: () => plainFolder(count, 1000).write },
  })
  await bench.compare(`stat each of ${count} files`, {
    ours: () =>
      withDrive(async (drive) => {
        await writeAtOnce(drive, count, 10)
        return timed(() => statAll(drive, count))
      }),
    v10: bench.v10?.('driveStat', { count }),
  })
  await bench.compare(`stat each of ${count} files, just opened`, {
    ours: () => withReopened(count, (drive) => timed(() => statAll(drive, count))),
    v10: bench.v10?.('driveStatOpened', { count }),
  })
  await bench.compare(`list all ${count} files, just opened`, {
    ours: () =>
      withReopened(count, (drive) =>
        timed(async () => void (await drive.readdir('/', { recursive: true }))),
      ),
    v10: bench.v10?.('driveListAll', { count }),
  })
}

/** A drive of `count` small files, closed and opened again: nothing is in memory. */
async function withReopened(
  count: number,
  work: (drive: Drive) => Promise<number>,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'varve-bench-'))
  const first = new Drive(folder)
  await writeAtOnce(first, count, 10)
  await first.close()
  const drive = new Drive(folder)
  await drive.ready()
  const result = await work(drive)
  await drive.close()
  rmSync(folder, { recursive: true })
  return result
}

async function withDrive(work: (drive: Drive) => Promise<number>): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'varve-bench-'))
  const drive = new Drive(folder)
  await drive.ready()
  const result = await work(drive)
  await drive.close()
  rmSync(folder, { recursive: true })
  return result
}

function fileOf(i: number): string {
  return `/folder-${Math.floor(i / 100)}/file-${i}`
}

async function writeAll(drive: Drive, count: number, size: number): Promise<void> {
  const bytes = new Uint8Array(size).fill(7)
  // oxlint-disable-next-line no-await-in-loop -- one after the other, as v10's side
  for (let i = 0; i < count; i++) await drive.writeFile(fileOf(i), bytes)
}

async function writeAtOnce(drive: Drive, count: number, size: number): Promise<void> {
  const bytes = new Uint8Array(size).fill(7)
  await Promise.all(Array.from({ length: count }, (_, i) => drive.writeFile(fileOf(i), bytes)))
}

async function statAll(drive: Drive, count: number): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop
  for (let i = 0; i < count; i++) await drive.stat(fileOf(i))
}

async function readAll(drive: Drive, count: number): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop
  for (let i = 0; i < count; i++) await drive.readFile(fileOf(i))
}

/** The same files by the system alone. */
function plainFolder(
  count: number,
  size: number,
  times = 1,
): { write: number; read: number; list: number } {
  const folder = mkdtempSync(join(tmpdir(), 'varve-bench-'))
  const bytes = new Uint8Array(size).fill(7)
  const started = performance.now()
  for (let i = 0; i < count; i++) {
    if (i % 100 === 0) mkdirSync(join(folder, fileOf(i), '..'))
    writeFileSync(join(folder, fileOf(i)), bytes)
  }
  const written = performance.now()
  for (let i = 0; i < count; i++) readFileSync(join(folder, fileOf(i)))
  const read = performance.now()
  for (let i = 0; i < times; i++) readdirSync(join(folder, '/folder-0'))
  const listed = performance.now()
  rmSync(folder, { recursive: true })
  return { write: written - started, read: read - written, list: listed - read }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
