/**
 * An async iterator as a readable stream: one item asked for at a time, and let go of when the stream
 * is destroyed.
 *
 * @module
 */
import { asError } from '../errors.ts'
import { Readable } from 'node:stream'
import type { ReadableOptions } from 'node:stream'

/**
 * @param source - what to read; its `next` is called only when the stream wants more
 * @param abort - aborted when the stream is destroyed, so that a waiting `next` ends
 */
export function pullStream<T>(
  source: AsyncGenerator<T, void, undefined>,
  abort: AbortController,
  options: ReadableOptions,
): Readable {
  return new Readable({
    ...options,
    read() {
      source.next().then(
        (item) => this.push(item.done ? null : item.value),
        (error: unknown) => this.destroy(asError(error)),
      )
    },
    destroy(error, done) {
      abort.abort(error ?? new Error('the stream was destroyed'))
      // Ends once the pending `next` has; its failure was passed on by `read`.
      // oxlint-disable-next-line no-promise-in-callback
      void source.return().catch(() => undefined)
      done(error)
    },
  })
}

/** One signal out of the caller's and our own. */
export function joinSignals(given: AbortSignal | undefined, own: AbortController): AbortSignal {
  return given ? AbortSignal.any([given, own.signal]) : own.signal
}
