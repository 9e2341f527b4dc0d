/**
 * Blocks in memory, as far as a trie needs a log: for tests that are about the trie alone.
 *
 * @module
 */
import { EventEmitter } from 'node:events'
import { LogError } from '../../src/log/errors.ts'
import { ExtensionRegistry } from '../../src/log/extensions.ts'
import type { LogPeer } from '../../src/log/replicator.ts'
import type { BlockOptions, TrieLog } from '../../src/trie/trie-log.ts'

/** A peer to whom messages go. */
export class MemoryPeer implements LogPeer {
  readonly remotePublicKey = null
  readonly remoteAddress = null
  readonly remoteType = 'memory'
  readonly remoteOpened = true
  readonly remoteLength = 0
  readonly stats = { uploadedBlocks: 0, uploadedBytes: 0, downloadedBlocks: 0, downloadedBytes: 0 }
  readonly received: Uint8Array[] = []

  extension(_id: number, message: Uint8Array): void {
    this.received.push(message)
  }
}

/** A log without keys or signatures; blocks may be missing, and come later. */
export class MemoryLog extends EventEmitter implements TrieLog {
  readonly blocks: (Uint8Array | null)[]
  readonly downloads: number[][] = []
  readonly peer = new MemoryPeer()
  /** One peer, which takes what is sent to it. */
  readonly extensions = new ExtensionRegistry({ peers: () => [this.peer], changed: () => {} })
  writable = true
  key: Uint8Array | null = null
  /** Number of appends, whatever their size. */
  appends = 0
  #waiting: { index: number; resolve(block: Uint8Array): void }[] = []

  constructor(blocks: readonly (Uint8Array | null)[] = []) {
    super()
    this.setMaxListeners(0)
    this.blocks = [...blocks]
  }

  get length(): number {
    return this.blocks.length
  }

  ready(): Promise<void> {
    return Promise.resolve()
  }

  append(blocks: readonly Uint8Array[]): Promise<number> {
    if (!this.writable) return Promise.reject(new LogError('LOG_NOT_WRITABLE', 'no'))
    const first = this.blocks.length
    this.blocks.push(...blocks.map((block) => new Uint8Array(block)))
    this.appends++
    this.emit('append')
    return Promise.resolve(first)
  }

  has(index: number): boolean {
    return Boolean(this.blocks[index])
  }

  get(index: number, options: BlockOptions = {}): Promise<Uint8Array> {
    const block = this.blocks[index]
    if (block) return Promise.resolve(block)
    if (options.wait === false)
      return Promise.reject(new LogError('LOG_NOT_HELD', `block ${index}`))
    options.onwait?.(index)
    return new Promise((resolve) => this.#waiting.push({ index, resolve }))
  }

  /** A missing block has come. */
  fill(index: number, block: Uint8Array): void {
    this.blocks[index] = block
    const met = this.#waiting.filter((each) => each.index === index)
    this.#waiting = this.#waiting.filter((each) => each.index !== index)
    for (const each of met) each.resolve(block)
  }

  update(): Promise<void> {
    return Promise.resolve()
  }

  download({ blocks = [] }: { blocks?: readonly number[] }): {
    done: Promise<void>
    destroy(): void
  } {
    this.downloads.push([...blocks])
    return { done: Promise.resolve(), destroy: () => {} }
  }
}
