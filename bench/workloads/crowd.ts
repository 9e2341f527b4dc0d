/** Workload 12: one seeder, many readers. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pump } from '../network.ts'
import { H13, V10, VARVE, type Workload, faster, scaled, share } from '../workload.ts'
import { checkStream, chunks } from './drive-file.ts'

const NAME = '/big'
const BLOCK = 65_536

/** All in one process, joined by plain pipes. */
export const crowd: Workload = {
  number: 12,
  name: 'crowd',
  title: 'one seeder, many readers of one file, in one process',
  contenders: [VARVE, V10, H13],
  sizes: (scale, quick) => {
    const count = scaled(256, scale, quick, 4)
    const readers = quick ? 3 : 50
    return [{ label: `${count / 16} MiB, ${readers} readers`, parameters: { count, readers } }]
  },
  steps: [
    {
      name: 'fill',
      async drive(context) {
        const drive = await context.side.openDrive(context.path('source'))
        await pipeline(Readable.from(chunks(context.size('count'))), drive.writeStream(NAME))
        await drive.close()
      },
    },
    {
      name: 'crowd',
      async drive(context) {
        const count = context.size('count')
        const source = await context.side.openDrive(context.path('source'))
        const readers = await Promise.all(
          Array.from({ length: context.size('readers') }, (_, i) =>
            context.side.openDrive(context.path(`reader-${i}`), { key: source.key }),
          ),
        )
        const bytes = readers.length * count * BLOCK
        await context.time('crowd', { bytes }, () =>
          Promise.all(
            readers.map(async (reader) => {
              pump(reader.replicate(true), source.replicate(false))
              await reader.known()
              await reader.download(NAME)
            }),
          ),
        )
        // Before what is checked adds to it.
        context.note('crowd resident', process.resourceUsage().maxRSS / 1024)
        for (const reader of readers) {
          // oxlint-disable-next-line no-await-in-loop
          await checkStream(reader.readStream(NAME), count)
        }
        await Promise.all([source, ...readers].map((drive) => drive.close()))
      },
    },
  ],
  rows: [
    { figure: 'crowd', title: 'all together', unit: 'MiB/s', targets: [faster('v10', 2.4)] },
    {
      figure: 'crowd resident',
      title: 'peak resident',
      unit: 'MB',
      targets: [share('v10', 0.5)],
    },
  ],
}
