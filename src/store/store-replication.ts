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
import { asError } from '../errors.ts'
import type { Log } from '../log/index.ts'
import { type Connection, type ReplicateOptions, replicate } from '../wire/index.ts'

/** What replication needs of a store object. */
export interface Shared {
  /** Resolves once logs can be opened. */
  ready(): Promise<void>
  /** The logs to offer, in order. */
  logs(): Iterable<Log>
  /** Resolves once no log is about to be opened, so that what is not there then is not here. */
  settled(): Promise<void>
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
    void this.#begin(connection)
  }

  /** Put a log that was just got on every connection. */
  offer(log: Log): void {
    for (const connection of this.#open.keys()) void this.#attach(log, connection)
  }

  /** End every connection: what it is piped into ends too. One that nobody reads is destroyed. */
  close(): void {
    for (const connection of this.#open.keys()) {
      if (connection.readableFlowing) {
        connection.once('end', () => connection.destroy())
        connection.finalize()
      } else {
        connection.destroy()
      }
    }
  }

  /** Never rejects: a store that does not open ends the connection. */
  async #begin(connection: Connection): Promise<void> {
    const letGo = connection.prefinalize.hold()
    try {
      await this.#shared.ready()
      for (const log of this.#shared.logs()) void this.#attach(log, connection)
    } catch (error) {
      connection.destroy(asError(error))
    } finally {
      letGo()
    }
  }

  /** Never rejects: a log that does not open is its reader's failure, not the connection's. */
  async #attach(log: Log, connection: Connection): Promise<void> {
    const letGo = connection.prefinalize.hold()
    // Reads that ask only peers at hand wait until the log is on the connection.
    const release = log.guard.hold()
    try {
      await log.ready()
      this.#put(log, connection)
    } catch {
      // Told by `log.ready()` to whoever asked for the log.
    } finally {
      release()
      letGo()
    }
  }

  /** Never rejects: what is not here, or does not open, is refused, so that the peer knows. */
  async #answer(connection: Connection, discoveryKey: Uint8Array): Promise<void> {
    const letGo = connection.prefinalize.hold()
    try {
      await this.#shared.ready()
      await this.#shared.settled()
      const log = this.#shared.find(discoveryKey)
      await log.ready()
      this.#put(log, connection)
    } catch {
      if (!connection.destroyed) connection.close(discoveryKey)
    } finally {
      letGo()
    }
  }

  #put(log: Log, connection: Connection): void {
    const options = this.#open.get(connection)
    if (options && !connection.destroyed && !log.closed) replicate(log, connection, options)
  }
}
