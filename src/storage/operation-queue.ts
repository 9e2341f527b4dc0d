/**
 * The order of operations on one file.
 *
 * They take effect in the order they were called. Shared ones (reads) run together; an exclusive one
 * (a write, a close) waits for all before it and holds all after it.
 *
 * @module
 */
interface Operation {
  readonly exclusive: boolean
  readonly start: () => void
  next: Operation | null
}

/** A queue of shared and exclusive operations. */
export class OperationQueue {
  #first: Operation | null = null
  #last: Operation | null = null
  readonly #onIdle: () => void
  #running = 0
  #exclusive = false

  /** @param onIdle - called whenever the last operation has ended; must not throw */
  constructor(onIdle: () => void = () => {}) {
    this.#onIdle = onIdle
  }

  /** Whether nothing runs or waits. */
  get idle(): boolean {
    return this.#running === 0 && this.#first === null
  }

  /** Run `work` beside other shared operations. */
  shared<T>(work: () => Promise<T>): Promise<T> {
    return this.#run(false, work)
  }

  /** Run `work` alone. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.#run(true, work)
  }

  async #run<T>(exclusive: boolean, work: () => Promise<T>): Promise<T> {
    if (this.#first === null && this.#isFreeFor(exclusive)) this.#begin(exclusive)
    else await this.#turn(exclusive)
    try {
      return await work()
    } finally {
      this.#end()
    }
  }

  /** Stand in line; resolves when it is this operation's turn, which has then begun. */
  #turn(exclusive: boolean): Promise<void> {
    return new Promise((resolve) => {
      const operation = { exclusive, start: resolve, next: null }
      if (this.#last) this.#last.next = operation
      else this.#first = operation
      this.#last = operation
    })
  }

  #isFreeFor(exclusive: boolean): boolean {
    return exclusive ? this.#running === 0 : !this.#exclusive
  }

  #begin(exclusive: boolean): void {
    this.#running++
    this.#exclusive = exclusive
  }

  #end(): void {
    this.#running--
    this.#exclusive = false
    while (this.#first && this.#isFreeFor(this.#first.exclusive)) {
      const { exclusive, start, next } = this.#first
      this.#first = next
      if (!next) this.#last = null
      this.#begin(exclusive)
      start()
    }
    if (this.idle) this.#onIdle()
  }
}
