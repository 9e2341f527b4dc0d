/**
 * The connections of one store object, and the logs that go out on them.
 *
 * On each connection: the logs that the store object uses now and those it gets later, each as soon as it is open;
 * and any log of the folder that the peer asks for by its discovery key. What we do not have is refused, so that the
 * peer knows. While a log opens the connection is held, lest it end before the log is on it.
 *
 * @see spec/40-drive.md 3.14
 * @module
 */
import type { Log } from '../log/index.ts'
import { Connection, type ReplicateOptions, replicate } from '../wire/index.ts'

/** What replication needs of a store object. */
export interface Shared {
  /** Resolves once logs can be opened. */
  ready(): Promise<void>
  /** The logs to offer, in order. */
  logs(): Iterable<Log>
  /** The log with that discovery key, if it is in the folder; not yet open. */
  find(discoveryKey: Uint8Array): Log
}

/** The connections of one store object. */
export class StoreReplication {
  readonly #shared: Shared
  readonly #open = new Map<Connection, ReplicateOptions>()

  /** @param shared - whose logs go out */
  constructor(shared: Shared) {
    this.#shared = shared
  }

  /** Put the store's logs on `connection`; it is destroyed with the error when the store does not open. */
  add(connection: Connection, options: ReplicateOptions): void {
    this.#open.set(connection, options)
    connection.once('close', () => this.#open.delete(connection))
    connection.on('discovery-key', (discoveryKey: Uint8Array) => {
      void this.#answer(connection, discoveryKey)
    })
    const letGo = connection.prefinalize.hold()
    this.#shared
      .ready()
      .then(() => {
        for (const log of this.#shared.logs()) this.#attach(log, connection)
      })
      .catch((error: unknown) => {
        connection.destroy(error instanceof Error ? error : new Error(String(error)))
      })
      .finally(letGo)
  }

  /** Put a log that was just got on every connection. */
  offer(log: Log): void {
    for (const connection of this.#open.keys()) this.#attach(log, connection)
  }

  /** End every connection: what it is piped into ends too. One that nobody reads is destroyed. */
  close(): void {
    for (const connection of [...this.#open.keys()]) {
      if (connection.readableFlowing) {
        connection.once('end', () => connection.destroy())
        connection.finalize()
      } else {
        connection.destroy()
      }
    }
  }

  #attach(log: Log, connection: Connection): void {
    const letGo = connection.prefinalize.hold()
    // Reads that ask only peers at hand wait until the log is on the connection.
    const release = log.guard.hold()
    log
      .ready()
      .then(() => {
        const options = this.#open.get(connection)
        if (options && !connection.destroyed && !log.closed) replicate(log, connection, options)
      })
      // A log that does not open is its reader's failure, not the connection's.
      .catch(() => undefined)
      .finally(() => {
        release()
        letGo()
      })
  }

  async #answer(connection: Connection, discoveryKey: Uint8Array): Promise<void> {
    const letGo = connection.prefinalize.hold()
    try {
      await this.#shared.ready()
      const log = this.#shared.find(discoveryKey)
      await log.ready()
      const options = this.#open.get(connection)
      if (options && !connection.destroyed) replicate(log, connection, options)
    } catch {
      // Not here, or it does not open: the peer is told that we do not have it.
      if (!connection.destroyed) connection.close(discoveryKey)
    } finally {
      letGo()
    }
  }
}
