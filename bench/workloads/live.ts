/** Workload 13: how soon a reader hears of a write. */
import { bytesOf } from '../material.ts'
import { dial, listen } from '../network.ts'
import { H13, V10, VARVE, type Workload, scaled, share } from '../workload.ts'

/** From the call on one drive to the update on its copy, over loopback TCP in one process. */
export const live: Workload = {
  number: 13,
  name: 'live',
  title: 'live: from writeFile on A to the update seen on B',
  contenders: [VARVE, V10, H13],
  sizes: (scale, quick) => {
    const count = scaled(500, scale, quick, 10)
    return [{ label: `${count} writes`, parameters: { count } }]
  },
  steps: [
    {
      name: 'live',
      async drive(context) {
        const a = await context.side.openDrive(context.path('a'))
        await a.writeFile('/first', bytesOf(0, 100))
        const b = await context.side.openDrive(context.path('b'), {
          key: a.key,
          follow: true,
        })
        const server = await listen(() => a.replicate(false))
        const hangUp = dial(server.port, b.replicate(true))
        await b.known()
        await b.readFile('/first')
        let seen = (): void => undefined
        b.onUpdate(() => seen())
        const times: number[] = []
        for (let i = 0; i < context.size('count'); i++) {
          const { version } = b
          const start = performance.now()
          const update = new Promise<void>((resolve) => {
            seen = () => {
              if (b.version <= version) return
              times.push(performance.now() - start)
              seen = () => undefined
              resolve()
            }
          })
          // oxlint-disable-next-line no-await-in-loop -- the next only when this one was seen
          await Promise.all([a.writeFile(`/file-${i}`, bytesOf(i, 100)), update])
        }
        times.sort((x, y) => x - y)
        context.note('live', times[times.length >> 1] ?? Number.NaN)
        context.note('live, 95 of 100', times[Math.floor(times.length * 0.95)] ?? Number.NaN)
        hangUp()
        server.close()
        await Promise.all([a.close(), b.close()])
      },
    },
  ],
  rows: [
    { figure: 'live', title: 'median', unit: 'ms', targets: [share('v10', 0.5)] },
    { figure: 'live, 95 of 100', title: '95 of 100 within', unit: 'ms' },
  ],
}
