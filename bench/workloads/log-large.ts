/** Workload 3: large blocks in, and out in order. */
import { closeSync, openSync, readSync } from 'node:fs'
import { blocks, check } from '../material.ts'
import { MinimalLog } from '../minimal-log.ts'
import {
  H13,
  MINIMAL,
  V10,
  VARVE,
  VARVE_BATCH,
  VARVE_SYNC,
  type Workload,
  faster,
  scaled,
} from '../workload.ts'

const BYTES = 65_536
const BATCH = 50

/** 1.2 GiB at full size. */
export const largeBlocks: Workload = {
  number: 3,
  name: 'log-large',
  title: 'log: 64 KiB blocks in batches of 50, read back in order',
  contenders: [VARVE, V10, MINIMAL, VARVE_BATCH, VARVE_SYNC, H13],
  sizes: (scale, quick) => {
    const count = BATCH * scaled(384, scale, quick, 2)
    return [{ label: `${Math.round((count * BYTES) / 1_048_576)} MiB`, parameters: { count } }]
  },
  steps: [
    {
      name: 'append',
      disk: true,
      async drive(context) {
        const log = await context.side.openLog(context.path('log'))
        const count = context.size('count')
        await context.time('append', { bytes: count * BYTES }, async () => {
          for (let at = 0; at < count; at += BATCH) {
            // oxlint-disable-next-line no-await-in-loop -- each batch is awaited
            await log.append(blocks(at, BATCH, BYTES))
          }
        })
        await log.close()
      },
      async minimal(context) {
        const log = new MinimalLog(context.path('log'))
        const count = context.size('count')
        await context.time('append', { bytes: count * BYTES }, () => {
          for (let at = 0; at < count; at += BATCH) log.append(blocks(at, BATCH, BYTES))
        })
        log.close()
      },
    },
    {
      name: 'read',
      async drive(context) {
        const log = await context.side.openLog(context.path('log'))
        const count = context.size('count')
        await context.time('read', { bytes: count * BYTES }, async () => {
          // oxlint-disable-next-line no-await-in-loop -- in order, one at a time
          for (let i = 0; i < count; i++) await log.get(i)
        })
        for (let i = 0; i < count; i += 31) {
          // oxlint-disable-next-line no-await-in-loop
          check(await log.get(i), i, BYTES)
        }
        await log.close()
      },
      async minimal(context) {
        const file = openSync(context.path('log/data'), 'r')
        const count = context.size('count')
        await context.time('read', { bytes: count * BYTES }, () => {
          for (let i = 0; i < count; i++) readSync(file, Buffer.allocUnsafe(BYTES))
        })
        closeSync(file)
      },
    },
  ],
  rows: [
    {
      figure: 'append',
      title: 'append',
      unit: 'MiB/s',
      targets: [faster('v10', 1.6), faster('m', 0.8)],
    },
    { figure: 'read', title: 'read in order', unit: 'MiB/s', targets: [faster('v10', 1.5)] },
  ],
}
