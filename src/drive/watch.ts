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
import type { Log } from '../log/index.ts'
import type { MountTrie } from '../trie/index.ts'
import type { DriveContext } from './context.ts'
import { absolute, keyOf } from './paths.ts'

/** What a watcher emits. */
export interface WatcherEvents {
  change: []
  /** All mounts there are now are watched too: the tries that are. */
  ready: [tries: readonly MountTrie<Log>[]]
  /** The drive did not open; without a listener nobody is told. */
  error: [Error]
  destroy: []
}

/** Tells of changes until it is destroyed; can be iterated over, one step a change. */
export class DriveWatcher extends EventEmitter<WatcherEvents> implements AsyncIterable<void> {
  #destroyed = false
  #changes = 0
  #stop: (() => void) | null = null

  /** Begins once the drive is open. */
  constructor(context: DriveContext, path: string) {
    super()
    void this.#start(context, path)
  }

  /** No further event. */
  destroy(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.#stop?.()
    this.#stop = null
    this.emit('destroy')
  }

  /**
   * One step for each change since the watcher was made; several that come while nobody waits are one. Leaving the
   * loop destroys.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<void, void, undefined> {
    let seen = 0
    try {
      while (!this.#destroyed) {
        if (seen < this.#changes) {
          seen = this.#changes
          yield
          continue
        }
        // oxlint-disable-next-line no-await-in-loop -- one change after the other
        await this.#next()
      }
    } finally {
      this.destroy()
    }
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
      await context.ready()
      if (this.#destroyed) return
      const watcher = context.trie.watch(keyOf(path), () => {
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
export function watch(context: DriveContext, name: string, onchange?: () => void): DriveWatcher {
  const watcher = new DriveWatcher(context, absolute(name, context.exact))
  if (onchange) watcher.on('change', onchange)
  return watcher
}
