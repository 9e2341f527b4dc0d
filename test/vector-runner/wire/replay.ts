/**
 * Replays a transcript against one of its sides: ours has the recorded keys and performs the recorded actions, the
 * others are the recorded bytes. What ours writes is compared turn by turn by its meaning, then the end state.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { equals, fromHex } from '../../../src/bytes.ts'
import { exchangeKeyPairOf } from '../../../src/crypto.ts'
import type { Extension } from '../../../src/log/extensions.ts'
import { Log } from '../../../src/log/index.ts'
import { MemoryFolder } from '../../../src/storage/index.ts'
import { Connection } from '../../../src/wire/connection.ts'
import { replicate } from '../../../src/wire/replicate.ts'
import type { ReplicateOptions } from '../../../src/wire/replicate.ts'
import type { StreamExtension } from '../../../src/wire/stream-extension.ts'
import { Network } from '../../simulation/link.ts'
import type { VectorKind } from '../vector.ts'
import { actions, registerOn } from './actions.ts'
import type { Link, Stage } from './actions.ts'
import { meaningOf, Memory } from './meaning.ts'
import { recorded, Witness } from './witness.ts'
import { endsOf, Listener } from './transcript.ts'
import type { EndSetup, Entry, FeedSetup, Frame, Transcript } from './transcript.ts'

/** The handler of a file of transcripts. */
export function transcriptKind(name: string): VectorKind {
  return {
    name,
    *cases({ json }) {
      for (const each of json.cases as readonly Transcript[]) {
        yield { name: each.name, run: () => replayAll(each) }
      }
    },
  }
}

async function replayAll(transcript: Transcript): Promise<void> {
  const sides = new Set<string>()
  for (const stream of Object.values(transcript.setup.streams)) {
    for (const [side] of endsOf(stream)) sides.add(side)
  }
  for (const side of sides) {
    const replay = new Replay(transcript, side)
    // One side after the other: each has the transcript to itself.
    // oxlint-disable-next-line no-await-in-loop
    await replay.run()
  }
}

class Replay implements Stage {
  readonly #transcript: Transcript
  readonly #side: string
  readonly #network = new Network(1)
  readonly #logs = new Map<string, Log>()
  readonly #links = new Map<string, Link>()
  readonly #extensions = new Map<string, Extension | StreamExtension>()
  readonly witness = new Witness()
  readonly #expected = new Memory()
  readonly #ours = new Memory()
  readonly #byteLength: number

  constructor(transcript: Transcript, side: string) {
    this.#transcript = transcript
    this.#side = side
    const lengths = Object.values(transcript.final.feeds).map((feed) => feed.byteLength)
    this.#byteLength = Math.max(...lengths)
  }

  async run(): Promise<void> {
    await this.#openLogs()
    this.#connect()
    await this.#network.settle()
    for (const entry of this.#transcript.transcript) {
      // The transcript is a sequence.
      // oxlint-disable-next-line no-await-in-loop
      await this.#step(entry)
    }
    await this.#compareEnd()
    for (const { connection } of this.#links.values()) connection.destroy()
    await Promise.all([...this.#logs.values()].map((log) => log.close()))
  }

  async #openLogs(): Promise<void> {
    for (const [label, feed] of Object.entries(this.#transcript.setup.feeds)) {
      if (feed.side !== this.#side) continue
      // oxlint-disable-next-line no-await-in-loop
      const log = await this.#openLog(feed)
      this.witness.watchLog(label, log)
      this.#logs.set(label, log)
    }
    const first = this.#transcript.transcript
      .flatMap((entry) => (entry.from === this.#side ? (entry.frames ?? []) : []))
      .find((frame) => frame.name === 'Options' && frame.channel !== 0)
    for (const name of (first?.message?.['extensions'] ?? []) as readonly string[]) {
      for (const log of this.#logs.values()) {
        this.#extensions.set(name, registerOn(log, name, this.witness))
      }
    }
  }

  async #openLog(feed: FeedSetup): Promise<Log> {
    const log = new Log(
      new MemoryFolder().open,
      feed.role.startsWith('static') ? null : feed.publicKey,
      {
        ...feed.options,
        durability: 'none',
        secretKey: feed.secretKey,
        live: !feed.role.startsWith('static'),
        exact: true,
      },
    )
    await log.ready()
    await append(log, feed)
    if (feed.role.startsWith('static')) await log.finalize()
    const { preloadedBlocks = [] } = feed
    if (preloadedBlocks.length === 0) return log
    const source = Object.values(this.#transcript.setup.feeds).find(
      (other) => other.publicKey === feed.publicKey && other.blocks !== undefined,
    )
    assert.ok(source)
    const writer = await this.#openLog({ ...source, preloadedBlocks: [] })
    for (const index of preloadedBlocks) {
      // oxlint-disable-next-line no-await-in-loop
      const proof = await writer.proof(index, { digest: log.digest(index) })
      // oxlint-disable-next-line no-await-in-loop
      const value = (await writer.readBlocks(index, index + 1))[0] ?? null
      // oxlint-disable-next-line no-await-in-loop
      assert.deepEqual(await log.receive([{ index, value, ...proof }], null), [null])
    }
    await writer.close()
    return log
  }

  /** Make this side's streams, and attach what is attached from the start. */
  #connect(): void {
    const attached = (this.#transcript.transcript[0]?.events ?? [])
      .filter((each) => each.side === this.#side && each.event.endsWith(' peer-add'))
      .map((each) => each.event.slice(0, -' peer-add'.length))
    const links = Object.entries(this.#transcript.setup.streams)
    for (const [name, stream] of links) {
      const ends = endsOf(stream)
      const own = ends.find(([side]) => side === this.#side)?.[1]
      const other = ends.find(([side]) => side !== this.#side)?.[1]
      if (!own || !other) continue
      const refuses = 'onfeedauthenticate' in own.options
      const labels = refuses ? [...this.#logs.keys()] : [...new Set(attached)]
      const options = this.#optionsOf(own)
      const logs = labels.map((label) => this.#log(label))
      const first = logs[0]
      const connection = first
        ? replicate(first, own.initiator, options)
        : new Connection(own.initiator, options)
      for (const log of logs.slice(1)) replicate(log, connection, options)
      const listener = new Listener(stream.mode, own, other)
      const link: Link = {
        connection,
        listener,
        options,
        initiator: own.initiator,
        ended: false,
        byHand: false,
      }
      this.witness.watchStream(connection)
      connection.on('data', (bytes: Uint8Array) => listener.write(bytes))
      connection.on('end', () => (link.ended = true))
      connection.on('error', () => undefined)
      this.#links.set(name, link)
    }
  }

  #optionsOf(own: EndSetup): ReplicateOptions {
    const { onfeedauthenticate, ondiscoverykey, ...options } = own.options
    const known = (discoveryKey: Uint8Array): void => {
      const link = [...this.#links.values()][0]
      assert.ok(link)
      const log = [...this.#logs.values()].find(
        (each) => each.discoveryKey && equals(each.discoveryKey, discoveryKey),
      )
      if (log) replicate(log, link.connection, link.options)
      else link.connection.close(discoveryKey)
    }
    return {
      ...options,
      ...(own.staticSecret !== undefined && {
        keyPair: exchangeKeyPairOf(fromHex(own.staticSecret)),
        ephemeralSecret: fromHex(own.ephemeralSecret ?? ''),
        nonce: fromHex(own.nonce ?? ''),
      }),
      ...(onfeedauthenticate !== undefined && {
        onfeedauthenticate: (_log: unknown, _key: unknown, done: (error: Error) => void) =>
          done(new Error('refused')),
      }),
      ...(ondiscoverykey !== undefined && { ondiscoverykey: known }),
      timers: this.#network,
      random: () => 0,
    }
  }

  async #step(entry: Entry): Promise<void> {
    if (entry.action) this.#perform(entry.action)
    const link = this.#links.get(entry.link ?? '')
    if (link && entry.from === this.#side) this.#compareTurn(entry, link)
    else if (link && entry.from !== undefined) {
      this.#expected.received(entry.frames ?? [], entry.link ?? '')
      deliver(entry, link.connection)
    }
    await this.#network.settle()
  }

  #compareTurn(entry: Entry, link: Link): void {
    const { handshake, frames } = link.listener.take()
    if (entry.streamEnd) assert.ok(link.ended, `${this.#where(entry)}: the stream did not end`)
    assert.equal(handshake, (entry.handshake ?? []).join(''), this.#where(entry))
    if (link.byHand) {
      link.byHand = false
      return
    }
    const name = entry.link ?? ''
    const ours = meaningOf(
      withoutRefusals(frames, entry.frames),
      name,
      this.#byteLength,
      this.#ours,
    )
    const expected = meaningOf(entry.frames ?? [], name, this.#byteLength, this.#expected)
    assert.deepEqual(ours, expected, this.#where(entry))
  }

  #where(entry: Entry): string {
    return `side ${this.#side}, turn ${entry.turn ?? '?'} on ${entry.link ?? '?'}`
  }

  #perform(action: Readonly<Record<string, unknown>>): void {
    const run = actions[Object.keys(action)[0] ?? '']
    assert.ok(run, `unknown action ${JSON.stringify(action)}`)
    run(action, this)
  }

  /** The log of a label, when it is on our side. */
  own(label: unknown): Log | null {
    return this.#logs.get(String(label)) ?? null
  }

  #log(label: string): Log {
    const log = this.#logs.get(label)
    assert.ok(log)
    return log
  }

  get side(): string {
    return this.#side
  }

  link(name: unknown): Link | undefined {
    return this.#links.get(String(name)) ?? [...this.#links.values()][0]
  }

  extension(name: string): Extension | StreamExtension | undefined {
    return this.#extensions.get(name)
  }

  register(name: string, extension: Extension | StreamExtension): void {
    this.#extensions.set(name, extension)
  }

  /** Blocks that are gone may be asked for again. */
  forget(start: number, end: number): void {
    for (const memory of [this.#expected, this.#ours]) {
      for (const asked of memory.asked) {
        const index = Number(asked.split(' ')[1])
        if (index >= start && index < end) memory.asked.delete(asked)
      }
    }
  }

  async #compareEnd(): Promise<void> {
    const events = recorded(this.#transcript.transcript, this.#side)
    assert.deepEqual(this.witness.lines, events, `side ${this.#side}: events`)
    for (const [name, link] of this.#links) {
      const { frames } = link.listener.take()
      const rest = meaningOf(withoutRefusals(frames, []), name, this.#byteLength, this.#ours)
      const nothing = { control: [], requests: [], data: [], announced: [] }
      assert.deepEqual(rest, nothing, `side ${this.#side}: more than recorded`)
      const state = this.#transcript.final.streams[name]?.[this.#side]
      assert.equal(
        link.connection.destroyed ? 'closed' : 'open',
        state,
        `side ${this.#side}: stream`,
      )
    }
    for (const [label, log] of this.#logs) {
      const expected = this.#transcript.final.feeds[label]
      assert.ok(expected)
      const state = {
        length: log.length,
        byteLength: log.byteLength,
        blocks: runsHeld(log),
        peers: log.replicator?.peers.length ?? 0,
      }
      const { length, byteLength, blocks, peers } = expected
      assert.deepEqual(state, { length, byteLength, blocks, peers }, `side ${this.#side}: ${label}`)
    }
  }
}

async function append(log: Log, feed: FeedSetup): Promise<void> {
  const blocks = (feed.blocks ?? []).map(fromHex)
  if (blocks.length === 0) return
  if (feed.appendedAs === 'one batch') {
    await log.append(blocks)
    return
  }
  for (const block of blocks) {
    // oxlint-disable-next-line no-await-in-loop
    await log.append(block)
  }
}

function deliver(entry: Entry, connection: Connection): void {
  if (connection.destroyed) return
  if (entry.streamEnd) {
    connection.end()
    return
  }
  const transport = entry.cipher ?? entry.plain ?? ''
  const bytes = fromHex((entry.handshake ?? []).join('') + transport)
  if (bytes.length > 0) connection.write(bytes)
}

/** We tell that a block is gone, where v10 keeps silent (quirk Q-19). */
function withoutRefusals(
  frames: readonly Frame[],
  expected: readonly Frame[] = [],
): readonly Frame[] {
  if (expected.some((frame) => frame.name === 'Unhave')) return frames
  return frames.filter((frame) => frame.name !== 'Unhave')
}

function runsHeld(log: Log): number[][] {
  const runs: number[][] = []
  for (let index = 0; index < log.length; index++) {
    if (!log.has(index)) continue
    const last = runs[runs.length - 1]
    if (last?.[1] === index) last[1] = index + 1
    else runs.push([index, index + 1])
  }
  return runs
}
