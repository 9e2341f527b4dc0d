/**
 * Being told when something at or below a key changes.
 *
 * @see spec/30-trie.md 3.11 and 6, Q16
 * @module
 */
import { EventEmitter } from 'node:events'

/** What a watcher reports beside new content. */
export interface WatchOptions {
  /** Report also that the last key is gone, which v10 does not. Default false. */
  readonly gone?: boolean | undefined
}

/** What a watcher needs of the trie it watches. */
export interface Watched {
  /** Seq of the newest node at or below the key, or null. */
  newest(): Promise<number | null>
  /** Call `listener` when the log has grown; gives what ends that. */
  onappend(listener: () => void): () => void
}

/** Emits `change` when what is at or below a key may have changed, and at once when there is content. */
export class Watcher extends EventEmitter<{ change: [] }> {
  readonly #watched: Watched
  readonly #reportGone: boolean
  readonly #leave: () => void
  #seen = 0
  #running = false
  #again = false
  #destroyed = false

  /** Looks for the first time at once. */
  constructor(watched: Watched, options: WatchOptions = {}) {
    super()
    this.#watched = watched
    this.#reportGone = options.gone ?? false
    this.#leave = watched.onappend(() => this.#look())
    this.#look()
  }

  /** Whether it was destroyed. */
  get destroyed(): boolean {
    return this.#destroyed
  }

  /** No further event. */
  destroy(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.#leave()
  }

  /** One look at a time; appends during one cause one more. */
  #look(): void {
    if (this.#running) {
      this.#again = true
      return
    }
    this.#running = true
    void this.#run()
  }

  async #run(): Promise<void> {
    this.#again = true
    while (this.#again && !this.#destroyed) {
      this.#again = false
      try {
        // oxlint-disable-next-line no-await-in-loop -- one look at a time
        this.#note(await this.#watched.newest())
      } catch {
        // A watcher has nobody to tell; the next append looks again.
      }
    }
    this.#running = false
  }

  #note(seq: number | null): void {
    if (this.#destroyed) return
    const gone = this.#reportGone && seq === null && this.#seen > 0
    if (!gone && (seq === null || seq <= this.#seen)) return
    this.#seen = seq ?? 0
    this.emit('change')
  }
}
