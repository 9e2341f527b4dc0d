/**
 * Who may write a content log: one at a time, first come first served, across all drives and checkouts of the process.
 *
 * A stream holds the lock while it writes. Whole files queue as jobs instead; jobs that stand next to each other in
 * the queue are done together, which costs one append and one signature for all, and gives the same blocks in the
 * same order as one after the other.
 *
 * @see spec/40-drive.md 3.3
 * @module
 */
import type { Log } from '../../log/index.ts'

/** Jobs are done together up to this many bytes. */
const BATCH_BYTES = 16 * 1024 * 1024

/** A write that can be done together with others. */
export interface Job {
  /** Bytes it appends. */
  readonly byteLength: number
}

type Waiter<J> =
  { readonly type: 'hold'; readonly grant: () => void } | { readonly type: 'job'; readonly job: J }

/** The queue before one content log. */
export class ContentLock<J extends Job> {
  readonly #run: (jobs: readonly J[]) => Promise<void>
  readonly #queue: Waiter<J>[] = []
  #taken = false

  /** @param run - does jobs in order, and settles each; must not reject */
  constructor(run: (jobs: readonly J[]) => Promise<void>) {
    this.#run = run
  }

  /** Whether somebody writes, or waits to. */
  get taken(): boolean {
    return this.#taken
  }

  /** The lock, once it is free. Whoever has it calls the result, once, when done. */
  acquire(): Promise<() => void> {
    return new Promise((resolve) => {
      this.#queue.push({ type: 'hold', grant: () => resolve(this.#releaser()) })
      this.#next()
    })
  }

  /** Queue a job. */
  submit(job: J): void {
    this.#queue.push({ type: 'job', job })
    this.#next()
  }

  #next(): void {
    if (this.#taken) return
    const first = this.#queue[0]
    if (!first) return
    this.#taken = true
    if (first.type === 'hold') {
      this.#queue.shift()
      first.grant()
      return
    }
    const jobs = this.#takeJobs()
    void this.#run(jobs).finally(this.#releaser())
  }

  #takeJobs(): J[] {
    const jobs: J[] = []
    let byteLength = 0
    for (const waiter of this.#queue) {
      if (waiter.type !== 'job') break
      byteLength += waiter.job.byteLength
      if (jobs.length > 0 && byteLength > BATCH_BYTES) break
      jobs.push(waiter.job)
    }
    this.#queue.splice(0, jobs.length)
    return jobs
  }

  #releaser(): () => void {
    let released = false
    return () => {
      if (released) return
      released = true
      this.#taken = false
      this.#next()
    }
  }
}

/** One lock a log, made by `create` when it is first asked for. */
export class LockTable<J extends Job> {
  readonly #locks = new WeakMap<Log, ContentLock<J>>()

  /** The lock of `log`. */
  of(log: Log, create: () => ContentLock<J>): ContentLock<J> {
    let lock = this.#locks.get(log)
    if (!lock) {
      lock = create()
      this.#locks.set(log, lock)
    }
    return lock
  }
}
