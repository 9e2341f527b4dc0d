/**
 * Kind `wire/end-states`: whether a pair ends by itself, and what each side holds then.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { signingKeyPair } from '../../../src/crypto.ts'
import { Log } from '../../../src/log/index.ts'
import { MemoryFolder } from '../../../src/storage/index.ts'
import { replicate } from '../../../src/wire/replicate.ts'
import type { ReplicateOptions } from '../../../src/wire/replicate.ts'
import { Network } from '../../simulation/link.ts'
import type { VectorKind } from '../vector.ts'

interface Side {
  readonly feed: string
  readonly options: { readonly sparse?: boolean } & ReplicateOptions
}

interface Case {
  readonly a: Side
  readonly b: Side
  readonly required: {
    readonly blocksA: readonly number[]
    readonly blocksB: readonly number[]
    readonly ended: boolean | 'any'
  }
}

const BLOCKS = 4
/** Blocks that each kind of replica holds. */
const held: Readonly<Record<string, readonly number[]>> = {
  full: [0, 1, 2, 3],
  empty: [],
  head: [0, 1],
  tail: [2, 3],
  holes: [0, 2],
  last: [3],
}

/** Handler of the file. */
export const kind: VectorKind = {
  name: 'wire/end-states',
  *cases({ json }) {
    for (const each of json.cases as readonly Case[]) {
      const { a, b } = each
      yield { name: `${nameOf(a)} and ${nameOf(b)}`, run: () => check(each) }
    }
  },
}

function nameOf({ feed, options }: Side): string {
  return `${feed} ${JSON.stringify(options)}`
}

async function check({ a, b, required }: Case): Promise<void> {
  const network = new Network(1)
  const keys = signingKeyPair()
  const writer = await open(keys.publicKey, keys.secretKey)
  await writer.append(Array.from({ length: BLOCKS }, (_, i) => new Uint8Array([i, i])))
  const logs = [await logOf(a, writer), await logOf(b, writer)] as const
  const common = { timers: network, random: () => 0 }
  const first = replicate(logs[0], true, { ...a.options, ...common })
  const second = replicate(logs[1], false, { ...b.options, ...common })
  network.link(first, second)
  await network.settle()
  // Long enough for any request that was passed over, too short for a silent connection to be given up.
  await network.run(3000)

  const blocks = logs.map((log) =>
    Array.from({ length: log.length }, (_, index) => index).filter((index) => log.has(index)),
  )
  assert.deepEqual(blocks, [required.blocksA, required.blocksB])
  const ended = [first.destroyed, second.destroyed]
  if (required.ended !== 'any') assert.deepEqual(ended, [required.ended, required.ended])
  for (const log of logs) {
    const left = log.replicator?.peers.length ?? 0
    assert.equal(left, ended[0] === true && ended[1] === true ? 0 : left)
  }
  first.destroy()
  second.destroy()
  await network.settle()
  assert.equal(network.timers, 0, 'a timer is left behind')
  await Promise.all([...logs, writer].map((log) => log.close()))
}

async function open(key: Uint8Array, secretKey?: Uint8Array, sparse = false): Promise<Log> {
  const log = new Log(new MemoryFolder().open, key, { durability: 'none', secretKey, sparse })
  await log.ready()
  return log
}

async function logOf({ feed, options }: Side, writer: Log): Promise<Log> {
  const { key, secretKey } = writer
  assert.ok(key)
  if (feed === 'writer') {
    const log = await open(key, secretKey ?? undefined)
    await log.append(await writer.getBatch(0, BLOCKS))
    return log
  }
  const log = await open(key, undefined, options.sparse)
  for (const index of held[feed] ?? []) {
    // oxlint-disable-next-line no-await-in-loop
    const [value = null] = await writer.readBlocks(index, index + 1)
    // oxlint-disable-next-line no-await-in-loop
    const proof = await writer.proof(index, { digest: log.digest(index) })
    // oxlint-disable-next-line no-await-in-loop
    assert.deepEqual(await log.receive([{ index, value, ...proof }], null), [null])
  }
  return log
}
