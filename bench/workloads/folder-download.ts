/** Workload 9: many small files over a socket. */
import type { StepContext } from '../context.ts'
import { check, files, nameOf } from '../material.ts'
import { dial, listen } from '../network.ts'
import type { DriveSide } from '../sides/side.ts'
import {
  H13,
  type Step,
  V10,
  VARVE,
  VARVE_BATCH,
  type Workload,
  faster,
  scaled,
} from '../workload.ts'

const BYTES = 1024

async function serve(context: StepContext): Promise<void> {
  const drive = await context.side.openDrive(context.path('source'))
  const { port } = await listen(() => drive.replicate(false))
  await context.serving({ port, key: Buffer.from(drive.key).toString('hex') })
}

/** A step that fetches all files by `work`, then reads them with nobody there. */
function fetchBy(name: string, work: (drive: DriveSide) => Promise<void>): Step {
  return {
    name,
    serve,
    async drive(context) {
      const count = context.size('files')
      const { port, key } = context.offer as { port: number; key: string }
      const options = { key: Buffer.from(key, 'hex') }
      const drive = await context.side.openDrive(context.path(name), options)
      const hangUp = await context.time(name, { count }, async () => {
        const hangUp = dial(port, drive.replicate(true))
        await drive.known()
        await work(drive)
        return hangUp
      })
      hangUp()
      await drive.close()
      const again = await context.side.openDrive(context.path(name), options)
      for (let i = 0; i < count; i++) {
        // oxlint-disable-next-line no-await-in-loop
        check(await again.readFile(nameOf(i, count)), i, BYTES)
      }
      await again.close()
    },
  }
}

/** By its folder, and by all blocks of both logs. */
export const folderDownload: Workload = {
  number: 9,
  name: 'folder-download',
  title: 'files of 1 KiB over loopback TCP: folder download; all blocks',
  contenders: [VARVE, V10, VARVE_BATCH, H13],
  sizes: (scale, quick) => {
    const count = 100 * scaled(100, scale, quick, 2)
    return [{ label: `${count} files`, parameters: { files: count } }]
  },
  steps: [
    {
      name: 'fill',
      async drive(context) {
        const drive = await context.side.openDrive(context.path('source'))
        await drive.writeFiles(files(context.size('files'), BYTES))
        await drive.close()
      },
    },
    fetchBy('folder', (drive) => drive.download('/')),
    fetchBy('blocks', (drive) => drive.downloadBlocks()),
  ],
  rows: [
    { figure: 'folder', title: 'folder, a file', unit: 'µs', targets: [faster('v10', 5)] },
    { figure: 'blocks', title: 'all blocks, a file', unit: 'µs', targets: [faster('v10', 4)] },
  ],
}
