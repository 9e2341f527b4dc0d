/** Workload 16, second half: a file that grows. Its first half is measured with workload 6. */
import { bytesOf, check } from '../material.ts'
import { H13, V10, VARVE, type Workload, scaled, share } from '../workload.ts'

const BYTES = 1024

/** A file appended to again and again. */
export const appends: Workload = {
  number: 16,
  name: 'appends',
  title: 'appends of 1 KiB to one file: content stored per byte of it',
  contenders: [VARVE, V10, H13],
  sizes: (scale, quick) => {
    const count = scaled(100, scale, quick, 10)
    return [{ label: `${count} appends`, parameters: { count } }]
  },
  steps: [
    {
      name: 'append',
      disk: true,
      async drive(context) {
        const count = context.size('count')
        const drive = await context.side.openDrive(context.path('drive'))
        await context.time('append', { count }, async () => {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          for (let i = 0; i < count; i++) await drive.appendFile('/log', bytesOf(i, BYTES))
        })
        context.note('stored', (await drive.contentBytes()) / (count * BYTES))
        const whole = await drive.readFile('/log')
        for (let i = 0; i < count; i++)
          check(whole.subarray(i * BYTES).subarray(0, BYTES), i, BYTES)
        if (whole.length !== count * BYTES) throw new Error('another length')
        await drive.close()
      },
    },
  ],
  rows: [
    {
      figure: 'stored',
      title: 'content stored per byte',
      unit: 'x',
      targets: [{ type: 'most', most: 1.1 }],
    },
    { figure: 'append disk', title: 'on disk', unit: 'MB', targets: [share('v10', 1)] },
    { figure: 'append', title: 'an append', unit: 'µs' },
  ],
}
