/**
 * The process that kills.ts kills: appends to the log in a folder, and says what was acknowledged.
 *
 * @module
 */
import { writeSync } from 'node:fs'
import { fromHex } from '../../src/bytes.ts'
import { Log } from '../../src/log/index.ts'
import type { Durability } from '../../src/log/index.ts'
import { Blocks } from './blocks.ts'
import { Chance } from './chance.ts'

const [folder = '', mode = '', seed = '', secretKey = ''] = process.argv.slice(2)
const chance = new Chance(Number(seed), process.hrtime.bigint() % 2n === 0n ? 0 : 1)
const blocks = new Blocks(1)
/** At once, whatever happens next. */
const say = (line: string): void => void writeSync(1, `${line}\n`)

function isMode(word: string): word is Durability {
  return word === 'sync' || word === 'batch' || word === 'none'
}

if (!isMode(mode)) throw new TypeError(`want a durability mode, got ${mode}`)
const log = new Log(folder, null, { secretKey: fromHex(secretKey), durability: mode })
await log.ready()
say(`ack ${log.length}`)
for (;;) {
  const dice = chance.below(20)
  if (dice === 0) {
    // oxlint-disable-next-line no-await-in-loop
    await log.flush()
  } else if (dice === 1 && log.length > 0) {
    const at = chance.below(log.length)
    say(`clear ${at}`)
    // oxlint-disable-next-line no-await-in-loop
    await log.clear(at)
  } else if (dice < 5) {
    const counts = [1, 3, 1, 7, 1]
    let at = log.length
    const appends = counts.map((count) => {
      const run = blocks.run(at, count)
      at += count
      return log.append(run)
    })
    // oxlint-disable-next-line no-await-in-loop
    await Promise.all(appends)
  } else {
    // oxlint-disable-next-line no-await-in-loop
    await log.append(blocks.run(log.length, chance.pick([1, 1, 1, 2, 5, 40])))
  }
  say(`ack ${log.length}`)
}
