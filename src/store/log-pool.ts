/**
 * The opened logs of a store, each once, whoever asked for it.
 *
 * A log is referenced by the store objects that got it. The pool holds at most `capacity` logs: when one more comes,
 * unreferenced ones are closed, oldest first, but never the one just added (so that the pool may stay larger by one,
 * or by as many as are in use).
 *
 * @see spec/40-drive.md 3.1
 * @module
 */
import { toHex } from '../bytes.ts'
import type { Log } from '../log/index.ts'

/** One opened log and who uses it. */
interface PooledLog {
  readonly log: Log
  readonly users: Set<object>
}

/** Logs by discovery key, in the order they were opened. */
export class LogPool {
  readonly #capacity: number
  readonly #logs = new Map<string, PooledLog>()
  /** What each user uses, in the order it got it. */
  readonly #uses = new Map<object, Set<string>>()
  /** Those that nobody uses, in the order they were opened: a peer asked for them. */
  readonly #unused = new Set<string>()
  /** Logs that were dropped and still close. */
  readonly #closing = new Set<Promise<void>>()

  /** @param capacity - most logs held while unreferenced ones can go */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** The log with that discovery key. */
  get(discoveryKey: Uint8Array): Log | null {
    return this.#logs.get(toHex(discoveryKey))?.log ?? null
  }

  /** Hold a log just made; it leaves by itself when it closes or does not open. */
  add(discoveryKey: Uint8Array, log: Log): void {
    const id = toHex(discoveryKey)
    this.#logs.set(id, { log, users: new Set() })
    this.#unused.add(id)
    const leave = (): void => {
      if (this.#logs.get(id)?.log === log) this.#forget(id)
    }
    log.once('close', leave)
    log.ready().catch(leave)
    this.#evict(id)
  }

  /** Count `user` among those who use a log; once, however often it got it. */
  reference(discoveryKey: Uint8Array, user: object): void {
    const id = toHex(discoveryKey)
    const pooled = this.#logs.get(id)
    if (!pooled) return
    pooled.users.add(user)
    this.#unused.delete(id)
    const uses = this.#uses.get(user) ?? new Set<string>()
    this.#uses.set(user, uses)
    uses.add(id)
  }

  /** Whether `user` is counted among those who use the log with that discovery key. */
  isUsedBy(discoveryKey: Uint8Array, user: object): boolean {
    return this.#logs.get(toHex(discoveryKey))?.users.has(user) ?? false
  }

  /** Whether any store object uses the log with that discovery key. */
  isReferenced(discoveryKey: Uint8Array): boolean {
    return (this.#logs.get(toHex(discoveryKey))?.users.size ?? 0) > 0
  }

  /** @yields logs that somebody uses, in the order they were opened */
  *referenced(): Generator<Log> {
    for (const { log, users } of this.#logs.values()) if (users.size > 0) yield log
  }

  /** @yields logs that `user` uses, by discovery key in hexadecimal, in the order it got them */
  *of(user: object): Generator<[string, Log]> {
    for (const id of this.#uses.get(user) ?? []) {
      const pooled = this.#logs.get(id)
      if (pooled) yield [id, pooled.log]
    }
  }

  /** Give back every reference of `user`, and close what nobody uses any more. */
  async release(user: object): Promise<void> {
    const uses = this.#uses.get(user)
    this.#uses.delete(user)
    for (const id of uses ?? []) {
      const pooled = this.#logs.get(id)
      if (pooled?.users.delete(user) && pooled.users.size === 0) this.#drop(id, pooled.log)
    }
    await Promise.all(this.#closing)
  }

  /** Close all. */
  async close(): Promise<void> {
    for (const [id, { log }] of this.#logs) this.#drop(id, log)
    await Promise.all(this.#closing)
  }

  #evict(justAdded: string): void {
    // Only those that can go are looked at: with thousands in use, each one more would else look at all.
    for (const id of this.#unused) {
      if (this.#logs.size <= this.#capacity) return
      const pooled = this.#logs.get(id)
      if (pooled && id !== justAdded) this.#drop(id, pooled.log)
    }
  }

  #forget(id: string): void {
    for (const user of this.#logs.get(id)?.users ?? []) this.#uses.get(user)?.delete(id)
    this.#logs.delete(id)
    this.#unused.delete(id)
  }

  #drop(id: string, log: Log): void {
    this.#forget(id)
    const closed = log.close().finally(() => this.#closing.delete(closed))
    this.#closing.add(closed)
    // Whoever waits for `#closing` sees a failure; nobody may wait.
    closed.catch(() => undefined)
  }
}
