/**
 * What a generator gives, as a stream: asked for one at a time, and let go of when the stream is destroyed, also while
 * the generator waits for a peer.
 *
 * @module
 */
import { setMaxListeners } from 'node:events'
import { Readable, type ReadableOptions } from 'node:stream'
import { asError } from '../../errors.ts'
import type { DriveContext, ReadOptions } from '../context.ts'
import { DriveError } from '../errors.ts'

/** Makes the generator; its reads have to take the options that it is given. */
export type Rows<T, Options> = (options: Options) => AsyncGenerator<T, void, undefined>

/**
 * A stream of what `rows` gives. By the caller's signal it fails as Node's streams do: with an `AbortError` whose
 * `cause` is the signal's reason. It ends with the drive.
 *
 * @param syscall - the operation that errors name
 * @param stream - how the stream buffers; default: objects
 */
export function rowStream<T, Options extends ReadOptions>(
  context: DriveContext,
  syscall: string,
  options: Options,
  rows: Rows<T, Options>,
  stream: ReadableOptions = { objectMode: true },
): Readable {
  const { signal } = options
  const task = context.tasks.begin()
  setMaxListeners(0, task.signal)
  let source: AsyncGenerator<T, void, undefined> | null = null
  const readable = new Readable({
    ...stream,
    ...(signal ? { signal } : {}),
    read() {
      source ??= rows({ ...options, signal: task.signal })
      source.next().then(
        ({ done, value }) => this.push(done ? null : value),
        (error: unknown) => this.destroy(asError(error)),
      )
    },
    destroy(error, done) {
      task.abort(new DriveError('ECANCELED', { syscall }))
      // Ends once the pending `next` has, which was just aborted; its failure has no reader any more.
      // oxlint-disable-next-line no-promise-in-callback
      void source?.return().catch(() => undefined)
      done(error)
    },
  })
  // One that nobody reads just now ends too.
  const end = (): void => void readable.destroy(asError(task.signal.reason))
  task.signal.addEventListener('abort', end, { once: true })
  if (task.signal.aborted) end()
  return readable
}
