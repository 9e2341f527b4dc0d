/**
 * Keeping everything: all blocks of every log of a drive and of what is mounted in it, now and from now on.
 *
 * @see spec/40-drive.md 3.15
 * @module
 */
import type { Download, Log } from '../log/index.ts'
import type { DriveContext } from './context.ts'
import { getAllMounts } from './mounts.ts'

/** The mirroring of one drive; on or off. */
export class Mirror {
  readonly #context: DriveContext
  readonly #downloads = new Map<Log, Download>()
  #stop: (() => void) | null = null

  /** @param context - the drive */
  constructor(context: DriveContext) {
    this.#context = context
  }

  /**
   * Fetch everything until the function that is returned is called. While it is on, calling again gives the same
   * function.
   */
  start(): () => void {
    if (this.#stop) return this.#stop
    const stop = (): void => {
      if (this.#stop === stop) this.stop()
    }
    this.#stop = stop
    void this.#begin()
    return stop
  }

  /** End it, if it is on. */
  stop(): void {
    this.#stop = null
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

  /** Never rejects: what cannot be listed now is added when it is opened. */
  async #begin(): Promise<void> {
    try {
      const mounts = await getAllMounts(this.#context, { recursive: true, content: true })
      for (const { metadata, content } of mounts.values()) {
        this.add(metadata)
        if (content) this.add(content)
      }
    } catch {
      // The drive closed, or a mount does not open: there is nobody to tell, and nothing to fetch.
    }
  }
}
