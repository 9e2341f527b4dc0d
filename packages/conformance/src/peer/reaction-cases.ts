/**
 * One unusual or hostile input each, and what it may do: 199 recorded ones, at every stage of a connection.
 *
 * @see docs/protocol/20-wire.md 5 and 7
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { discoveryKey } from 'varve/crypto'
import type { Level } from '../case.ts'
import { bytesOf, holds, same } from '../expect.ts'
import type { Hex } from '../operations.ts'
import { recorded, slug } from '../vectors/vector-case.ts'
import { peerCase, type PeerCase } from './peer-case.ts'
import { holdsRuns } from './source.ts'
import type { Stage } from './stage.ts'
import { type Remote } from './remote.ts'
import { said } from './speech.ts'

interface Reaction {
  readonly stage: string
  readonly name: string
  readonly send: Hex
  readonly required: string
  readonly reference: {
    readonly outcome: string
    readonly reply?: readonly { readonly name: string; readonly message: unknown }[]
    readonly after?: { readonly length: number; readonly blocks: readonly number[] }
  }
}

interface Feed {
  readonly publicKey: Hex
  readonly secretKey: Hex
  readonly blocks: readonly Hex[]
}

/** Milliseconds in which nothing must happen, for what must be passed over. */
const QUIET_MS = 40
const MAX_MEMORY = 64 * 1024 * 1024
/** Section 5 says 250; a busy machine makes the same work take longer. */
const MAX_CPU_MS = 500

/** All of them. */
export function* reactionCases(): Iterable<PeerCase> {
  const json = recorded<Reaction>('wire/reactions')
  const feed = json['feed'] as Feed
  for (const [i, each] of json.cases.entries()) {
    const { stage: at, name, required, reference } = each
    if (required === 'any' || required.includes('-or-')) continue
    yield peerCase(
      `react.${at}-${i}-${slug(name)}`,
      '20-wire 5',
      `${AT[at] ?? at}, this is met with "${required}": ${name}`,
      (stage) => play(stage, each, feed),
      levelOf(required, reference.outcome),
    )
  }
}

const AT: Readonly<Record<string, string>> = {
  'handshake-responder': 'before message 1',
  'handshake-initiator': 'before message 2',
  'before-open': 'before our Open',
  'writer-open': 'on the open log of a writer',
  'reader-requested': 'while a reader waits for a block',
}

/** Binding for all is what the reference does as well. */
function levelOf(required: string, outcome: string): Level {
  if (required === 'bounded') return 'project'
  if (/^(crash|hang)/.test(outcome)) return 'project'
  if (required === 'destroy') return outcome.startsWith('destroyed') ? 'MUST' : 'project'
  if (required === 'ignore') return outcome === 'ignored' ? 'MUST' : 'project'
  if (required === 'reply') return outcome === 'replied' ? 'MUST' : 'project'
  return 'MUST'
}

async function play(
  stage: Stage,
  each: Reaction,
  feed: Feed,
): Promise<Record<string, number> | void> {
  const { required, reference } = each
  const remote = await enter(stage, each.stage, feed)
  const mark = { frames: remote.frames.length, bytes: remote.bytes, usage: stage.usage() }
  if (each.stage.startsWith('handshake')) remote.socket.write(bytesOf(each.send))
  else remote.write(bytesOf(each.send))
  switch (required) {
    case 'destroy':
      await remote.ends()
      break
    case 'ignore':
      await sleep(QUIET_MS)
      holds(!remote.closed, 'the subject ended the connection')
      same(remote.bytes - mark.bytes, 0, 'bytes said')
      break
    case 'continue':
      await sleep(QUIET_MS)
      holds(!remote.closed, 'the subject ended the connection')
      break
    case 'reply': {
      const wanted = (reference.reply ?? []).map(({ name, message }) => [name, message])
      await remote.until(() => remote.frames.length - mark.frames >= wanted.length, 'the answer')
      const got = remote.names
        .slice(mark.frames)
        .map((name, i) => [name, messageAt(remote, mark.frames + i)])
      // Which blocks are asked for, and how many at once, is the choice of who asks.
      const asks = wanted.filter(([name]) => name === 'Request').length > 1
      const others = (some: readonly (readonly unknown[])[]): readonly (readonly unknown[])[] =>
        asks ? some.filter(([name]) => name !== 'Request') : some
      same(sorted(others(got)), sorted(others(wanted)), 'answer')
      if (asks) holds(got.length > others(got).length, 'no block is asked for')
      break
    }
    case 'store': {
      const { length = 0, blocks = [] } = reference.after ?? {}
      await holdsRuns(
        stage,
        length,
        blocks.map((index) => [index, index + 1]),
      )
      break
    }
    default:
      await sleep(10)
  }
  return afterwards(stage, mark.usage, required)
}

/** The subject is there, and has not paid too much. */
async function afterwards(
  stage: Stage,
  before: ReturnType<Stage['usage']>,
  required: string,
): Promise<Record<string, number> | void> {
  await stage.ask('state', {})
  const after = stage.usage()
  if (required !== 'bounded' || !before || !after) return
  const cost = { cpuMs: after.cpuMs - before.cpuMs, bytes: Math.max(0, after.rss - before.rss) }
  holds(cost.cpuMs <= MAX_CPU_MS, `it took ${cost.cpuMs} ms of CPU time`)
  holds(cost.bytes <= MAX_MEMORY, `it took ${cost.bytes} bytes of memory`)
  return cost
}

async function enter(stage: Stage, at: string, feed: Feed): Promise<Remote> {
  const { publicKey: key, secretKey, blocks } = feed
  const plain = { encrypted: false, noise: false }
  const reads = at === 'reader-requested'
  const serving = reads ? { key } : { key, secretKey, blocks, folder: null }
  if (at.startsWith('handshake')) {
    await stage.source(serving)
    // The kit says nothing of its own: what it reads is no frame, and is not looked at.
    const raw = { noise: true }
    return at === 'handshake-responder' ? stage.connect(raw) : stage.accept(raw)
  }
  if (reads) await stage.reader({ ...serving, ...plain })
  else await stage.source({ ...serving, ...plain })
  const remote = await stage.connect(plain)
  await remote.message('Open')
  if (at === 'before-open') return remote
  const open = { discoveryKey: discoveryKey(bytesOf(key)), capability: null }
  remote.write(said(1, 'Open', open))
  if (!reads) {
    await remote.message('Status')
    return remote
  }
  remote.say(1, 'Status', { uploading: true, downloading: false })
  remote.say(1, 'Have', { start: 1 })
  await remote.message('Request')
  await sleep(5)
  return remote
}

function messageAt(remote: Remote, index: number): unknown {
  const name = remote.names[index] as Parameters<Remote['all']>[0]
  const nth = remote.names.slice(0, index).filter((each) => each === name).length
  return remote.all(name)[nth]
}

function sorted(messages: readonly unknown[]): string[] {
  return messages.map((message) => JSON.stringify(message, asText)).toSorted()
}

/** Bytes as text; what a reply leaves out is what its decoder fills in. */
function asText(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
