/** Workloads 6 and 7, and the first half of 16: many small files, and what can be asked of them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { readFile, readdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { StepContext } from '../context.ts'
import { MinimalLog } from '../minimal-log.ts'
import { bytesOf, check, files, nameOf } from '../material.ts'
import type { DriveSide } from '../sides/side.ts'
import {
  FS,
  H13,
  MINIMAL,
  type Step,
  V10,
  VARVE,
  VARVE_BATCH,
  VARVE_SYNC,
  type Workload,
  faster,
  scaled,
  share,
} from '../workload.ts'

const BYTES = 1024
const READERS = ['varve', 'v10', 'h13', 'fs']

const importing: Step = {
  name: 'import',
  disk: true,
  async drive(context) {
    const count = context.size('files')
    const drive = await context.side.openDrive(context.path('drive'))
    await context.time('import', { count }, async () => {
      await drive.writeFiles(files(count, BYTES))
      await drive.close()
    })
    context.note('import peak', process.resourceUsage().maxRSS / 1024)
  },
  async fs(context) {
    const count = context.size('files')
    const root = context.path('files')
    await context.time('import', { count }, () => {
      let last = ''
      for (const { path, bytes } of files(count, BYTES)) {
        const folder = root + dirname(path)
        if (folder !== last) mkdirSync(folder, { recursive: true })
        last = folder
        writeFileSync(root + path, bytes)
      }
    })
  },
  // Content in large runs, and one entry of 100 bytes a file: two hashes each, and next to no signatures.
  async minimal(context) {
    const count = context.size('files')
    await context.time('import', { count }, () => {
      const content = new MinimalLog(context.path('content'))
      const metadata = new MinimalLog(context.path('metadata'))
      for (let at = 0; at < count; at += 1000) {
        const length = Math.min(1000, count - at)
        const run = Array.from({ length }, (_, i) => bytesOf(at + i, BYTES))
        content.append(run)
        metadata.append(run.map((bytes) => bytes.subarray(0, 100)))
      }
      content.close()
      metadata.close()
    })
  },
}

/** Open, and how long until the first answer. */
async function opened(context: StepContext): Promise<DriveSide> {
  const count = context.size('files')
  return context.time('open', undefined, async () => {
    const drive = await context.side.openDrive(context.path('drive'))
    await drive.stat(nameOf(count >> 1, count))
    return drive
  })
}

async function each(count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one at a time is the job
  for (let i = 0; i < count; i++) await work(i)
}

const stats: Step = {
  name: 'stat',
  only: READERS,
  async drive(context) {
    const count = context.size('files')
    const drive = await opened(context)
    for (const pass of ['first', 'second']) {
      // oxlint-disable-next-line no-await-in-loop
      await context.time(`stat, ${pass} pass`, { count }, () =>
        each(count, (i) => drive.stat(nameOf(i, count))),
      )
    }
    await each(count, async (i) => {
      if ((await drive.stat(nameOf(i, count))) !== BYTES) throw new Error('a size is wrong')
    })
    await drive.close()
  },
  async fs(context) {
    const count = context.size('files')
    const root = context.path('files')
    for (const pass of ['first', 'second']) {
      // oxlint-disable-next-line no-await-in-loop
      await context.time(`stat, ${pass} pass`, { count }, () =>
        each(count, (i) => stat(root + nameOf(i, count))),
      )
    }
  },
}

const reading: Step = {
  name: 'readFile',
  only: READERS,
  async drive(context) {
    const count = context.size('files')
    const drive = await context.side.openDrive(context.path('drive'))
    await context.time('readFile', { count }, () =>
      each(count, (i) => drive.readFile(nameOf(i, count))),
    )
    for (let i = 0; i < count; i += 7) {
      // oxlint-disable-next-line no-await-in-loop
      check(await drive.readFile(nameOf(i, count)), i, BYTES)
    }
    await drive.close()
  },
  async fs(context) {
    const count = context.size('files')
    const root = context.path('files')
    await context.time('readFile', { count }, () =>
      each(count, (i) => readFile(root + nameOf(i, count))),
    )
  },
}

const listingAll: Step = {
  name: 'list all',
  only: READERS,
  async drive(context) {
    const count = context.size('files')
    const drive = await context.side.openDrive(context.path('drive'))
    const names = await context.time('list all', { count }, () => drive.list('/', true))
    const found = names.filter((name) => name.includes('file-')).length
    if (found !== count) throw new Error(`${found} of ${count} files are listed`)
    await drive.close()
  },
  async fs(context) {
    const count = context.size('files')
    await context.time('list all', { count }, () =>
      readdir(context.path('files'), { recursive: true }),
    )
  },
}

const FOLDERS = 20

const listingOne: Step = {
  name: 'list one',
  only: READERS,
  async drive(context) {
    const count = context.size('files')
    const drive = await context.side.openDrive(context.path('drive'))
    await drive.stat(nameOf(0, count))
    let found = 0
    await context.time('list one', { count: FOLDERS }, async () => {
      for (let i = 0; i < FOLDERS; i++) {
        // oxlint-disable-next-line no-await-in-loop -- one folder after the other
        found += (await drive.list(`/folder-${i * 3}`, false)).length
      }
    })
    if (found !== FOLDERS * (count / 100)) throw new Error(`${found} entries are listed`)
    await drive.close()
  },
  async fs(context) {
    await context.time('list one', { count: FOLDERS }, () =>
      each(FOLDERS, (i) => readdir(context.path(`files/folder-${i * 3}`))),
    )
  },
}

const writing: Step = {
  name: 'write',
  async drive(context) {
    const drive = await context.side.openDrive(context.path('drive'))
    const count = context.size('writes')
    await context.time('write', { count }, () =>
      each(count, (i) => drive.writeFile(`/folder-5/new-${i}`, bytesOf(i, BYTES))),
    )
    for (let i = 0; i < count; i++) {
      // oxlint-disable-next-line no-await-in-loop
      check(await drive.readFile(`/folder-5/new-${i}`), i, BYTES)
    }
    await drive.close()
  },
}

const SIZES = [1000, 10_000, 100_000]

/** Import files of 1 KiB into 100 folders, then use the drive. */
export const smallFiles: Workload = {
  number: 6,
  also: [7, 16],
  name: 'drive-files',
  title: '6, 7, 16: import files of 1 KiB; open, stat, read, list, write on',
  contenders: [VARVE, V10, FS, MINIMAL, VARVE_BATCH, VARVE_SYNC, H13],
  sizes: (scale, quick) =>
    (quick ? [200] : SIZES.map((size) => 100 * scaled(size / 100, scale, false, 5)))
      .filter((size, i, all) => all.indexOf(size) === i)
      .map((count) => ({
        label: `${count} files`,
        parameters: { files: count, writes: quick ? 10 : 300 },
      })),
  steps: [importing, stats, reading, listingAll, listingOne, writing],
  rows: [
    {
      figure: 'import',
      title: '6 import, a file',
      unit: 'µs',
      targets: [faster('v10', 7), faster('fs', 2)],
    },
    {
      figure: 'import peak',
      title: '6 import: resident',
      unit: 'MB',
      targets: [{ type: 'most', most: 150 }],
    },
    { figure: 'import disk', title: '16 on disk', unit: 'MB', targets: [share('v10', 1)] },
    {
      figure: 'open',
      title: '7 open and first stat',
      unit: 'ms',
      targets: [share('v10', 0.4)],
    },
    {
      figure: 'stat, first pass',
      title: '7 stat, first pass',
      unit: 'µs',
      targets: [faster('v10', 3)],
    },
    {
      figure: 'stat, second pass',
      title: '7 stat, second pass',
      unit: 'µs',
      targets: [faster('v10', 3)],
    },
    { figure: 'readFile', title: '7 readFile', unit: 'µs', targets: [faster('v10', 3)] },
    {
      figure: 'list all',
      title: '7 list all, a file',
      unit: 'µs',
      targets: [faster('v10', 6)],
    },
    {
      figure: 'list one',
      title: '7 list one folder of N/100',
      unit: 'ms',
      targets: [faster('v10', 10)],
      at: ['100000 files'],
    },
    { figure: 'write', title: '7 one more write', unit: 'µs', targets: [faster('v10', 3)] },
  ],
  growth: [
    { figure: 'import', title: 'importing a file', unit: 'µs', most: 'log' },
    { figure: 'open', title: 'open and first stat', unit: 'ms', most: 'flat' },
    { figure: 'stat, first pass', title: 'stat, first pass', unit: 'µs', most: 'log' },
    { figure: 'stat, second pass', title: 'stat, second pass', unit: 'µs', most: 'log' },
    { figure: 'readFile', title: 'readFile', unit: 'µs', most: 'log' },
    { figure: 'list all', title: 'listing, a file', unit: 'µs', most: 'log' },
    { figure: 'write', title: 'one more write', unit: 'µs', most: 'log' },
  ],
}
