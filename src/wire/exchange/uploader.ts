/**
 * What we owe one remote: answers to its Wants and Requests, and news of our blocks.
 *
 * Incoming frames are always taken; what they ask for waits as descriptors, and blocks are read only while the
 * connection has room for them, one run of neighbours at a time.
 *
 * @see spec/20-wire.md 3.6 and 3.9
 * @module
 */
import { asError } from '../../errors.ts'
import { LogError } from '../../log/errors.ts'
import type { LogPeer, TransferStats } from '../../log/replicator.ts'
import { SparseNodeSet } from '../../merkle/node-set.ts'
import type { Proof } from '../../merkle/tree-node.ts'
import { StorageError } from '../../storage/index.ts'
import type { Channel } from '../channel.ts'
import { WireError } from '../errors.ts'
import { MAX_PAYLOAD_BYTES } from '../limits.ts'
import type { Cancel, Request, Want } from '../messages.ts'
import { PAGE_BLOCKS } from './remote-blocks.ts'
import type { RemoteState } from './remote-state.ts'
import type { ReplicatedLog } from './replicated-log.ts'
import { ServeQueue } from './serve-queue.ts'
import { WANT_BLOCKS } from './wants.ts'

/** Neighbouring blocks that are read together. */
const RUN_BLOCKS = 64
/** Bytes of blocks that are read before they are handed to the connection. */
const RUN_BYTES = 1_048_576
/** Nodes of our tree that the remote is remembered to have; beyond, memory begins anew. */
const REMOTE_TREE_NODES = 16_384

/** Wants whose places are remembered. */
const MAX_WANTED = 4096
/** What a Want costs its sender that was answered before, or is about nothing. */
const REPEATED_WANT = 32
/** Bytes that a Data takes beside its block, at most: 104 nodes and a signature. */
const PROOF_BYTES = 8192

/** What an uploader needs of its peer. */
export interface UploadOwner extends LogPeer {
  readonly channel: Channel
  readonly remote: RemoteState
  readonly uploading: boolean
  /** Destroy the connection. */
  fail(error: WireError): void
  /** Requests were answered. */
  served(): void
}

/** Serves one remote. */
export class Uploader {
  /** Whether the remote has sent a Want that we answered, and so hears of new blocks. */
  remoteWant = false
  /** Requests taken. */
  asked = 0
  readonly #owner: UploadOwner
  readonly #log: ReplicatedLog
  readonly #queue = new ServeQueue()
  #remoteTree = new SparseNodeSet()
  /** Where the ranges begin that the remote asked about; none is beyond the log. */
  readonly #wanted = new Set<number>()
  /** The byte offset that a request was last resolved for (quirk Q-18). */
  #lastBytes = -1
  #serving = false
  /** Counters of the log over all its peers. */
  readonly #totals: TransferStats | null

  /** Serves `log` to `owner`'s remote. */
  constructor(owner: UploadOwner, log: ReplicatedLog) {
    this.#owner = owner
    this.#log = log
    this.#totals = log.stats?.totals ?? null
  }

  /** Requests that wait for their answer. */
  get queued(): number {
    return this.#queue.size
  }

  /** Answer a Want, at once or when the connection has room. */
  want(message: Want): void {
    if (!this.#owner.uploading) return
    const { start, length } = message
    const { allowance } = this.#owner.channel.connection
    if (start % PAGE_BLOCKS !== 0 || length % PAGE_BLOCKS !== 0) return allowance.spend('want')
    const isNew = start <= this.#log.length && this.#wanted.size < MAX_WANTED
    if (!isNew || this.#wanted.has(start)) allowance.spend('want', REPEATED_WANT)
    else this.#wanted.add(start)
    if (this.#owner.channel.connection.congested) this.#queue.pushWant(message)
    else this.#answerWant(message)
  }

  /**
   * Take a Request; it is answered after the batch.
   *
   * @throws {@link WireError} `WIRE_BAD_REQUEST` for a block beyond the log, `WIRE_TOO_MANY_REQUESTS`
   */
  request(message: Request): void {
    if (!this.#owner.uploading) return
    if (message.bytes === 0 && message.index >= this.#log.length) {
      throw new WireError(
        'WIRE_BAD_REQUEST',
        `block ${message.index} was asked for, of ${this.#log.length}`,
      )
    }
    this.#queue.push(message)
    this.asked++
  }

  /** Forget a Request that still waits. */
  cancel(message: Cancel): void {
    this.#owner.channel.connection.allowance.spend('cancel')
    this.#queue.cancel(message)
  }

  /** The remote may have what waits, if the connection has room. */
  pump(): void {
    if (this.#serving || this.#queue.size === 0) return this.#answerWants()
    this.#serving = true
    void this.#serve()
  }

  /** Tell of blocks `[start, start + length)`. */
  announce(start: number, length: number): void {
    if (!this.remoteWant) return
    this.#owner.channel.have(length === 1 ? { start } : { start, length })
  }

  /** Tell that blocks `[start, start + length)` are gone. */
  withdraw(start: number, length: number): void {
    if (this.remoteWant) this.#owner.channel.unhave({ start, length })
  }

  /** Refuse a block nobody asked for. */
  refuse(index: number): void {
    const { channel } = this.#owner
    if (this.remoteWant && !channel.connection.congested) channel.unhave({ start: index })
  }

  /** The channel is over, or uploading was switched off. */
  stop(): void {
    this.#queue.clear()
  }

  #answerWants(): void {
    while (!this.#owner.channel.connection.congested) {
      const want = this.#queue.shiftWant()
      if (want === null) return
      this.#answerWant(want)
    }
  }

  #answerWant({ start, length }: Want): void {
    const { channel } = this.#owner
    const last = this.#log.length - 1
    if (!this.remoteWant && last >= 0 && this.#log.has(last)) channel.have({ start: last })
    this.remoteWant = true
    const span = length === 0 ? WANT_BLOCKS : Math.min(length, WANT_BLOCKS)
    channel.have({ start, length, bitfield: this.#log.compressBitfield(start, span) })
  }

  async #serve(): Promise<void> {
    const { channel } = this.#owner
    try {
      this.#answerWants()
      while (this.#queue.size > 0 && !channel.connection.congested && !channel.closed) {
        // One run after the other, of all channels: what is read ahead of the remote stays bounded.
        // oxlint-disable-next-line no-await-in-loop
        await this.#answerInTurn()
      }
    } catch (error) {
      if (!channel.closed) this.#owner.fail(asRequestError(error))
    } finally {
      this.#serving = false
    }
    if (!channel.closed) this.#owner.served()
  }

  /** Answer a run once no other channel of the connection is at it, if there still is room then. */
  async #answerInTurn(): Promise<void> {
    const { connection } = this.#owner.channel
    const turn = connection.turns.take()
    try {
      if (turn) await turn
      if (!turn || !connection.congested) await this.#answer(this.#queue.take(this.#runLength()))
    } finally {
      connection.turns.pass()
    }
  }

  /** As many blocks of average size as `RUN_BYTES` hold. */
  #runLength(): number {
    const average = this.#log.byteLength / Math.max(this.#log.length, 1)
    return Math.max(1, Math.min(RUN_BLOCKS, Math.floor(RUN_BYTES / Math.max(average, 1))))
  }

  async #answer(run: readonly Request[]): Promise<void> {
    const first = run[0]
    if (first === undefined) return
    if (first.bytes > 0) return this.#answerBytes(first)
    const proofs: (Proof | null)[] = []
    for (const request of run) {
      const proof = this.#prove(request)
      // Proofs are planned in order of arrival, and mostly at hand: only a read from disk is waited for.
      // oxlint-disable-next-line no-await-in-loop
      proofs.push(proof instanceof Promise ? await proof : proof)
    }
    if (first.hash) {
      if (proofs[0]) this.#send(first.index, null, proofs[0])
      return
    }
    await this.#sendRun(first.index, proofs)
  }

  async #sendRun(start: number, proofs: readonly (Proof | null)[]): Promise<void> {
    const end = start + proofs.length
    for (let index = start; index < end;) {
      if (!this.#log.has(index) || proofs[index - start] === null) {
        // v10 says nothing and lets the requester wait (quirk Q-19).
        this.#owner.channel.unhave({ start: index })
        index++
        continue
      }
      const missing = this.#log.nextMissing(index, end)
      // oxlint-disable-next-line no-await-in-loop
      const blocks = await this.#read(index, missing < 0 ? end : missing)
      if (blocks.length === 0) proofs = proofs.with(index - start, null)
      for (const block of blocks) {
        const proof = proofs[index - start]
        if (proof) this.#send(index, block, proof)
        index++
      }
    }
  }

  /** Blocks from `start` on; none when the first of them is damaged on our disk, or gone by now. */
  async #read(start: number, end: number): Promise<readonly Uint8Array[]> {
    try {
      return await this.#log.readBlocks(start, end, RUN_BYTES)
    } catch (error) {
      if (!isOurs(error)) throw error
      if (end - start > 1) return this.#read(start, start + 1)
      if (error instanceof LogError && error.code === 'LOG_CORRUPT') await this.#log.damaged(start)
      return []
    }
  }

  /** A Request that names a byte: for the block that holds it, else for the block it names as well. */
  async #answerBytes(request: Request): Promise<void> {
    const { bytes, hash } = request
    // The end of the log is in no block (quirk Q-17).
    const found =
      bytes < this.#log.byteLength ? await this.#log.seekLocal(bytes).catch(nullIfDamaged) : null
    if (found !== null) {
      if (bytes === this.#lastBytes) return
      this.#lastBytes = bytes
      return this.#answer([{ index: found.index, bytes: 0, hash, nodes: 0 }])
    }
    const { index, nodes } = request
    if (index >= this.#log.length) {
      throw new WireError(
        'WIRE_BAD_REQUEST',
        `block ${index} was asked for, of ${this.#log.length}`,
      )
    }
    return this.#answer([{ index, bytes: 0, hash, nodes }])
  }

  /** The proof that a request asks for; `null` when our disk does not give it. */
  #prove({ index, hash, nodes }: Request): Proof | null | Promise<Proof | null> {
    if (this.#remoteTree.size > REMOTE_TREE_NODES) this.#remoteTree = new SparseNodeSet()
    // A digest of 0 asks for a proof that leans on nothing, whatever was told before.
    const remoteTree = nodes === 0 ? new SparseNodeSet() : this.#remoteTree
    const failed = (error: unknown): null => {
      // What has a leaf can be proven, unless our disk lost other nodes.
      if (isOurs(error) || this.#log.hasNode(2 * index)) return null
      throw error
    }
    try {
      const proof = this.#log.proof(index, { digest: nodes, hash, remoteTree })
      return proof instanceof Promise ? proof.catch(failed) : proof
    } catch (error) {
      return failed(error)
    }
  }

  #send(index: number, value: Uint8Array | null, proof: Proof): void {
    const { channel, remote, uploading } = this.#owner
    if (!uploading || channel.closed) return
    if (value !== null) {
      // A log takes blocks of 8 MiB, of which no Data has room.
      if (value.length + PROOF_BYTES > MAX_PAYLOAD_BYTES) return channel.unhave({ start: index })
      this.#sent(value.length)
      this.#log.emit('upload', index, value, this.#owner)
    }
    remote.length = Math.max(remote.length, index + 1)
    channel.data({ index, value, nodes: proof.nodes, signature: proof.signature })
  }

  #sent(bytes: number): void {
    for (const stats of [this.#owner.stats, this.#totals]) {
      if (!stats) continue
      stats.uploadedBlocks++
      stats.uploadedBytes += bytes
    }
  }
}

/** Whether it is no fault of the remote's: our disk's, or the block was cleared meanwhile. The remote may ask others. */
function isOurs(error: unknown): boolean {
  if (error instanceof StorageError) return true
  return (
    error instanceof LogError && (error.code === 'LOG_CORRUPT' || error.code === 'LOG_NOT_HELD')
  )
}

/** Where our disk lost nodes of the tree, a byte is not found from them. */
function nullIfDamaged(error: unknown): null {
  if (isOurs(error)) return null
  if (error instanceof LogError && error.code === 'LOG_NOT_PROVABLE') return null
  throw error
}

function asRequestError(cause: unknown): WireError {
  if (cause instanceof WireError) return cause
  const message = asError(cause).message
  if (!(cause instanceof LogError)) {
    return new WireError('WIRE_LOG_FAILED', `the log could not answer: ${message}`, { cause })
  }
  return new WireError('WIRE_BAD_REQUEST', `a request cannot be answered: ${message}`, { cause })
}
