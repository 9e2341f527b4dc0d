/** Workload 14: several sources, one of them slow. */
import { cpSync } from 'node:fs'
import { pipeline } from 'node:stream'
import type { StepContext } from '../context.ts'
import { blocks, check } from '../material.ts'
import { Throttle } from '../network.ts'
import { V10, VARVE, type Workload, scaled } from '../workload.ts'

const BYTES = 16_384
const FAST = 8_000_000
const SLOW = FAST / 10

/** Fetch from as many sources as there are rates. Returns bytes sent by all, and the time. */
async function fetchFrom(
  context: StepContext,
  rates: readonly number[],
  name: string,
): Promise<{ ms: number; sent: number }> {
  const count = context.size('count')
  const sources = await Promise.all(
    rates.map(async (_, i) => {
      const folder = context.path(`${name}-source-${i}`)
      cpSync(context.path('log'), folder, { recursive: true })
      return context.side.openLog(folder)
    }),
  )
  const reader = await context.side.openLog(context.path(`${name}-reader`), sources[0]?.key)
  const lines = rates.map((rate) => new Throttle(rate))
  const start = performance.now()
  for (const [i, source] of sources.entries()) {
    const [there, here] = [source.replicate(false), reader.replicate(true)]
    const line = lines[i]
    if (line) pipeline(there, line, here, there, () => undefined)
  }
  await reader.download(count)
  const ms = performance.now() - start
  // What is still under way was sent as well.
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const sent = lines.reduce((sum, { passed }) => sum + passed, 0)
  for (let i = 0; i < count; i += 7) {
    // oxlint-disable-next-line no-await-in-loop
    check(await reader.get(i), i, BYTES)
  }
  await Promise.all([reader, ...sources].map((log) => log.close()))
  return { ms, sent }
}

/** Three sources of 8 MB/s, and one of a tenth. */
export const sources: Workload = {
  number: 14,
  name: 'sources',
  title: '4 sources, one reader, one source ten times slower',
  // Hyperdrive 13 opens no copy of a store.
  contenders: [VARVE, V10],
  sizes: (scale, quick) => {
    const count = scaled(1000, scale, quick, 100)
    return [{ label: `${count} blocks`, parameters: { count } }]
  },
  steps: [
    {
      name: 'fill',
      async drive(context) {
        const log = await context.side.openLog(context.path('log'))
        await log.append(blocks(0, context.size('count'), BYTES))
        await log.close()
      },
    },
    {
      name: 'fetch',
      async drive(context) {
        const without = await fetchFrom(context, [FAST, FAST, FAST], 'three')
        const all = await fetchFrom(context, [FAST, FAST, FAST, SLOW], 'four')
        context.note('sent', all.sent / (context.size('count') * BYTES))
        context.note('time', all.ms)
        context.note('slowed', all.ms / without.ms)
      },
    },
  ],
  rows: [
    {
      figure: 'sent',
      title: 'bytes sent over bytes needed',
      unit: 'x',
      targets: [{ type: 'most', most: 1.05 }],
    },
    {
      figure: 'slowed',
      title: 'time over that without the slow one',
      unit: 'x',
      targets: [{ type: 'most', most: 1.2 }],
    },
    { figure: 'time', title: 'time', unit: 'ms' },
  ],
}
