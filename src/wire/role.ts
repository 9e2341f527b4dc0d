/**
 * Who begins the handshake when nobody was told: the rule for connections made without a role.
 *
 *     a socket is piped in   accepted: respond    connecting: initiate at once
 *     anything else          wait 100 ms and a jitter; who hears bytes first responds
 *     both spoke             the lower ephemeral key starts afresh as responder; equal keys are an error
 *
 * Pure: the connection owns the timer, the handshake the bytes.
 *
 * v10 has no such rule: against it, give a role when its fixed one contradicts this.
 *
 * @module
 */
import { compare } from '../bytes.ts'
import { WireError } from './errors.ts'

/** Milliseconds to listen before speaking. */
export const LISTEN_MS = 100
/** Most milliseconds of jitter on top, so that two ends rarely speak at once. */
export const LISTEN_JITTER_MS = 100

/** What the thing piped in says about our role. */
export type Hint = 'initiate' | 'respond' | 'listen'

/**
 * The role that a transport implies. A server's `net.Socket` carries that server in `server` (so do TLS
 * and pipe sockets; Node sets it before the `connection` event); a connecting one has the method `connect`
 * and no `server`. Anything else says nothing.
 */
export function hintOf(transport: unknown): Hint {
  if (typeof transport !== 'object' || transport === null) return 'listen'
  if ('server' in transport && transport.server) return 'respond'
  return 'connect' in transport && typeof transport.connect === 'function' ? 'initiate' : 'listen'
}

/**
 * What to do when both ends sent a first message.
 *
 * @param ours - our ephemeral public key; @param theirs - the remote's
 * @returns whether we stay the initiator; otherwise we answer its message
 * @throws {@link WireError} `WIRE_ROLE` for equal keys: our own message came back
 */
export function staysInitiator(ours: Uint8Array, theirs: Uint8Array): boolean {
  const order = compare(ours, theirs)
  if (order === 0) throw new WireError('WIRE_ROLE', 'a connection to ourselves')
  return order > 0
}
