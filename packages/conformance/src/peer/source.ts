/**
 * A source as the chapters want it, and what is asked of a reader that the kit met.
 *
 * @see docs/protocol/20-wire.md 3.6 to 3.9
 * @module
 */
import { encodeRle } from 'varve/log'
import { type BlockProof } from 'varve/merkle'
import { same } from '../expect.ts'
import type { WholeLog } from '../reference-log.ts'
import { fixtureLog } from './fixture.ts'
import type { Stage } from './stage.ts'
import { LIMIT_MS, type Remote } from './remote.ts'

const ALL = { start: 0, length: 1_048_576 }

/** A source as the chapters want it: it tells what it has, and answers. */
export class Source {
  readonly log: WholeLog
  readonly remote: Remote
  answered = 0
  /** Change an answer, or leave it out. */
  change: (answer: BlockProof, request: { hash: boolean; index: number }) => BlockProof | null = (
    answer,
  ) => answer

  constructor(remote: Remote, log: WholeLog = fixtureLog()) {
    this.remote = remote
    this.log = log
    remote.socket.on('data', () => queueMicrotask(() => this.#answer()))
  }

  /** Say that we send and do not fetch, and that we have everything. */
  offer(): this {
    this.remote.say(1, 'Status', { uploading: true, downloading: false })
    this.remote.say(1, 'Have', { start: this.log.length - 1 })
    this.remote.say(1, 'Have', { ...ALL, bitfield: this.bits() })
    this.#answer()
    return this
  }

  /** The coded bits of the blocks, or of these. */
  bits(held?: readonly number[]): Uint8Array {
    const bits = new Uint8Array(Math.ceil(this.log.length / 8))
    for (let i = 0; i < this.log.length; i++) {
      if (!held || held.includes(i)) bits[i >> 3] = (bits[i >> 3] ?? 0) | (128 >> (i & 7))
    }
    return encodeRle(bits)
  }

  #answer(): void {
    const requests = this.remote.all('Request')
    for (; this.answered < requests.length; this.answered++) {
      const request = requests[this.answered]
      if (!request || request.index >= this.log.length) continue
      const { index, hash, nodes: digest } = request
      const answer = this.change(this.log.prove(index, { digest, hash }), request)
      if (answer) this.remote.say(1, 'Data', answer)
    }
  }
}

/** A reader that the kit met, with the log open on both sides. */
export async function reader(stage: Stage, serving = {}): Promise<Remote> {
  await stage.reader(serving)
  const remote = await stage.met()
  await remote.message('Open')
  return remote
}

/** The subject holds exactly these blocks, within the usual time. */
export async function holdsRuns(
  stage: Stage,
  length: number,
  runs: readonly (readonly [number, number])[],
): Promise<void> {
  const end = Date.now() + LIMIT_MS
  for (;;) {
    const state = await stage.ask('state', {})
    const got = JSON.stringify([state.length, state.held])
    if (got === JSON.stringify([length, runs])) return
    if (Date.now() > end)
      return same([state.length, state.held], [length, runs], 'length, and runs of blocks')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** The subject has read everything, and asked for nothing. */
export async function asksNothing(remote: Remote): Promise<void> {
  await remote.heard()
  await remote.heard()
  same(remote.all('Request').length, 0, 'requests')
}

/** Everything came: seen from outside by the answers that were asked for, from inside by the state. */
export async function complete(stage: Stage, source: Source): Promise<void> {
  const wanted = source.log.length
  await source.remote.until(
    () => new Set(source.remote.all('Request').map(({ index }) => index)).size >= wanted,
    'a request of every block',
  )
  if (stage.target.kind === 'driven') await holdsRuns(stage, wanted, [[0, wanted]])
}
