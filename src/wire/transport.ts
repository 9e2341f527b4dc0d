/**
 * The thing that is piped into and out of a connection: what it tells, and its end together with ours.
 *
 * @module
 */
import { Duplex } from 'node:stream'

/** Address and kind of a transport, remembered beyond its end. */
export class Transport {
  /** Address of the remote, or null. */
  address: string | null = null
  /** Pipes, pairs in memory and the like are `unknown`. */
  type: 'tcp' | 'utp' | 'unknown' = 'unknown'
  readonly #attached = new Set<object>()

  /** Something was piped in, or is piped to. Returns whether it is new. */
  attach(transport: unknown): boolean {
    if (typeof transport !== 'object' || transport === null) return false
    const isNew = !this.#attached.has(transport)
    this.#attached.add(transport)
    this.look()
    return isNew
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
