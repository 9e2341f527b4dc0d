/**
 * Figures as events: what changed since the last look.
 *
 *     const watch = watchMetrics([log], { everyMs: 1000 })
 *     watch.on('change', ({ name, labels, value, by }) => …)
 *     // log_downloaded_blocks { log: '3f…' } 128 +7
 *
 * Looks are taken every so many milliseconds, and at once when a peer opens a log or is gone, so that what a short
 * connection did and why it ended is told too. Names, labels and meanings are those of the text (open-metrics.ts).
 * Between two looks it costs nothing; a look costs a walk over peers and waiting wishes.
 *
 * @see metrics.ts for the same as an object
 * @module
 */
import { EventEmitter } from 'node:events'
import type { Log } from '../log/index.ts'
import { metrics } from './metrics.ts'
import type { LogMetrics } from './metrics.ts'
import { samplesOf } from './open-metrics.ts'
import type { MetricSample } from './open-metrics.ts'
import { systemTimers } from './timers.ts'
import type { Timers } from './timers.ts'

/** A figure that is not what it was. */
export interface MetricChange extends MetricSample {
  /** By how much; a figure that is new counts from 0. */
  readonly by: number
}

/** What a watch tells. */
export interface MetricEvents {
  /** A figure changed, appeared, or (with a value of 0) went away. */
  change: [MetricChange]
  /** Everything, at every look: the changes were told before. */
  look: [readonly LogMetrics[]]
}

/** How to watch. */
export interface WatchMetricsOptions {
  /** Milliseconds between two looks (1000). */
  readonly everyMs?: number | undefined
  /** A clock and timers of one's own; the system's do not keep the process alive. */
  readonly timers?: Timers | undefined
}

/** Watches the figures of some logs until it is stopped. */
export class MetricsWatch extends EventEmitter<MetricEvents> {
  readonly #logs: readonly Log[]
  readonly #everyMs: number
  readonly #timers: Timers
  readonly #onpeer = (): void => this.look()
  #last: ReadonlyMap<string, MetricSample> = new Map()
  #forget: (() => void) | null = null

  /** Takes a first look, of which nothing is told: what there is now is what changes are changes of. */
  constructor(logs: readonly Log[], { everyMs = 1000, timers }: WatchMetricsOptions = {}) {
    super()
    if (!(everyMs > 0)) throw new RangeError('everyMs: want milliseconds above 0')
    this.#logs = logs
    this.#everyMs = everyMs
    this.#timers = timers ?? systemTimers
    for (const log of logs) log.on('peer-open', this.#onpeer).on('peer-remove', this.#onpeer)
    this.#last = byName(samplesOf(logs.map(metrics)))
    this.#arm()
  }

  /** Look now. */
  look(): void {
    const figures = this.#logs.map(metrics)
    const now = byName(samplesOf(figures))
    const last = this.#last
    this.#last = now
    for (const [name, sample] of now) {
      const by = sample.value - (last.get(name)?.value ?? 0)
      if (by !== 0) this.emit('change', { ...sample, by })
    }
    for (const [name, sample] of last) {
      const gone = sample.value !== 0 && !now.has(name)
      if (gone) this.emit('change', { ...sample, value: 0, by: -sample.value })
    }
    this.emit('look', figures)
  }

  /** Tell nothing more. Idempotent. */
  stop(): void {
    this.#forget?.()
    this.#forget = null
    for (const log of this.#logs)
      log.off('peer-open', this.#onpeer).off('peer-remove', this.#onpeer)
  }

  #arm(): void {
    this.#forget = this.#timers.set(() => {
      this.#arm()
      this.look()
    }, this.#everyMs)
  }
}

/** Watch the figures of `logs`; see {@link MetricsWatch}. @throws RangeError for a time that is none */
export function watchMetrics(
  logs: readonly Log[],
  options: WatchMetricsOptions = {},
): MetricsWatch {
  return new MetricsWatch(logs, options)
}

function byName(samples: readonly MetricSample[]): Map<string, MetricSample> {
  return new Map(samples.map((sample) => [JSON.stringify([sample.name, sample.labels]), sample]))
}
