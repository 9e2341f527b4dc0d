/**
 * Keeping everything: all blocks of every log of a drive and of what is mounted in it, now and from now on.
 *
 * Each drive is followed on its own, so that one that nobody has holds up no other: its metadata is fetched, its mounts
 * are looked up whenever that grows, and its content is fetched once its header is there.
 *
 * @see spec/40-drive.md 3.15
 * @module
 */
import { asError } from '../../errors.ts'
import type { Download, Log } from '../../log/index.ts'
import type { DriveContext, DriveTrie, Reads } from '../context.ts'
import { inWords } from '../errors.ts'
import type { Task } from '../task.ts'

/** The mirroring of one drive; on or off. */
export class Mirror {
  readonly #context: DriveContext
  readonly #downloads = new Map<Log, Download>()
  /** Drives that are followed, by metadata log, and what ends that. */
  readonly #followed = new Map<Log, () => void>()
  #task: Task | null = null
  #stop: (() => void) | null = null

  /** @param context - the drive */
  constructor(context: DriveContext) {
    this.#context = context
  }

  /**
   * Fetch everything until the function that is returned is called. While it is on, calling again gives the same
   * function. What goes wrong is the drive's event `error`.
   */
  start(): () => void {
    if (this.#stop) return this.#stop
    const stop = (): void => {
      if (this.#stop === stop) this.stop()
    }
    this.#stop = stop
    this.#task = this.#context.tasks.begin()
    void this.#told(async () => {
      await this.#context.ready()
      if (this.#stop === stop) this.#follow(this.#context.trie)
    })
    return stop
  }

  /** End it, if it is on. */
  stop(): void {
    this.#stop = null
    this.#task?.abort(new Error('the mirroring was stopped'))
    this.#task = null
    for (const leave of this.#followed.values()) leave()
    this.#followed.clear()
    for (const download of this.#downloads.values()) download.destroy()
    this.#downloads.clear()
  }

  /** A log of the drive was opened: fetch it too, if the mirroring is on. */
  add(log: Log): void {
    if (!this.#stop || this.#downloads.has(log)) return
    const download = log.download({ start: 0 })
    this.#downloads.set(log, download)
    log.once('close', () => this.#downloads.delete(log))
  }

  /** Fetch a drive, and follow what is mounted in it. */
  #follow(trie: DriveTrie): void {
    const { log } = trie
    if (!this.#stop || this.#followed.has(log)) return
    let isLooking = false
    let hasGrown = false
    const look = (): void => {
      hasGrown = true
      if (isLooking) return
      isLooking = true
      void this.#told(async () => {
        while (hasGrown) {
          hasGrown = false
          // One look after the other: growth meanwhile makes one more.
          // oxlint-disable-next-line no-await-in-loop
          await this.#lookAt(trie)
        }
      }).finally(() => (isLooking = false))
    }
    log.on('append', look)
    this.#followed.set(log, () => log.off('append', look))
    this.add(log)
    look()
    void this.#told(async () => this.add(await this.#context.contents.of(trie, this.#reads())))
  }

  /** Follow each mount of a drive. */
  async #lookAt(trie: DriveTrie): Promise<void> {
    for await (const mount of trie.mounts({ ...this.#reads() })) this.#follow(mount.trie)
  }

  #reads(): Reads {
    return this.#context.reads({ wait: true, timeout: 0, signal: this.#task?.signal })
  }

  /** Never rejects: what fails is told by an event, unless it was ended. */
  async #told(work: () => Promise<unknown>): Promise<void> {
    const task = this.#task
    try {
      await inWords('mirror', undefined, work)
    } catch (error) {
      if (task && !task.signal.aborted) this.#context.emit('error', asError(error))
    }
  }
}
