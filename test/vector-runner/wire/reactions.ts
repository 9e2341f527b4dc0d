/**
 * Kind `wire/reactions`: one unusual or hostile input each, and what it may do.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { fromHex } from '../../../src/bytes.ts'
import { Log } from '../../../src/log/index.ts'
import { MemoryFolder } from '../../../src/storage/index.ts'
import type { Connection } from '../../../src/wire/connection.ts'
import { replicate } from '../../../src/wire/replicate.ts'
import type { ReplicateOptions } from '../../../src/wire/replicate.ts'
import { Network } from '../../simulation/link.ts'
import type { VectorKind } from '../vector.ts'
import { meaningOf, Memory } from './meaning.ts'
import { Listener } from './transcript.ts'
import type { Frame } from './transcript.ts'

interface Feed {
  readonly publicKey: string
  readonly secretKey: string
  readonly discoveryKey?: string
  readonly blocks: readonly string[]
}

interface Case {
  readonly stage: string
  readonly name: string
  readonly send: string
  readonly required: string
  readonly reference: {
    readonly outcome: string
    readonly reply?: readonly Frame[]
    readonly after?: { readonly length: number; readonly blocks: readonly number[] }
  }
}

/** What the victim did. */
interface Reaction {
  readonly destroyed: boolean
  readonly error: Error | null
  /** Bytes written in answer, before and after the handshake. */
  readonly bytes: number
  readonly frames: readonly Frame[]
  readonly length: number
  readonly blocks: readonly number[]
  readonly cpuMicroseconds: number
  readonly memoryBytes: number
}

/** Bounds of a case that must only be bounded: section 5. */
const MAX_CPU_MICROSECONDS = 250_000
const MAX_MEMORY_BYTES = 64 * 1024 * 1024

/** Handler of the file. */
export const kind: VectorKind = {
  name: 'wire/reactions',
  *cases({ json }) {
    const feed = json['feed'] as Feed
    for (const each of json.cases as readonly Case[]) {
      yield { name: `${each.stage}: ${each.name}`, run: () => check(each, feed) }
    }
  },
}

async function check(each: Case, feed: Feed): Promise<void> {
  const reaction = await react(each, feed)
  const { required, reference } = each
  const rule = rules[required]
  assert.ok(rule, `unknown requirement ${required}`)
  rule(reaction, reference)
}

const rules: Readonly<Record<string, (reaction: Reaction, reference: Case['reference']) => void>> =
  {
    destroy: (reaction) => {
      assert.ok(reaction.destroyed, 'not destroyed')
      assert.ok(reaction.error, 'destroyed without an error')
    },
    ignore: assertIgnored,
    continue: (reaction) => assert.ok(!reaction.destroyed, String(reaction.error)),
    reply: assertReplied,
    store: (reaction, { after }) => {
      assert.ok(!reaction.destroyed, String(reaction.error))
      assert.deepEqual({ length: reaction.length, blocks: reaction.blocks }, after)
    },
    bounded: (reaction) => {
      assert.ok(reaction.cpuMicroseconds < MAX_CPU_MICROSECONDS, `${reaction.cpuMicroseconds} µs`)
      assert.ok(reaction.memoryBytes < MAX_MEMORY_BYTES, `${reaction.memoryBytes} bytes`)
    },
    'wait-or-destroy': () => undefined,
    'destroy-or-ignore': (reaction) => {
      if (!reaction.destroyed) assertIgnored(reaction)
    },
    'reply-or-ignore': (reaction, reference) => {
      if (reaction.frames.length === 0) assertIgnored(reaction)
      else if (reference.reply) assertReplied(reaction, reference)
    },
    any: () => undefined,
    'no-crash': () => undefined,
  }

function assertIgnored(reaction: Reaction): void {
  assert.ok(!reaction.destroyed, String(reaction.error))
  assert.equal(reaction.bytes, 0)
}

function assertReplied(reaction: Reaction, { reply = [] }: Case['reference']): void {
  assert.ok(!reaction.destroyed, String(reaction.error))
  const ours = meaningOf(reaction.frames, '', Infinity, new Memory())
  assert.deepEqual(ours, meaningOf(reply, '', Infinity, new Memory()))
}

async function react(each: Case, feed: Feed): Promise<Reaction> {
  const network = new Network(1)
  const reads = each.stage === 'reader-requested'
  const log = new Log(new MemoryFolder().open, feed.publicKey, {
    durability: 'none',
    ...(!reads && { secretKey: feed.secretKey }),
  })
  await log.ready()
  if (!reads) await log.append(feed.blocks.map(fromHex))
  const handshake = each.stage.startsWith('handshake')
  const options: ReplicateOptions = {
    live: true,
    timers: network,
    random: () => 0,
    ...(!handshake && { noise: false, encrypted: false }),
  }
  const connection = replicate(log, each.stage === 'handshake-initiator', options)
  const victim = watch(connection, handshake)
  await network.settle()
  for (const frame of preludeOf(each.stage, log)) connection.write(frame)
  await network.settle()
  victim.reset()

  const memory = memoryInUse()
  const cpu = process.cpuUsage()
  connection.write(fromHex(each.send))
  await network.settle()
  const { user, system } = process.cpuUsage(cpu)
  const reaction: Reaction = {
    destroyed: connection.destroyed,
    error: victim.error,
    bytes: victim.bytes,
    frames: victim.frames(),
    length: log.length,
    blocks: Array.from({ length: log.length }, (_, index) => index).filter((i) => log.has(i)),
    cpuMicroseconds: user + system,
    memoryBytes: memoryInUse() - memory,
  }
  connection.destroy()
  await network.settle()
  assert.equal(log.replicator?.peers.length ?? 0, 0, 'a peer is left behind')
  await log.close()
  return reaction
}

/** What the remote says before the input, each in a chunk of its own. */
function preludeOf(stage: string, log: Log): Uint8Array[] {
  if (stage !== 'writer-open' && stage !== 'reader-requested') return []
  const { discoveryKey } = log
  assert.ok(discoveryKey)
  const open = new Uint8Array(36)
  open.set([35, 0x10, 0x0a, 0x20])
  open.set(discoveryKey, 4)
  if (stage === 'writer-open') return [open]
  return [open, fromHex('051208011000'), fromHex('03130801')]
}

interface Victim {
  error: Error | null
  bytes: number
  reset(): void
  frames(): readonly Frame[]
}

function watch(connection: Connection, handshake: boolean): Victim {
  const end = { initiator: true, options: {} }
  const listener = new Listener('plain', end, end)
  const victim: Victim = {
    error: null,
    bytes: 0,
    reset: () => {
      victim.bytes = 0
      listener.take()
    },
    frames: () => listener.take().frames,
  }
  connection.on('data', (bytes: Uint8Array) => {
    victim.bytes += bytes.length
    if (!handshake) listener.write(bytes)
  })
  connection.on('error', (error: Error) => (victim.error = error))
  return victim
}

function memoryInUse(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
