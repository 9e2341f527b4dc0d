/** Workloads 1 and 2: many small appends. */
import { bytesOf, blocks, check } from '../material.ts'
import { MinimalLog } from '../minimal-log.ts'
import {
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
} from '../workload.ts'

const BYTES = 100

const append: Step = {
  name: 'append',
  disk: true,
  async drive(context) {
    const log = await context.side.openLog(context.path('log'))
    const count = context.fewer('count')
    const batch = context.size('batch')
    await context.time('append', { count }, async () => {
      for (let at = 0; at < count; at += batch) {
        // oxlint-disable-next-line no-await-in-loop -- each is awaited: that is the job
        await log.append(batch === 1 ? [bytesOf(at, BYTES)] : blocks(at, batch, BYTES))
      }
    })
    await log.close()
    const again = await context.side.openLog(context.path('log'))
    for (let i = 0; i < count; i += 97) {
      // oxlint-disable-next-line no-await-in-loop
      check(await again.get(i), i, BYTES)
    }
    await again.close()
  },
  async minimal(context) {
    const log = new MinimalLog(context.path('log'))
    const count = context.size('count')
    const batch = context.size('batch')
    await context.time('append', { count }, () => {
      for (let at = 0; at < count; at += batch) log.append(blocks(at, batch, BYTES))
    })
    log.close()
  },
}

const contenders = [VARVE, V10, MINIMAL, VARVE_BATCH, VARVE_SYNC, H13]

/** Append one by one. */
export const appendSingly: Workload = {
  number: 1,
  name: 'log-append-singly',
  title: 'log: append 100 B blocks one by one, awaiting each',
  contenders,
  sizes: (scale, quick) => {
    const count = scaled(20_000, scale, quick, 200)
    return [{ label: `${count} blocks`, parameters: { count, batch: 1 } }]
  },
  steps: [append],
  rows: [
    {
      figure: 'append',
      title: 'append, each',
      unit: 'µs',
      targets: [faster('v10', 2.5), faster('m', 0.8)],
    },
  ],
}

/** Append in batches of 1000. */
export const appendBatches: Workload = {
  number: 2,
  name: 'log-append-batches',
  title: 'log: append 100 B blocks in batches of 1000',
  contenders,
  sizes: (scale, quick) => {
    const count = 1000 * scaled(500, scale, quick, 2)
    return [{ label: `${count} blocks`, parameters: { count, batch: 1000 } }]
  },
  steps: [append],
  rows: [
    {
      figure: 'append',
      title: 'append, a block',
      unit: 'µs',
      targets: [faster('v10', 1.8), faster('m', 0.85)],
    },
  ],
}
