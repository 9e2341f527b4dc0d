/**
 * A watcher that looks into mounted tries as well: those above its path, at the path inside them, and
 * those below it. Mounts made and ended later are followed.
 *
 * @see spec/30-trie.md 3.17 and 6, Q21
 * @module
 */
import { EventEmitter } from 'node:events'
import { toHex } from '../bytes.ts'
import { mountpoints } from './mount-iterator.ts'
import { recordOf } from './mount-lookup.ts'
import { joinPath, rebase } from './mount-path.ts'
import type { MountTrie } from './mount-trie.ts'
import type { TrieLog } from './trie-log.ts'
import type { Watcher, WatchOptions } from './watch.ts'

/** Tries that one watcher follows at most: mounts of mounts can be without number. */
const MAX_TRIES = 1024

/** A trie that is watched, from a path on. */
interface Target<L extends TrieLog> {
  readonly trie: MountTrie<L>
  readonly path: string
  readonly watcher: Watcher
  /** Hear no more of its log. */
  readonly leave: () => void
}

/** Emits `change` for each trie in which something may have changed. */
export class MountWatcher<L extends TrieLog> extends EventEmitter<{ change: [] }> {
  readonly #root: MountTrie<L>
  readonly #path: string
  readonly #options: WatchOptions
  readonly #targets = new Map<string, Target<L>>()
  #destroyed = false
  #looking: Promise<void> | null = null
  #again = false

  /** Watches the trie itself at once, and mounted ones as soon as they are found. */
  constructor(root: MountTrie<L>, path: string, options: WatchOptions) {
    super()
    this.#root = root
    this.#path = path
    this.#options = options
    this.#watch('', root, path)
    this.#look()
  }

  /** Number of tries that are watched. */
  get size(): number {
    return this.#targets.size
  }

  /** The tries that are watched, each once; the root first. */
  get tries(): readonly MountTrie<L>[] {
    return [...new Set([...this.#targets.values()].map(({ trie }) => trie))]
  }

  /** Resolves when all mounts that there are now are watched. */
  async settled(): Promise<void> {
    await this.#looking
  }

  /** No further event. */
  destroy(): void {
    this.#destroyed = true
    for (const name of this.#targets.keys()) this.#forget(name)
  }

  #watch(name: string, trie: MountTrie<L>, path: string): Target<L> {
    const known = this.#targets.get(name)
    if (known) return known
    const watcher = trie.trie.watch(path, () => this.emit('change'), this.#options)
    const leave = trie.trie.onGrowth(() => this.#look())
    const target = { trie, path, watcher, leave }
    this.#targets.set(name, target)
    return target
  }

  #forget(name: string): void {
    const target = this.#targets.get(name)
    if (!target) return
    this.#targets.delete(name)
    target.watcher.destroy()
    target.leave()
  }

  /** Look for mounts; one look at a time. */
  #look(): void {
    this.#again = true
    this.#looking ??= this.#run()
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#destroyed) {
      this.#again = false
      // oxlint-disable-next-line no-await-in-loop -- one look at a time
      await this.#follow()
    }
    this.#looking = null
  }

  async #follow(): Promise<void> {
    const found = new Map<string, Target<L>>()
    const own = this.#watch('', this.#root, this.#path)
    const queue = [own]
    found.set('', own)
    for (let target = queue.shift(); target; target = queue.shift()) {
      // oxlint-disable-next-line no-await-in-loop
      for (const { trie, path } of await this.#mountsOf(target)) {
        const name = joinPath(
          `${toHex(trie.log.key ?? new Uint8Array(0))}@${trie.info.version}`,
          path,
        )
        if (this.#destroyed || found.has(name) || found.size >= MAX_TRIES) continue
        const next = this.#watch(name, trie, path)
        found.set(name, next)
        queue.push(next)
      }
    }
    for (const name of this.#targets.keys()) if (!found.has(name)) this.#forget(name)
  }

  /** The tries that show at, above or below the path of a target; none when they cannot be read now. */
  async #mountsOf({ trie, path }: Target<L>): Promise<{ trie: MountTrie<L>; path: string }[]> {
    try {
      const head = await trie.trie.headSeq()
      const above = await recordOf(trie.trie, head, path, {})
      if (above) {
        const inner = await trie.mounted(above)
        return [{ trie: inner, path: rebase(path, above.localPath, above.remotePath) }]
      }
      const below = await mountpoints(trie, path, {})
      return await Promise.all(
        [...below.values()].map(async (record) => ({
          trie: await trie.mounted(record),
          path: record.remotePath,
        })),
      )
    } catch {
      return [] // nobody to tell; the next append looks again
    }
  }
}
