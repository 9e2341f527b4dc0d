import t from 'tap'
import { equals } from '../../../src/bytes.ts'
import { LogError } from '../../../src/log/index.ts'
import type { GetOptions, Log } from '../../../src/log/index.ts'
import type { Pair } from './world.ts'
import { blockOf, holdsAll, numbers, World } from './world.ts'

const seeds = process.env['SLOW'] ? 300 : 12

t.test(
  'a swarm converges whatever its links do, every wait is answered, and nothing is left behind',
  async (t) => {
    for (let seed = 1; seed <= seeds; seed++) {
      // oxlint-disable-next-line no-await-in-loop
      const failure = await play(seed)
      t.equal(failure, null, `seed ${seed}`)
    }
  },
)

/** One run. Returns what was wrong, or `null`. */
async function play(seed: number): Promise<string | null> {
  const world = new World(seed)
  const { network } = world
  const below = (end: number): number => Math.floor(network.random() * end)
  let length = 20 + below(200)
  const writer = await world.writer(length)
  const replicas: Log[] = []
  for (let i = 0; i < 2 + below(3); i++) {
    const blocks = numbers(0, length).filter(() => network.random() < 0.3 * i)
    replicas.push(await world.replica(writer, blocks, { sparse: false }))
  }
  const sparse = await world.reader({ sparse: true })
  const logs = [writer, ...replicas, sparse]
  const join = (a: Log, b: Log): Pair =>
    world.join(a, b, { live: true, timeout: 6000 }, { delay: [0, 1 + below(80)] })
  const pairs: Pair[] = []
  const waits: Promise<string | null>[] = []
  for (let step = 0; step < 25; step++) {
    const action = below(10)
    const [a, b] = [logs[below(logs.length)] ?? writer, logs[below(logs.length)] ?? writer]
    if (action < 4 && a !== b) pairs.push(join(a, b))
    else if (action < 6) pairs[below(pairs.length)]?.[network.random() < 0.5 ? 'cut' : 'swallow']()
    else if (action < 7) {
      await writer.append(blockOf(length++))
    } else if (action < 9) {
      const index = below(length)
      const options = network.random() < 0.5 ? ({ wait: 'peers' } as const) : {}
      waits.push(answerOf(sparse, index, options))
    } else if (sparse.length > 0) {
      await sparse.clear(below(sparse.length))
    }
    await network.run(below(400))
  }
  for (const log of [...replicas, sparse]) pairs.push(join(writer, log))
  await network.run(60_000)
  for (const log of replicas)
    if (!holdsAll(log, length)) return `a replica lacks blocks: ${log.length}`
  if (sparse.wishes.waiting.size > 0) return 'a wait was not answered'
  const wrong = (await Promise.all(waits)).find((answer) => answer !== null)
  if (wrong !== undefined) return wrong
  const bad = pairs.flatMap((pair) => pair.errors).filter((error) => !isExpected(error))
  if (bad.length > 0) return `an honest peer was refused: ${String(bad[0])}`
  const left = await world.close()
  return left.length > 0 ? left.join() : null
}

/** What was wrong with the answer to a read, or `null`. */
async function answerOf(log: Log, index: number, options: GetOptions): Promise<string | null> {
  try {
    const block = await log.get(index, options)
    return equals(block, blockOf(index)) ? null : `block ${index} is wrong`
  } catch (error) {
    if (error instanceof LogError && error.code === 'LOG_UNAVAILABLE') return null
    return `block ${index}: ${error instanceof Error ? error.message : 'failed'}`
  }
}

/** What a swallowed link ends with. */
function isExpected(error: Error & { code?: string }): boolean {
  return error.code === 'ETIMEDOUT' || error.code === 'WIRE_REQUEST_TIMEOUT'
}
