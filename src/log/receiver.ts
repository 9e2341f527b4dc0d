/**
 * Taking blocks from others: verified in order, written together, announced last.
 *
 * Verification is synchronous as long as the nodes it needs are in memory, and what was proven counts
 * for the next block (and for `digest`) at once. While one batch is being written the next is already
 * verified; then the bits of the first are set, and its pages flushed. Nothing of a block that fails
 * is kept.
 *
 * @see spec/10-log.md 3.4 and 3.5
 * @module
 */
import { copy } from '../bytes.ts'
import { MerkleError, addNode } from '../merkle/index.ts'
import type { MutableNodeSet, Verified } from '../merkle/index.ts'
import { forkError } from './core.ts'
import type { Core } from './core.ts'
import { LogError, closedError } from './errors.ts'
import type { ForkEvidence } from './events.ts'
import { judge } from './fork.ts'
import { assertMayGrow } from './growth.ts'
import { cutLeftovers } from './leftovers.ts'
import { becomePart } from './part.ts'
import { approve, finish } from './receive-job.ts'
import type { Job, ReceiveResults } from './receive-job.ts'
import { ReceivedBatch } from './received-batch.ts'
import type { VerifiedBlock } from './received-batch.ts'
import type { LogPeer, ReceivedBlock } from './replicator.ts'
import { Verifier } from './verifier.ts'

/** What the log does once a batch is stored; `before` is what it was if it is longer now. */
export type Stored = (
  blocks: readonly VerifiedBlock[],
  before: Pick<Core, 'length' | 'roots'> | null,
) => Promise<void>
/** What the log does when its key turns out to have signed two histories. */
export type Forked = (evidence: ForkEvidence) => Promise<void>

/** Receives blocks for one log. */
export class Receiver {
  readonly #core: Core
  readonly #onstored: Stored
  readonly #onforked: Forked
  readonly #jobs: Job[] = []
  readonly #verifier: Verifier
  /** Some proof did not go with what is stored here: until one does, all have to stand alone. */
  #suspects = false
  #loading: Promise<void> | null = null
  #writer: Promise<void> | null = null

  /** @param onstored - called once a batch is written and its bits are set */
  constructor(core: Core, onstored: Stored, onforked: Forked) {
    this.#core = core
    this.#verifier = new Verifier(core)
    this.#onstored = onstored
    this.#onforked = onforked
  }

  /** Nodes that are known: stored, or proven and on their way to disk. */
  get nodes(): MutableNodeSet {
    return this.#verifier.nodes
  }

  /** Whether the stored leaf of a block is not to be relied on. */
  distrusts(index: number): boolean {
    return this.#suspects || this.#verifier.distrusted.has(index)
  }

  /** The next proof of this block has to stand alone. */
  distrust(index: number): void {
    this.#verifier.distrusted.add(index)
  }

  /** Whether some proof did not go with what is stored, and nobody can tell yet why. */
  get suspects(): boolean {
    return this.#suspects
  }

  /** Verify blocks in order and store those that are right. Rejects only when storage fails. */
  receive(blocks: readonly ReceivedBlock[], source: LogPeer | null): Promise<ReceiveResults> {
    if (this.#core.closed) return Promise.resolve(blocks.map(closedError))
    return new Promise((resolve, reject) => {
      const results = blocks.map(() => null)
      this.#jobs.push({ blocks, source, results, next: 0, open: 1, resolve, reject })
      if (!this.#loading) this.#verify()
    })
  }

  /** Resolves once everything is stored. */
  async idle(): Promise<void> {
    while (this.#loading || this.#writer) {
      // oxlint-disable-next-line no-await-in-loop
      await (this.#loading ?? this.#writer)
    }
  }

  /** Verify what is queued, up to a block whose nodes have to be read first. */
  #verify(): void {
    for (let job = this.#jobs[0]; job; job = this.#jobs[0]) {
      while (job.next < job.blocks.length) {
        const slot = job.next++
        const block = job.blocks[slot]
        const waits = block && this.#take(job, block, slot)
        if (!waits) continue
        this.#loading = this.#goOnAfter(waits, job, slot)
        this.#startWriting()
        return
      }
      this.#jobs.shift()
      finish(job)
    }
    this.#startWriting()
  }

  async #goOnAfter(waits: Promise<void>, job: Job, slot: number): Promise<void> {
    try {
      await waits
    } catch (error) {
      await this.#refuse(job, slot, error)
    }
    this.#loading = null
    this.#verify()
  }

  /** Verify one block and stage it; gives a promise when that takes a read or a hook. */
  #take(job: Job, block: ReceivedBlock, slot: number): Promise<void> | null {
    try {
      const preparing = this.#verifier.prepare(block)
      if (preparing || this.#core.onwrite) return this.#takeSlowly(job, block, slot, preparing)
      const verified = this.#verifier.check(block)
      if (verified instanceof Promise || this.#verifier.contradicts(verified)) {
        return this.#takeSlowly(job, block, slot, null)
      }
      const placed = this.#verifier.place(block, verified)
      if (placed instanceof Promise) {
        return placed.then((byteOffset) => this.#stage(job, block, slot, verified, byteOffset))
      }
      this.#stage(job, block, slot, verified, placed)
    } catch (error) {
      return this.#refuse(job, slot, error)
    }
    return null
  }

  async #takeSlowly(
    job: Job,
    block: ReceivedBlock,
    slot: number,
    preparing: Promise<unknown> | null,
  ): Promise<void> {
    await preparing
    const verified = await this.#verifier.check(block)
    if (this.#verifier.contradicts(verified)) await this.#judge(block) // goes on if our disk is at fault
    const byteOffset = await this.#verifier.place(block, verified)
    await approve(this.#core, block, job.source)
    this.#stage(job, block, slot, verified, byteOffset)
  }

  #stage(
    job: Job,
    block: ReceivedBlock,
    slot: number,
    verified: Verified,
    byteOffset: number,
  ): void {
    const { value, index } = block
    if (verified.head) assertMayGrow(this.#core, block, verified.head.length)
    if (verified.head?.signature) this.#suspects = false
    const staged = this.#verifier.staged
    for (const node of verified.nodes) {
      if (this.#verifier.isKnown(node)) continue
      staged.nodes.set(node.index, node)
      addNode(this.nodes, node.index)
      staged.known.add(node.index)
    }
    if (verified.head) staged.heads.set(verified.head.length, verified.head)
    this.#verifier.distrusted.delete(index)
    if (value) {
      this.#verifier.placed(index, byteOffset + value.length)
      if (!this.#core.bitfield.has(index)) {
        staged.blocks.push({ index, value, byteOffset, source: job.source })
      }
    }
    job.open++
    staged.settled.push((error) => {
      if (error !== null) job.reject(error)
      else finish(job)
    })
    job.results[slot] = null
  }

  #refuse(job: Job, slot: number, error: unknown): Promise<void> | null {
    const block = job.blocks[slot]
    if (error instanceof MerkleError && block) {
      if (error.code === 'MERKLE_WRONG_SIZE') this.#verifier.distrusted.add(block.index)
      if (this.#maybeForked(error)) return this.#refuseProof(job, block, slot, error)
      // Asked for before the block was distrusted, an honest answer leans on what it was told is here.
      const isEarly =
        error.code === 'MERKLE_NO_SIGNATURE' && this.#verifier.distrusted.has(block.index)
      const code = isEarly ? 'LOG_CONTRADICTION' : 'LOG_BAD_PROOF'
      job.results[slot] = new LogError(code, error.message, { cause: error })
    } else if (error instanceof LogError && error.code === 'LOG_NOT_PROVABLE' && block) {
      this.#verifier.distrusted.add(block.index) // the proof leans on a node that our disk lost
      job.results[slot] = new LogError('LOG_CORRUPT', error.message, { cause: error })
    } else if (error instanceof LogError) {
      job.results[slot] = error
    } else {
      job.reject(error)
    }
    return null
  }

  #maybeForked({ code }: MerkleError): boolean {
    if (this.#core.length === 0 || !this.#core.live) return false
    return (
      code === 'MERKLE_FORK' || code === 'MERKLE_BAD_SIGNATURE' || code === 'MERKLE_MISSING_ROOTS'
    )
  }

  async #refuseProof(job: Job, block: ReceivedBlock, slot: number, cause: MerkleError) {
    try {
      // Asked for before the block was distrusted, an honest answer leans on what it was told is here.
      const isEarly =
        this.#verifier.distrusted.has(block.index) && cause.code === 'MERKLE_MISSING_ROOTS'
      if (isEarly) this.#verifier.distrusted.delete(block.index) // a v10 never sends again what it was told is here
      const why = await this.#judge(block)
      const refused = why === 'unclear' || isEarly ? 'LOG_CONTRADICTION' : 'LOG_BAD_PROOF'
      const code = why === 'sound' ? 'LOG_CORRUPT' : refused
      if (why === 'sound') this.#verifier.distrusted.add(block.index)
      job.results[slot] = new LogError(code, cause.message, { cause })
    } catch (error) {
      if (error instanceof LogError) job.results[slot] = error
      else job.reject(error)
    }
  }

  /** A proof does not go with what is stored: find out who is wrong. */
  async #judge(block: ReceivedBlock): Promise<'sound' | 'bad' | 'unclear'> {
    await Promise.resolve() // what was verified before begins to be written
    // oxlint-disable-next-line no-await-in-loop
    while (this.#writer) await this.#writer
    const judgement = await judge(this.#core, block)
    if (judgement.type === 'unclear') this.#suspects = true
    if (judgement.type !== 'fork') return judgement.type
    if (!this.#core.fork) await this.#onforked(judgement.evidence)
    throw forkError(judgement.evidence)
  }

  #startWriting(): void {
    if (this.#verifier.staged.settled.length === 0) return
    // Failures go to the jobs whose blocks they concern.
    this.#writer ??= this.#write().finally(() => {
      this.#writer = null
      this.#startWriting()
    })
  }

  async #write(): Promise<void> {
    while (this.#verifier.staged.settled.length > 0) {
      const batch = this.#verifier.staged
      this.#verifier.staged = new ReceivedBatch()
      this.#verifier.writing = batch
      let failure: unknown = null
      try {
        // oxlint-disable-next-line no-await-in-loop
        await this.#core.content.run(() => this.#store(batch))
      } catch (error) {
        failure = error ?? new LogError('LOG_STORAGE', 'storage failed')
        // What was verified since leans on nodes that are now not there.
        batch.settled.push(...this.#verifier.staged.settled)
        this.#verifier.restart()
      }
      this.#verifier.writing = null
      for (const settle of batch.settled) settle(failure)
    }
  }

  async #store(batch: ReceivedBatch): Promise<void> {
    const core = this.#core
    if (batch.isEmpty) return
    try {
      if (core.leftovers) await cutLeftovers(core)
      if (batch.growsBeyond(core.length)) await becomePart(core)
      await core.durable.contentComing()
      await batch.write(core)
      await core.durable.contentWritten()
    } catch (error) {
      core.leftovers ??= 'signatures'
      throw error
    }
    core.tree.keep([...batch.nodes.values()])
    for (const treeIndex of batch.nodes.keys()) addNode(core.bitfield.nodes, treeIndex)
    for (const { index } of batch.blocks) core.bitfield.set(index, index + 1, true)
    const { length, roots } = core
    for (const head of batch.heads.values()) {
      core.live = head.signature !== null
      if (head.length <= core.length) continue
      core.length = head.length
      core.byteLength = head.byteLength
      core.roots = head.roots.map((root) => ({ ...root, hash: copy(root.hash) }))
    }
    // Set: the nodes are no longer only in memory.
    this.#verifier.writing = null
    await this.#onstored(batch.blocks, core.length > length ? { length, roots } : null)
  }
}
