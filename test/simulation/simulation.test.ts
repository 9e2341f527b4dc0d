import t from 'tap'
import { playDrives } from './drive-world.ts'
import { playLogs } from './log-world.ts'

for (const [what, play] of [
  ['logs', playLogs],
  ['drives', playDrives],
] as const) {
  t.test(`worlds of ${what} converge, and leave nothing behind`, async (t) => {
    for (let seed = 1; seed <= 6; seed++) {
      // oxlint-disable-next-line no-await-in-loop
      t.same((await play(seed)).failures, [], `seed ${seed}`)
    }
  })

  t.test(`a world of ${what} goes the same way again`, async (t) => {
    const first = await play(1)
    const second = await play(1)
    t.equal(second.trace, first.trace)
    t.not((await play(2)).trace, first.trace)
  })
}
