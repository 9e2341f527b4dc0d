/**
 * Readers that stay up to date by themselves.
 *
 * @see spec/30-trie.md 3.10 and 3.11
 * @module
 */
import type { TrieLog } from './trie-log.ts'

/** What of a trie is loaded again when its log grows. */
export interface Refreshed {
  readonly log: TrieLog
  /** Load what changed since `version`, where this reader has been before. */
  refresh(version: number, signal: AbortSignal): Promise<void>
  /** A refresh begins, or has come to its end. */
  onrefresh(event: 'reconnecting' | 'reconnected'): void
}

/**
 * Loads what changed whenever the log grows. Growth during a refresh ends it and begins the next from the
 * same version. Only for readers: a writer has everything.
 */
export function keepRefreshed(refreshed: Refreshed): () => void {
  const { log } = refreshed
  let from = log.length
  let running: AbortController | null = null
  const run = async (): Promise<void> => {
    running?.abort()
    if (from === 0) {
      from = log.length // nothing was known, so nothing was read before
      return
    }
    const current = new AbortController()
    running = current
    const to = log.length
    refreshed.onrefresh('reconnecting')
    try {
      await refreshed.refresh(from, current.signal)
      if (running === current) refreshed.onrefresh('reconnected')
    } catch {
      // A hint that failed: the next read loads what it needs.
    }
    if (running !== current) return
    running = null
    from = to
  }
  const grown = (): void => void run()
  log.on('append', grown)
  return () => {
    log.off('append', grown)
    running?.abort()
  }
}

/**
 * Those who want to hear of a longer log. While there is one, peers are asked for longer logs again and
 * again; one listener on the log serves all.
 */
export class Growth {
  readonly #log: TrieLog
  readonly #listeners = new Set<{ readonly grew: () => void }>()
  #running: AbortController | null = null

  /** Nothing is asked before somebody listens. */
  constructor(log: TrieLog) {
    this.#log = log
  }

  /** Tell all who listen. */
  grew(): void {
    for (const each of this.#listeners) each.grew()
  }

  /** Call `grew` when the log has grown, until the returned function is called. */
  listen(grew: () => void): () => void {
    const entry = { grew }
    this.#listeners.add(entry)
    if (!this.#running && !this.#log.writable) void this.#run()
    return () => {
      this.#listeners.delete(entry)
      if (this.#listeners.size === 0) this.#running?.abort()
    }
  }

  async #run(): Promise<void> {
    const current = new AbortController()
    this.#running = current
    try {
      await this.#log.ready()
      while (!current.signal.aborted && !this.#log.writable) {
        const { length } = this.#log
        // oxlint-disable-next-line no-await-in-loop -- each waits for the log to grow
        await this.#log.update({ ifAvailable: false, signal: current.signal })
        if (this.#log.length <= length) break // a log that answers without growing would be asked for ever
      }
    } catch {
      // Closed, aborted, or nobody to ask: what is watched still hears of appends.
    }
    if (this.#running === current) this.#running = null
  }
}
