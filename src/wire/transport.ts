/**
 * The thing that is piped into and out of a connection: what it tells, and its end together with ours.
 *
 * @module
 */
import { Duplex } from 'node:stream'
import { WireError } from './errors.ts'

/** Address and kind of a transport, remembered beyond its end. */
export class Transport {
  /** Address of the remote, or null. */
  address: string | null = null
  /** Pipes, pairs in memory and the like are `unknown`. */
  type: 'tcp' | 'utp' | 'unknown' = 'unknown'
  readonly #attached = new Set<object>()

  /** Something was piped into `connection`, or that is piped to it: their ends are one. */
  attach(transport: unknown, connection: Duplex): void {
    if (typeof transport !== 'object' || transport === null) return
    const isNew = !this.#attached.has(transport)
    this.#attached.add(transport)
    this.look()
    if (!isNew || !(transport instanceof Duplex)) return
    transport.on('error', (cause) => {
      connection.destroy(new WireError('WIRE_TRANSPORT', cause.message, { cause }))
    })
    transport.once('close', () => {
      // What it brought before its end is still read; what we wrote goes nowhere.
      if (!connection.writableEnded) connection.destroy()
      else if (connection.writableFinished) connection.resume()
      else connection.once('finish', () => connection.resume())
    })
  }

  /** The connection is destroyed: whatever it was piped to would otherwise stay open for ever. */
  destroy(): void {
    for (const transport of this.#attached) {
      if (transport instanceof Duplex && !transport.destroyed) transport.destroy()
    }
  }

  /** Look again: a connecting socket does not know its remote, and a closed one has forgotten it. */
  look(): void {
    for (const socket of this.#attached) {
      if (!('remoteAddress' in socket)) continue
      if (typeof socket.remoteAddress === 'string') this.address = socket.remoteAddress
      this.type = '_utp' in socket ? 'utp' : 'tcp'
    }
  }
}
