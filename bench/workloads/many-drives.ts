/** Workload 11: many drives in one process. */
import { readdirSync } from 'node:fs'
import type { StepContext } from '../context.ts'
import type { DriveSide, DrivesSide } from '../sides/side.ts'
import { H13, type Step, V10, VARVE, type Workload, faster, scaled } from '../workload.ts'

const NAME = '/name'

/** Create or open every drive, note the cost, and what an open drive holds. */
function openAll(name: string, work: (drive: DriveSide, i: number) => Promise<void>): Step {
  return {
    name,
    async drive(context) {
      const count = context.size('drives')
      const drives = await context.side.openDrives(context.path('drives'))
      const before = resident()
      const open = await context.time(name, { count }, () => opened(drives, count, work))
      context.note(`${name} resident`, (resident() - before) / count)
      noteDescriptors(context, name)
      for (const [i, drive] of open.entries()) {
        // oxlint-disable-next-line no-await-in-loop
        const bytes = await drive.readFile(NAME)
        if (Buffer.from(bytes).toString() !== `drive ${i}`) throw new Error('another drive')
      }
      // oxlint-disable-next-line no-await-in-loop
      for (const drive of open) await drive.close()
      await drives.close()
    },
  }
}

async function opened(
  drives: DrivesSide,
  count: number,
  work: (drive: DriveSide, i: number) => Promise<void>,
): Promise<DriveSide[]> {
  const open: DriveSide[] = []
  for (let i = 0; i < count; i++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const drive = await drives.open(i)
    // oxlint-disable-next-line no-await-in-loop
    await work(drive, i)
    open.push(drive)
  }
  return open
}

/** Resident memory in KB, with what is garbage gone. */
function resident(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  return process.memoryUsage.rss() / 1024
}

function noteDescriptors(context: StepContext, name: string): void {
  if (process.platform !== 'linux') return
  context.note(`${name} descriptors`, readdirSync('/proc/self/fd').length)
}

/** A thousand at full size. */
export const manyDrives: Workload = {
  number: 11,
  name: 'many-drives',
  title: 'drives created (with one file) and opened in one process',
  contenders: [VARVE, V10, H13],
  sizes: (scale, quick) =>
    (quick ? [20] : [100, 1000].map((count) => scaled(count, scale, false, 20)))
      .filter((count, i, all) => all.indexOf(count) === i)
      .map((count) => ({ label: `${count} drives`, parameters: { drives: count } })),
  steps: [
    openAll('create', (drive, i) => drive.writeFile(NAME, Buffer.from(`drive ${i}`))),
    openAll('open', () => Promise.resolve()),
  ],
  rows: [
    { figure: 'create', title: 'create, each', unit: 'ms', targets: [faster('h13', 5)] },
    { figure: 'open', title: 'open, each', unit: 'ms', targets: [faster('h13', 3)] },
    {
      figure: 'open resident',
      title: 'resident, an open drive',
      unit: 'KB',
      targets: [{ type: 'most', most: 60 }],
    },
    {
      figure: 'create resident',
      title: 'resident, a created one',
      unit: 'KB',
    },
    {
      figure: 'open descriptors',
      title: 'descriptors in all',
      unit: '',
      targets: [{ type: 'most', most: 1024 }],
    },
  ],
  growth: [
    { figure: 'create', title: 'creating a drive', unit: 'ms' },
    { figure: 'open', title: 'opening a drive', unit: 'ms' },
    { figure: 'open resident', title: 'resident memory of an open drive', unit: 'KB' },
  ],
}
