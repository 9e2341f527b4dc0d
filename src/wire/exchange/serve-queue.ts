/**
 * What the remote asked for and has not been sent: descriptors alone, no blocks. Bounded, so that a remote
 * which asks and never reads costs a few numbers a request (attack A-16).
 *
 * @see spec/20-wire.md 3.9 and 5
 * @module
 */
import FIFO from 'fast-fifo'
import { WireError } from '../errors.ts'
import type { Cancel, Request, Want } from '../messages.ts'

/** Requests that may wait on one channel; fixed by section 5. */
export const MAX_QUEUED_REQUESTS = 4096
/** Wants that may wait on one channel; an honest remote has 16 at most. */
export const MAX_QUEUED_WANTS = 64

/** Requests and Wants in order of arrival. */
export class ServeQueue {
  readonly #requests = new FIFO<Request>()
  readonly #canceled = new Set<string>()
  readonly #wants = new FIFO<Want>()

  /** Requests that wait. */
  get size(): number {
    return this.#requests.length
  }

  /**
   * One more request.
   *
   * @throws {@link WireError} `WIRE_TOO_MANY_REQUESTS`
   */
  push(request: Request): void {
    if (this.size >= MAX_QUEUED_REQUESTS) {
      throw new WireError(
        'WIRE_TOO_MANY_REQUESTS',
        `more than ${MAX_QUEUED_REQUESTS} unanswered requests on one channel`,
      )
    }
    this.#requests.push(request)
  }

  /** One more Want; the same throws as for requests. */
  pushWant(want: Want): void {
    if (this.#wants.length >= MAX_QUEUED_WANTS) {
      throw new WireError('WIRE_TOO_MANY_REQUESTS', `more than ${MAX_QUEUED_WANTS} unread Wants`)
    }
    this.#wants.push(want)
  }

  /** The Want that waits longest. */
  shiftWant(): Want | null {
    return this.#wants.shift() ?? null
  }

  /** The remote does not need the answer any more. */
  cancel(message: Cancel): void {
    if (this.size > 0 && this.#canceled.size < MAX_QUEUED_REQUESTS) {
      this.#canceled.add(nameOf(message))
    }
  }

  /**
   * The next requests to answer together: one, or as many requests for the blocks that follow each other as are
   * at the head of the queue, up to `most`. Empty when nothing waits.
   */
  take(most: number): Request[] {
    const run: Request[] = []
    for (let next = this.#peek(); next !== null && run.length < most; next = this.#peek()) {
      const last = run[run.length - 1]
      if (
        last !== undefined &&
        !(isPlain(last) && isPlain(next) && next.index === last.index + 1)
      ) {
        break
      }
      this.#requests.shift()
      run.push(next)
    }
    return run
  }

  /** Forget everything. */
  clear(): void {
    this.#requests.clear()
    this.#canceled.clear()
    this.#wants.clear()
  }

  /** The head of the queue, once what was canceled before it is gone. */
  #peek(): Request | null {
    for (;;) {
      const head = this.#requests.peek()
      if (head === undefined) {
        this.#canceled.clear()
        return null
      }
      if (this.#canceled.size === 0 || !this.#canceled.delete(nameOf(head))) return head
      this.#requests.shift()
    }
  }
}

function isPlain(request: Request): boolean {
  return !request.hash && request.bytes === 0
}

function nameOf({ index, bytes, hash }: Cancel): string {
  return `${index} ${bytes} ${hash}`
}
