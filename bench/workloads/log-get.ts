/** Workload 4: random gets. */
import { blocks, bytesOf, check, scattered } from '../material.ts'
import { atOnce } from '../sides/at-once.ts'
import type { LogSide } from '../sides/side.ts'
import { H13, type Target, V10, VARVE, type Workload, faster, scaled, share } from '../workload.ts'

const BYTES = 100
const PASSES: readonly (readonly [string, number])[] = [
  ['get', 1],
  ['get 16 pending', 16],
]
const targets: readonly Target[] = [faster('v10', 4), faster('h13', 2)]

/** Random gets of a log just opened, first pass and second. */
export const randomGets: Workload = {
  number: 4,
  name: 'log-get',
  title: 'log: random gets of 100 B, first pass and second; open and first get',
  contenders: [VARVE, V10, H13],
  sizes: (scale, quick) => {
    const count = scaled(100_000, scale, quick, 500)
    return [{ label: `${count} blocks`, parameters: { count } }]
  },
  steps: [
    {
      name: 'fill',
      async drive(context) {
        const log = await context.side.openLog(context.path('log'))
        for (let at = 0; at < context.size('count'); at += 500) {
          // oxlint-disable-next-line no-await-in-loop -- one batch after the other
          await log.append(blocks(at, 500, BYTES))
        }
        await log.close()
      },
    },
    ...PASSES.map(([name, pending]) => ({
      name,
      async drive(context: Parameters<NonNullable<Workload['steps'][0]['drive']>>[0]) {
        const count = context.size('count')
        const order = scattered(count)
        const { log, first } = await context.time('open', undefined, async () => {
          const log = await context.side.openLog(context.path('log'))
          return { log, first: await log.get(order[0] ?? 0) }
        })
        check(first, order[0] ?? 0, BYTES)
        await context.time(`${name}, first pass`, { count }, () => getAll(log, order, pending))
        await context.time(`${name}, second pass`, { count }, () => getAll(log, order, pending))
        let wrong = 0
        await atOnce(order, 16, async (i) => {
          if (Buffer.compare(await log.get(i), bytesOf(i, BYTES)) !== 0) wrong++
        })
        if (wrong > 0) throw new Error(`${wrong} blocks are not what was written`)
        await log.close()
      },
    })),
  ],
  rows: [
    { figure: 'open', title: 'open and first get', unit: 'ms', targets: [share('v10', 0.5)] },
    ...PASSES.flatMap(([name]) =>
      ['first', 'second'].map((pass) => ({
        figure: `${name}, ${pass} pass`,
        title: `${name}, ${pass} pass`,
        unit: 'µs' as const,
        targets,
      })),
    ),
  ],
}

async function getAll(log: LogSide, order: readonly number[], pending: number): Promise<void> {
  if (pending > 1) return atOnce(order, pending, (i) => log.get(i))
  // oxlint-disable-next-line no-await-in-loop -- one at a time is the job
  for (const i of order) await log.get(i)
}
