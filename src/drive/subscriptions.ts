/**
 * What a drive listens to on logs that may outlive it: a store's other users have them open too.
 *
 * @module
 */
import type { Log, LogEvents } from '../log/index.ts'

/** Listeners that end together. */
export class Subscriptions {
  readonly #ends: (() => void)[] = []

  /** Call `listener` for an event of `log`, until `end`. */
  to<Name extends keyof LogEvents>(
    log: Log,
    name: Name,
    listener: (...args: LogEvents[Name]) => void,
  ): void {
    // The types of node's emitter do not follow a name that is a type parameter.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const any = listener as never
    log.on(name, any)
    this.#ends.push(() => log.off(name, any))
  }

  /** Listen no more. */
  end(): void {
    for (const end of this.#ends.splice(0)) end()
  }
}
