/**
 * What one remote owes us: our Wants and Requests, and the Data that answers them.
 *
 * The Data of one received chunk are handed to the log together. It verifies them at once, so that the next
 * requests, which leave in the same turn, tell what was just proven; what is reserved stays so until it is on disk.
 *
 * @see spec/20-wire.md 3.6, 3.7 and 3.9
 * @module
 */
import { LogError } from '../../log/errors.ts'
import type { LogPeer } from '../../log/replicator.ts'
import type { SeekWish } from '../../log/wish.ts'
import { MerkleError } from '../../merkle/index.ts'
import type { Nuisance } from '../allowance.ts'
import type { Channel } from '../channel.ts'
import { WireError } from '../errors.ts'
import type { Data, Have, Unhave } from '../messages.ts'
import type { RemoteState } from './remote-state.ts'
import type { ReplicatedLog } from './replicated-log.ts'
import { RequestWindow } from './request-window.ts'
import type { Outstanding } from './request-window.ts'
import type { Reservations } from './reservations.ts'
import { WANT_BLOCKS, Wants } from './wants.ts'

/** Bytes of Data that this remote was not asked for and that wait for their batch; more are dropped. */
const MAX_UNASKED_BYTES = 1_048_576
/** Bytes that may wait for storage before the connection's transport is held. */
const MAX_GATHERED_BYTES = 8 * 1_048_576
/** Blocks of one remote that are asked for once more when what is stored here is at fault. */
const MAX_ASKED_ANEW = 1024
/** Times for each: its hash and a byte in it may have been asked for besides the block itself. */
const TIMES_ASKED_ANEW = 3
/** What it costs the remote to have a proof verified that nobody asked for. */
const UNASKED_PROOF = 64
/** The same for a bitfield that nobody asked for. */
const UNASKED_BITFIELD = 64
/** Bytes of a bitfield that are as much work to read as a message. */
const BITFIELD_BYTES_A_POINT = 64
/** Bytes that are as much work to ignore as a message. */
const BYTES_A_POINT = 4096
/** What a Data without its block is reckoned to take. */
const PROOF_BYTES = 4096

/** What a downloader needs of its peer. */
export interface DownloadOwner extends LogPeer {
  readonly channel: Channel
  readonly remote: RemoteState
  /** The remote wants its Data acknowledged. */
  readonly remoteAck: boolean
  /** Destroy the connection. */
  fail(error: WireError): void
  /** A block came that was not asked for and is not held. */
  refuse(index: number): void
  /** Data were stored, or requests let go: `changed` when blocks may be asked for again. */
  advanced(changed: boolean): void
}

/** Gets blocks from one remote. */
export class Downloader {
  readonly window: RequestWindow
  readonly wants: Wants
  /** When the remote last answered a request, by the connection's clock. */
  answeredAt = 0
  /** Requests sent. */
  asked = 0
  /** When the latest request that was answered had been sent. */
  answeredSentAt = 0
  readonly #owner: DownloadOwner
  readonly #log: ReplicatedLog
  readonly #reserved: Reservations
  #batch: Data[] = []
  #answers: (Outstanding | null)[] = []
  #unaskedBytes = 0
  #gatheredBytes = 0
  #letGo: () => void = nothing
  /** Batches handed to the log and not stored yet. */
  #storing = 0
  #lastBytes = -1
  /** Blocks asked for once more because of what was stored here, and how often. */
  readonly #askedAnew = new Map<number, number>()

  /** @param maxRequests - a fixed window, or `null` for one that grows */
  constructor(
    owner: DownloadOwner,
    log: ReplicatedLog,
    reserved: Reservations,
    maxRequests: number | null,
  ) {
    this.#owner = owner
    this.#log = log
    this.#reserved = reserved
    this.window = new RequestWindow(maxRequests)
    this.wants = new Wants(log.guard)
  }

  /** Whether Data came that are not stored yet. */
  get storing(): boolean {
    return this.#storing > 0 || this.#batch.length > 0
  }

  /** Ask, and reserve. The same byte is never asked for twice in a row: it would not be answered. */
  ask(index: number, hash: boolean, seek: SeekWish | null, late = false): void {
    const { channel } = this.#owner
    const bytes = seek === null || seek.byteOffset === this.#lastBytes ? 0 : seek.byteOffset
    if (bytes > 0) this.#lastBytes = bytes
    if (seek === null) this.#reserved.reserve(index, hash)
    else this.#reserved.reserveSeek(seek)
    const sentAt = channel.connection.timers.now()
    if (this.window.size === 0) this.answeredAt = sentAt
    this.asked++
    this.window.add({ index, hash, seek, sentAt, late })
    channel.request({ index, bytes, hash, nodes: this.#log.digest(index) })
  }

  /**
   * Ask for the proof of the remote's head, leaning on nothing that is here, whatever the log wants: so that two
   * writers of one key find out about each other. Returns whether there is a head to ask for.
   */
  probe(index: number = this.#owner.remote.length - 1): boolean {
    const { channel, remote } = this.#owner
    if (!remote.blocks.has(index)) return false
    const sentAt = channel.connection.timers.now()
    if (this.window.size === 0) this.answeredAt = sentAt
    this.#reserved.reserve(index, true)
    this.window.add({ index, hash: true, seek: null, sentAt, late: false })
    channel.request({ index, bytes: 0, hash: true, nodes: 0 })
    return true
  }

  /** Send the Wants that are due. */
  sendWants(): void {
    const { waiting, selections } = this.#log.wishes
    const { channel, remote } = this.#owner
    const now = channel.connection.timers.now()
    for (const start of this.wants.next(waiting, selections, remote.length, now)) {
      channel.want({ start, length: WANT_BLOCKS })
    }
  }

  /** The remote has more blocks. Returns whether that is worth an event. */
  have(message: Have): boolean {
    const expected = message.length === WANT_BLOCKS && this.wants.unanswered > 0
    const { changed, news, legacy } = this.#owner.remote.have(message)
    if (message.bitfield !== null && !expected) {
      this.#spend('have', UNASKED_BITFIELD + message.bitfield.length / BITFIELD_BYTES_A_POINT)
    } else if (!changed) this.#spend('have')
    if (expected) this.wants.answered()
    if (legacy) this.wants.disable()
    return news
  }

  /** The remote has fewer blocks: what it was asked for of them is free for others (quirk Q-19). */
  unhave(message: Unhave): void {
    const isNews = this.#owner.remote.unhave(message)
    const end = message.start + Math.max(message.length, 1)
    const gone: Outstanding[] = []
    for (const request of this.window.blocks()) {
      if (request.index >= message.start && request.index < end) gone.push(request)
    }
    // It may be so, but not over and over.
    this.#spend('unhave', (isNews ? 0.75 : 1) + 8 * Math.min(gone.length, 16))
    for (const request of gone) this.letGo(request)
    if (gone.length > 0) this.#owner.advanced(true)
  }

  /**
   * Take a Data; it is stored with its batch.
   *
   * @throws {@link WireError} `WIRE_BAD_DATA` for a bare hash that is not the leaf's
   */
  data(message: Data): void {
    const { index, value } = message
    if (value === null && message.nodes[0]?.index !== 2 * index) {
      throw new WireError(
        'WIRE_BAD_DATA',
        `the proof of block ${index} does not begin with its hash`,
      )
    }
    const now = this.#owner.channel.connection.timers.now()
    const answer = this.window.answer(index, value === null ? null : value.length, now)
    if (answer !== null) {
      this.answeredAt = now
      this.answeredSentAt = Math.max(this.answeredSentAt, answer.sentAt)
    }
    if (answer === null && !this.#log.allowPush) {
      if (value === null) this.#spend('proof', UNASKED_PROOF)
      else this.#spend('data', 4 + value.length / BYTES_A_POINT)
    }
    const wanted = (answer !== null && answer.seek !== null) || this.#reserved.hasBlock(index)
    if (value !== null && !this.#log.allowPush && !wanted) {
      if (!this.#log.has(index)) this.#owner.refuse(index)
      return
    }
    const bytes = bytesOf(message)
    if (answer === null && !this.#log.allowPush) {
      if (this.#unaskedBytes > MAX_UNASKED_BYTES) return
      this.#unaskedBytes += bytes
    }
    this.#gatheredBytes += bytes
    if (this.#gatheredBytes > MAX_GATHERED_BYTES) this.#holdBack()
    this.#batch.push(message)
    this.#answers.push(answer)
  }

  /** A chunk is over: hand the log what came with it. Returns whether anything did. */
  flush(): boolean {
    if (this.#batch.length === 0) return false
    const batch = this.#batch
    const answers = this.#answers
    this.#batch = []
    this.#answers = []
    this.#unaskedBytes = 0
    void this.#store(batch, answers)
    return true
  }

  /** A request is given up. */
  letGo(request: Outstanding): void {
    this.window.forget(request)
    this.#release(request)
  }

  /** The remote will answer nothing of what it was asked. */
  dropAll(): void {
    for (const request of this.window.clear()) this.#release(request)
  }

  /** Requests for places of bytes that nobody looks for any more are let go. */
  dropMetSeeks(): void {
    for (const request of Array.from(this.window)) {
      if (request.seek !== null && !this.#log.wishes.waiting.has(request.seek)) this.letGo(request)
    }
  }

  /** The channel is over: nothing stays reserved. What came is still stored. */
  stop(): void {
    this.dropAll()
    this.wants.reset()
  }

  async #store(batch: readonly Data[], answers: readonly (Outstanding | null)[]): Promise<void> {
    let failure: WireError | null = null
    let results: readonly (Error | null)[] | null = null
    this.#storing++
    try {
      results = await this.#log.receive(batch, this.#owner)
      batch.forEach((message, place) => {
        const error = results?.[place] ?? null
        if (error === null) this.#stored(message)
        else failure ??= this.#refused(message.index, error, answers[place] !== null)
      })
    } catch (cause) {
      failure = new WireError('WIRE_LOG_FAILED', 'the log could not store what came', { cause })
    }
    this.#storing--
    for (const message of batch) this.#gatheredBytes -= bytesOf(message)
    if (this.#gatheredBytes <= MAX_GATHERED_BYTES) this.#letGo()
    for (const answer of answers) if (answer !== null) this.#release(answer)
    if (failure !== null && !this.#owner.channel.closed) this.#owner.fail(failure)
    const again = results === null || results.some((error) => error !== null)
    this.#owner.advanced(again || batch.some((message) => message.value === null))
  }

  /**
   * What a block that was not taken means. When what is stored here is at fault, it is asked for once more, with
   * a proof that leans on nothing here.
   */
  #refused(index: number, error: Error, asked: boolean): WireError | null {
    if (error instanceof LogError && error.code === 'LOG_CLOSED') return null
    if (error instanceof LogError && error.code === 'LOG_BEHIND') {
      // The answer to a probe. The proof of the first block that is not here shows whether the histories part.
      if (index !== this.#log.length && !this.#owner.channel.closed) this.probe(this.#log.length)
      return null
    }
    if (error instanceof LogError && error.code === 'LOG_FORK') {
      // Nothing more is to be had from this remote; what else goes over the connection is not concerned.
      this.#owner.channel.close()
      return null
    }
    const times = this.#askedAnew.get(index) ?? 0
    if (isOurs(error, asked) && times < TIMES_ASKED_ANEW && this.#askedAnew.size < MAX_ASKED_ANEW) {
      this.#askedAnew.set(index, times + 1)
      return null
    }
    // What is stored here stands in the way, whoever sends it: no fault of this remote's.
    const code = isBad(error) ? 'WIRE_BAD_DATA' : 'WIRE_LOG_FAILED'
    return new WireError(code, `block ${index} is refused: ${error.message}`, { cause: error })
  }

  /** Let the transport wait until the disk has caught up. */
  #holdBack(): void {
    if (this.#letGo !== nothing) return
    const release = this.#owner.channel.connection.holdIncoming()
    this.#letGo = () => {
      this.#letGo = nothing
      release()
    }
  }

  #spend(nuisance: Nuisance, cost = 1): void {
    this.#owner.channel.connection.allowance.spend(nuisance, cost)
  }

  #stored({ index, value }: Data): void {
    const { channel, remoteAck, stats } = this.#owner
    if (value !== null) {
      stats.downloadedBlocks++
      stats.downloadedBytes += value.length
    }
    if (remoteAck) channel.have({ start: index, length: 1, ack: true })
  }

  #release(request: Outstanding): void {
    if (request.seek === null) this.#reserved.release(request.index, request.hash)
    else this.#reserved.releaseSeek(request.seek)
  }
}

function nothing(): void {}

function bytesOf({ value }: Data): number {
  return PROOF_BYTES + (value?.length ?? 0)
}

/** Whether the block did not verify. */
function isBad(error: Error): boolean {
  if (!(error instanceof LogError)) return false
  return error.code === 'LOG_BAD_PROOF' || error.code === 'LOG_CONTRADICTION'
}

/**
 * Whether a block was refused because of what is stored here: damaged, a lie that came with a proof, or of
 * another history than the remote's, which only a proof that leans on nothing here can show.
 */
function isOurs(error: Error, asked: boolean): boolean {
  if (error instanceof LogError) {
    if (error.code === 'LOG_CORRUPT') return true
    if (error.code === 'LOG_CONTRADICTION') return asked
  }
  return error.cause instanceof MerkleError && error.cause.code === 'MERKLE_WRONG_SIZE'
}
