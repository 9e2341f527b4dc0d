/**
 * Single flipped bits in stored files.
 *
 * Each is found by `fsck`, or makes no difference to any answer. None is ever returned as data. After
 * `fsck` with `repair`, and with a peer that has the data, everything is there again. The one flip that
 * nobody can find is a data bit that turned 0 while its neighbours hide it from the index: it looks like
 * a block that was cleared, and the block is fetched again.
 *
 * @module
 */
import { signingKeyPair } from '../../src/crypto.ts'
import type { KeyPair } from '../../src/crypto.ts'
import { Log, LogError, fsck } from '../../src/log/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import { Blocks } from './blocks.ts'
import { Chance } from './chance.ts'
import type { Part, Row, Setting } from './parts.ts'
import { NEVER, messageOf, sameBytes } from './workload.ts'

const FULL_FLIPS = 10_000
const QUICK_FLIPS = 600
const FLIPS_OF_A_LOG = 100
const FAILURES_PRINTED = 20
const FILES = ['key', 'secret_key', 'tree', 'data', 'bitfield', 'signatures', 'durable'] as const
/** How the session ended that wrote the log; without a note of what is durable its end leaves no trace. */
const ENDS = ['no note', 'closed', 'killed'] as const

/** A log at rest, and a peer that has all of it. */
interface Subject {
  readonly keys: KeyPair
  readonly blocks: Blocks
  readonly isWriter: boolean
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly length: number
  readonly held: ReadonlySet<number>
  readonly peer: Log
}

async function makeSubject(seed: number, number: number): Promise<Subject> {
  const chance = new Chance(seed, number, 0xf11b)
  const keys = signingKeyPair(chance.bytes(32))
  const { publicKey, secretKey } = keys
  const blocks = new Blocks(chance.below(2 ** 32))
  const peer = new Log(new MemoryFolder().open, publicKey, { secretKey, durability: 'none' })
  const isWriter = number % 2 === 0
  const folder = new MemoryFolder()
  const own = isWriter ? { secretKey } : {}
  const end = ENDS[number % ENDS.length] ?? 'closed'
  const durability = end === 'no note' ? 'none' : 'batch'
  const options = { ...own, sparse: true, durability, syncWindow: NEVER } as const
  const log = new Log(folder.open, publicKey, options)
  for (let i = 0; i < 6; i++) {
    // oxlint-disable-next-line no-await-in-loop
    if (i === 3) await log.flush()
    const run = blocks.run(peer.length, chance.pick([1, 2, 4, 9]))
    // oxlint-disable-next-line no-await-in-loop
    await peer.append(run)
    // oxlint-disable-next-line no-await-in-loop
    if (isWriter) await log.append(run)
    const copied = isWriter ? 0 : peer.length
    for (let index = 0; index < copied; index++) {
      if (!chance.coin(0.3)) continue
      // oxlint-disable-next-line no-await-in-loop
      await log.receive([await messageOf(peer, log, index)], null)
    }
  }
  await log.clear(chance.below(log.length))
  const held = new Set<number>()
  for (let index = 0; index < log.length; index++) if (log.has(index)) held.add(index)
  const { length } = log
  const killed = folder.snapshot()
  await log.close()
  const files = end === 'killed' ? killed : folder.snapshot()
  return { keys, blocks, isWriter, files, length, held, peer }
}

type Outcome = 'detected' | 'unused' | 'forgotten'

/** Flip one bit, and hold everything that follows against what must. */
async function flip(subject: Subject, chance: Chance): Promise<Outcome> {
  const { files, keys, isWriter } = subject
  const names = FILES.filter((name) => (files.get(name)?.length ?? 0) > 0)
  const name = chance.pick(names)
  const damaged = new Map([...files].map(([each, bytes]) => [each, Uint8Array.from(bytes)]))
  const bytes = damaged.get(name)
  if (!bytes) throw new Error('no such file')
  const at = chance.below(bytes.length)
  const bit = chance.below(8)
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
  const where = `${name} byte ${at} bit ${bit}`
  try {
    const folder = new MemoryFolder(damaged)
    const report = await fsck(folder.open, { key: keys.publicKey })
    for (const [each, now] of folder.snapshot()) {
      if (!sameBytes(now, damaged.get(each) ?? new Uint8Array(0))) throw new Error('fsck wrote')
    }
    const isDetected = report.faults.length > 0
    const looksCleared = name === 'bitfield' && at >= 32 && at < 32 + 1024 && !isDetected
    const isForgotten = await serve(subject, damaged, !isDetected, looksCleared)
    await repair(subject, damaged, isWriter && chance.coin())
    return isForgotten ? 'forgotten' : isDetected ? 'detected' : 'unused'
  } catch (error) {
    throw new Error(`${where}: ${String(error)}`, { cause: error })
  }
}

/**
 * What the damaged log answers: the right bytes or a typed error, and all as before if `intact`.
 *
 * @param looksCleared - but a block may seem to have been cleared
 * @returns whether one does
 */
async function serve(
  { keys, isWriter, blocks, held, length }: Subject,
  files: ReadonlyMap<string, Uint8Array>,
  intact: boolean,
  looksCleared: boolean,
): Promise<boolean> {
  let isForgotten = false
  const own = isWriter ? { secretKey: keys.secretKey } : {}
  const log = new Log(new MemoryFolder(files).open, keys.publicKey, { ...own, sparse: true })
  try {
    await log.ready()
    for (let index = 0; index < Math.max(length, log.length); index++) {
      try {
        // oxlint-disable-next-line no-await-in-loop
        const block = await log.get(index, { wait: false })
        if (!sameBytes(block, blocks.at(index)))
          throw new Error(`block ${index}: wrong bytes served`)
      } catch (error) {
        if (!(error instanceof LogError)) throw error
        if (!intact || !held.has(index)) continue
        if (!looksCleared || error.code !== 'LOG_NOT_HELD') throw error
        isForgotten = true
      }
    }
    if (intact && log.length !== length)
      throw new Error(`${log.length} blocks instead of ${length}`)
  } catch (error) {
    if (!(error instanceof LogError) || intact) throw error
  } finally {
    await log.close()
  }
  return isForgotten
}

/** After a repair everything can be had again, and nothing is found any more. */
async function repair(
  { keys, isWriter, blocks, held, length, peer }: Subject,
  files: ReadonlyMap<string, Uint8Array>,
  keyIsGiven: boolean,
): Promise<void> {
  const folder = new MemoryFolder(files)
  const key = keyIsGiven || !isWriter ? keys.publicKey : null
  await fsck(folder.open, { key, repair: true })
  const own = isWriter ? { secretKey: keys.secretKey } : {}
  const log = new Log(folder.open, keys.publicKey, { ...own, sparse: true })
  await log.ready()
  for (const index of held) {
    if (!log.has(index)) {
      // oxlint-disable-next-line no-await-in-loop -- the digest tells what came before
      const [error] = await log.receive([await messageOf(peer, log, index)], null)
      if (error) throw new Error(`block ${index} is refused: ${error.message}`, { cause: error })
    }
    // oxlint-disable-next-line no-await-in-loop
    const block = await log.get(index, { wait: false })
    if (!sameBytes(block, blocks.at(index))) throw new Error(`block ${index} is not repaired`)
  }
  if (log.length < length) {
    // Of a head whose roots are lost nothing is left here: it comes again with its last block.
    await log.receive([await messageOf(peer, log, length - 1)], null)
  }
  if (log.length < length) throw new Error(`${log.length} of ${length} blocks after the repair`)
  if (isWriter) await log.append(blocks.at(log.length))
  await log.close()
  const { faults } = await fsck(folder.open, { key: keys.publicKey })
  const [fault] = faults
  if (fault)
    throw new Error(`after the repair: ${fault.file} ${fault.byteOffset}: ${fault.message}`)
}

async function run(setting: Setting): Promise<Row[]> {
  const { seed, quick, only, note, at } = setting
  let passed = 0
  let failed = 0
  const outcomes: Record<Outcome, number> = { detected: 0, unused: 0, forgotten: 0 }
  const total = quick ? QUICK_FLIPS : FULL_FLIPS
  for (let number = 0; number * FLIPS_OF_A_LOG < total; number++) {
    // oxlint-disable-next-line no-await-in-loop
    const subject = await makeSubject(seed, number)
    for (let i = 0; i < FLIPS_OF_A_LOG; i++) {
      const name = `flip ${i} of log ${number}`
      if (only !== null && only !== name) continue
      at(name)
      try {
        // oxlint-disable-next-line no-await-in-loop
        outcomes[await flip(subject, new Chance(seed, number, i))]++
        passed++
      } catch (error) {
        if (++failed <= FAILURES_PRINTED) {
          note(`FAIL --seed ${seed} --only '${name}': ${String(error)}`)
        }
      }
    }
    // oxlint-disable-next-line no-await-in-loop
    await subject.peer.close()
  }
  const { detected, unused, forgotten } = outcomes
  const remark = `${detected} detected, ${unused} in bytes that nobody uses, ${forgotten} made a block be fetched again`
  return [{ what: 'flipped bits in stored files', passed, failed, remark }]
}

export const part: Part = { name: 'flips', run }
