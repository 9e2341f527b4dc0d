/**
 * `replicate(log, …)`: put a log on a new or an existing connection.
 *
 * @see spec/20-wire.md 3.4 and 4.3
 * @module
 */
import { Connection } from './connection.ts'
import type { ConnectionOptions } from './connection-options.ts'
import type { ReplicatedLog } from './exchange/replicated-log.ts'
import { Replication } from './replication.ts'
import type { LogOptions } from './replication.ts'

/** Options of `replicate`: those of the log on the connection, and those of a connection that is made. */
export interface ReplicateOptions extends LogOptions, Omit<ConnectionOptions, 'live' | 'random'> {
  /** Who begins the handshake; left out: found out (see role.ts). */
  readonly initiator?: boolean | null | undefined
  /** The same as `encrypted`. */
  readonly encrypt?: boolean | undefined
  /** A connection to use instead of a new one. */
  readonly stream?: Connection | null | undefined
}

/**
 * A connection on which `log` is exchanged with whoever has it too. Pipe a transport into it and it into the
 * transport. The log opens by itself; what fails ends the connection with an error.
 *
 * @param role - whether this side begins the handshake; a connection to add the log to; or the options
 * @param options - with a connection, only those of the log count
 * @throws TypeError for a role that is none of these
 */
export function replicate(
  log: ReplicatedLog,
  role?: boolean | Connection | ReplicateOptions | null,
  options: ReplicateOptions = {},
): Connection {
  const all = role instanceof Connection ? { ...options, stream: role } : optionsOf(role, options)
  const connection = all.stream ?? connect(all.initiator ?? null, all)
  Replication.of(log, all.random).add(connection, all)
  return connection
}

function optionsOf(
  role: boolean | ReplicateOptions | null | undefined,
  options: ReplicateOptions,
): ReplicateOptions {
  if (typeof role === 'object' && role !== null) return { ...role, ...options }
  // The connection refuses a role that is none.
  return role === null || role === undefined ? options : { ...options, initiator: role }
}

function connect(initiator: boolean | null, options: ReplicateOptions): Connection {
  const { encrypt, encrypted = encrypt, ...rest } = options
  return new Connection(initiator, { ...rest, encrypted })
}
