/** Workload 10: reads over a slow line, counted in round trips. */
import type { StepContext } from '../context.ts'
import { bytesOf, check } from '../material.ts'
import { dial, listen, slowLine } from '../network.ts'
import { H13, V10, VARVE, type Workload, scaled } from '../workload.ts'

const BYTES = 1024
const ROUND_TRIP_MS = 50
/** Files in one folder. */
const FOLDER = 300

const name = (i: number): string => `/folder-${Math.floor(i / FOLDER)}/file-${i}`

/** Note how many round trips `work` took: its time over that of one. */
async function roundTrips<T>(
  context: StepContext,
  figure: string,
  work: () => Promise<T>,
): Promise<T> {
  const start = performance.now()
  const result = await work()
  context.note(figure, (performance.now() - start) / ROUND_TRIP_MS)
  return result
}

async function serve(context: StepContext): Promise<void> {
  const drive = await context.side.openDrive(context.path('source'))
  await drive.stat(name(0))
  const direct = await listen(() => drive.replicate(false))
  const { port } = await slowLine(direct.port, ROUND_TRIP_MS / 2)
  await context.serving({ port, key: Buffer.from(drive.key).toString('hex') })
}

/** A reader that has nothing yet. */
async function reader(context: StepContext, folder: string) {
  const { port, key } = context.offer as { port: number; key: string }
  const options = { key: Buffer.from(key, 'hex') }
  const drive = await context.side.openDrive(context.path(folder), options)
  return { drive, connect: (): (() => void) => dial(port, drive.replicate(true)) }
}

/** Cold sparse reads. */
export const latency: Workload = {
  number: 10,
  name: 'latency',
  title: `cold sparse reads over a line of ${ROUND_TRIP_MS} ms round trip`,
  contenders: [VARVE, V10, H13],
  sizes: (scale, quick) => {
    const count = scaled(10_000, scale, quick, 600)
    return [{ label: `${count} files`, parameters: { files: count } }]
  },
  steps: [
    {
      name: 'fill',
      async drive(context) {
        const drive = await context.side.openDrive(context.path('source'))
        const all = Array.from({ length: context.size('files') }, (_, i) => ({
          path: name(i),
          bytes: bytesOf(i, BYTES),
        }))
        await drive.writeFiles(all)
        await drive.close()
      },
    },
    {
      name: 'cold',
      serve,
      async drive(context) {
        const { drive, connect } = await reader(context, 'cold')
        const [first, second] = [context.size('files') >> 1, context.size('files') - 5]
        const { hangUp, bytes } = await roundTrips(context, 'cold', async () => {
          const hangUp = connect()
          await drive.known()
          await drive.stat(name(first))
          return { hangUp, bytes: await drive.readFile(name(first)) }
        })
        const other = await roundTrips(context, 'second file', () => drive.readFile(name(second)))
        check(bytes, first, BYTES)
        check(other, second, BYTES)
        hangUp()
        await drive.close()
      },
    },
    {
      name: 'connected',
      serve,
      async drive(context) {
        const { drive, connect } = await reader(context, 'connected')
        const hangUp = connect()
        await drive.known()
        const size = await roundTrips(context, 'first stat', () => drive.stat(name(7)))
        const names = await roundTrips(context, 'folder', () => drive.list('/folder-1', false))
        if (size !== BYTES || names.length !== FOLDER) throw new Error('other entries came')
        hangUp()
        await drive.close()
      },
    },
  ],
  rows: [
    {
      figure: 'cold',
      title: 'connect, stat, read',
      unit: 'round trips',
      targets: [{ type: 'most', most: 4.5 }],
    },
    {
      figure: 'second file',
      title: 'a second file',
      unit: 'round trips',
      targets: [{ type: 'most', most: 2 }],
    },
    {
      figure: 'first stat',
      title: 'connected: first stat',
      unit: 'round trips',
      targets: [{ type: 'most', most: 2 }],
    },
    {
      figure: 'folder',
      title: `connected: list a folder of ${FOLDER}`,
      unit: 'round trips',
      targets: [{ type: 'most', most: 3 }],
    },
  ],
}
