/**
 * What can be told from the thing that is piped into or out of a connection.
 *
 * @module
 */

/** Address and kind of a transport, remembered beyond its end. */
export class Transport {
  /** Address of the remote, or null. */
  address: string | null = null
  /** Pipes, pairs in memory and the like are `unknown`. */
  type: 'tcp' | 'utp' | 'unknown' = 'unknown'
  #attached: object | null = null

  /** The first one counts. */
  attach(transport: unknown): void {
    if (typeof transport === 'object') this.#attached ??= transport
    this.look()
  }

  /** Look again: a connecting socket does not know its remote, and a closed one has forgotten it. */
  look(): void {
    const socket = this.#attached
    if (!socket || !('remoteAddress' in socket)) return
    if (typeof socket.remoteAddress === 'string') this.address = socket.remoteAddress
    this.type = '_utp' in socket ? 'utp' : 'tcp'
  }
}
