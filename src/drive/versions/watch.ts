/**
 * Being told when something at or below a path changes.
 *
 * The callback runs once at the start if anything is there, then whenever the newest entry below the path is newer
 * than the last one seen. Removing the last entry below it is not noticed. Mounts below the path are watched too.
 *
 * @see spec/40-drive.md 3.12
 * @module
 */
import { EventEmitter } from 'node:events'
import { equals as equalBytes } from '../../bytes.ts'
import type { Log } from '../../log/index.ts'
import type { MountTrie } from '../../trie/index.ts'
import type { DriveContext } from '../context.ts'
import { absolute, keyOf } from '../paths.ts'

/** What a watcher emits. */
export interface WatcherEvents {
  change: []
  /** All mounts there are now are watched too: the tries that are. */
  ready: [tries: readonly MountTrie<Log>[]]
  /** The drive did not open; without a listener nobody is told. */
  error: [Error]
  destroy: []
}

/** One name that changed, as Node's `fs.promises.watch` gives it. */
export interface WatchEvent {
  /** `rename`: it came or went. `change`: it is another now. */
  readonly eventType: 'rename' | 'change'
  /** Relative to what is watched; null when it lies in a mounted drive. */
  readonly filename: string | null
}

/** Options of `watch`. */
export interface WatchOptions {
  /** Ends it; a loop over it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Tells of changes until it is destroyed; can be iterated over, one step a name that changed. */
export class DriveWatcher extends EventEmitter<WatcherEvents> implements AsyncIterable<WatchEvent> {
  readonly #context: DriveContext
  readonly #path: string
  readonly #signal: AbortSignal | undefined
  #destroyed = false
  #changes = 0
  /** Of which the loop has told. */
  #version: number
  #stop: (() => void) | null = null

  /** Begins once the drive is open. */
  constructor(context: DriveContext, path: string, { signal }: WatchOptions = {}) {
    super()
    this.#context = context
    this.#path = path
    this.#signal = signal
    this.#version = context.version
    if (signal?.aborted) this.#destroyed = true
    else signal?.addEventListener('abort', this.#abort, { once: true })
    void this.#start(context, path)
  }

  readonly #abort = (): void => this.destroy()

  /** No further event. */
  destroy(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.#stop?.()
    this.#stop = null
    this.#signal?.removeEventListener('abort', this.#abort)
    this.emit('destroy')
  }

  /**
   * One step for each name that changed since the watcher was made; changes of one name that come while nobody waits
   * are one. Leaving the loop destroys.
   *
   * @yields what changed
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<WatchEvent, void, undefined> {
    let seen = 0
    let isFirst = true
    try {
      while (!this.#destroyed) {
        if (seen === this.#changes) {
          // oxlint-disable-next-line no-await-in-loop -- one change after the other
          await this.#next()
          continue
        }
        seen = this.#changes
        const before = this.#version
        this.#version = this.#context.version
        if (this.#version > before) yield* this.#between(before, this.#version)
        // The first only says that something is there.
        else if (!isFirst) yield { eventType: 'change', filename: null }
        isFirst = false
      }
      this.#signal?.throwIfAborted()
    } finally {
      this.destroy()
    }
  }

  /** @yields what changed from one version to another */
  async *#between(before: number, version: number): AsyncGenerator<WatchEvent, void, undefined> {
    const context = this.#context
    const path = keyOf(this.#path)
    const rows = context.trie.checkout(version).diff(before, this.#path, context.reads())
    let count = 0
    for await (const { type, key, left, right } of rows) {
      count++
      const isSame =
        left && right && 'value' in left && 'value' in right && equals(left.value, right.value)
      // A deletion writes a neighbour anew.
      if (isSame) continue
      const filename = key === path ? baseName(key) : key.slice(path === '' ? 0 : path.length + 1)
      yield { eventType: type === 'put' && right ? 'change' : 'rename', filename }
    }
    if (count === 0) yield { eventType: 'change', filename: null }
  }

  /** Until the next change, or the end. */
  async #next(): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.off('change', done)
        this.off('destroy', done)
        resolve()
      }
      this.on('change', done)
      this.on('destroy', done)
    })
  }

  /** Asked after each wait: it may have been destroyed meanwhile. */
  #isWatching(): boolean {
    return !this.#destroyed
  }

  /** Never rejects. */
  async #start(context: DriveContext, path: string): Promise<void> {
    try {
      const wasOpen = context.isOpen
      await context.ready()
      if (this.#destroyed) return
      if (!wasOpen) this.#version = context.version
      const watcher = context.trie.watch(path, () => {
        if (this.#destroyed) return
        this.#changes++
        this.emit('change')
      })
      this.#stop = () => watcher.destroy()
      await watcher.settled()
      if (this.#isWatching()) this.emit('ready', watcher.tries)
    } catch (error) {
      if (this.listenerCount('error') > 0 && error instanceof Error) this.emit('error', error)
    }
  }
}

/** Watch what is at and below `name`. */
export function watch(
  context: DriveContext,
  name: string,
  options: WatchOptions = {},
  onchange?: () => void,
): DriveWatcher {
  const watcher = new DriveWatcher(context, absolute(name, context.exact), options)
  if (onchange) watcher.on('change', onchange)
  return watcher
}

function baseName(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1)
}

function equals(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a !== null && b !== null && equalBytes(a, b)
}
