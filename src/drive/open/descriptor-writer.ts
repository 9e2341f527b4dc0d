/**
 * Writing a file in order through a descriptor: pieces are joined into blocks, and one entry is stored at the end.
 *
 * Nothing happens before the first piece. Then the content log's lock is taken and held until `close`; what is
 * there already when appending is written again first, so that the file is one run of blocks, as v10 needs it;
 * unless it ends the content log, so that new blocks can follow it.
 *
 * @see spec/40-drive.md 3.7, write
 * @module
 */
import { copy } from '../../bytes.ts'
import { COALESCE_BYTES, Coalescer } from '../content/coalescer.ts'
import { type Beginning, type ContentWriter, openContentWriter } from '../content/content.ts'
import type { DriveContext } from '../context.ts'
import { findEntry } from '../entries/lookup.ts'
import { type Run, readBlocks, runOf } from '../content/run.ts'
import type { Stat } from '../entries/stat.ts'

/** The writing side of one descriptor. */
export class DescriptorWriter {
  readonly #context: DriveContext
  readonly #path: string
  #stat: Stat
  readonly #run: Run | null
  readonly #append: boolean
  readonly #coalescer = new Coalescer()
  #writer: ContentWriter | null = null
  /** What was asked for so far, in order; null before the first piece. Once it fails, what follows fails alike. */
  #work: Promise<void> | null = null
  #timer: NodeJS.Timeout | null = null

  /**
   * @param context - the drive
   * @param path - absolute, links resolved
   * @param opened - the entry whose mode, owners, times and metadata the file keeps, and its content then
   * @param append - whether what is there comes first
   */
  constructor(
    context: DriveContext,
    path: string,
    opened: { readonly stat: Stat; readonly run: Run | null },
    append: boolean,
  ) {
    this.#context = context
    this.#path = path
    this.#stat = opened.stat
    this.#run = opened.run
    this.#append = append
  }

  /** Keep mode, owners, times and metadata of this entry instead. */
  adopt(stat: Stat): void {
    this.#stat = stat
  }

  /** Whether anything was written. */
  get started(): boolean {
    return this.#work !== null
  }

  /** Take a piece; settles when its bytes may be reused. The failure of an earlier piece is thrown again. */
  write(piece: Uint8Array): Promise<void> {
    // A piece of a block or more leaves before this settles, so it need not be copied.
    const own = piece.length >= COALESCE_BYTES ? piece : copy(piece)
    return this.#then(async () => {
      this.#writer ??= await this.#open()
      await this.#send(this.#coalescer.push(own))
      this.#startTimer()
    })
  }

  /** Write what is pending, then the entry. Without a write nothing is stored. */
  async close(): Promise<void> {
    this.#stopTimer()
    if (!this.#work) return
    try {
      await this.#then(async () => {
        await this.#send(this.#coalescer.flush())
        await this.#writer?.finish()
      })
    } catch (error) {
      await this.#writer?.abort()
      throw error
    }
  }

  /** Take the lock and write what comes first. */
  async #open(): Promise<ContentWriter> {
    const begin = this.#append ? () => this.#beginning() : undefined
    const writer = await openContentWriter(this.#context, this.#path, this.#stat, { begin })
    this.#writer = writer
    if (!writer.before) return writer
    for await (const block of readBlocks(writer.before, 0, Infinity, this.#context.reads())) {
      await this.#send(this.#coalescer.push(block))
    }
    return writer
  }

  /** The file as it is now, not as it was when the descriptor was opened (`exact`: as it was, like v10). */
  async #beginning(): Promise<Beginning> {
    if (this.#context.exact) return { stat: this.#stat, before: this.#run }
    const entry = await findEntry(this.#context, this.#path)
    if (!entry) return { stat: this.#stat, before: null }
    const before = await runOf(this.#context, entry, this.#context.reads())
    return { stat: entry.stat, before }
  }

  async #send(chunks: readonly Uint8Array[]): Promise<void> {
    if (chunks.length > 0) await this.#writer?.write(chunks)
  }

  #startTimer(): void {
    const after = this.#context.settings.descriptorFlushMs
    if (this.#timer || !this.#coalescer.pending || after === Infinity) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      // A failure is told by the next write or by close, which come after it.
      this.#then(() => this.#send(this.#coalescer.flush())).catch(() => {})
    }, after)
  }

  #stopTimer(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  /** Run `step` after everything asked for before. */
  #then(step: () => Promise<void>): Promise<void> {
    this.#work = this.#work ? this.#work.then(step) : step()
    return this.#work
  }
}
