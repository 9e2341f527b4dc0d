/**
 * One log on one connection.
 *
 * Each end numbers its own side: what we send carries `localId`, what we receive `remoteId`. Messages
 * sent before the remote opened its side are lost, so send nothing until `remoteOpened` (the Open
 * itself is sent by the connection).
 *
 * @see spec/20-wire.md 3.2 and 4.2
 * @module
 */
import type { Connection } from './connection.ts'
import type {
  Cancel,
  Data,
  Have,
  Open,
  Options,
  Outgoing,
  Request,
  Status,
  Unhave,
  Unwant,
  Want,
} from './messages.ts'

/**
 * What the owner of a channel is told. A handler that throws destroys the connection with what it threw.
 * Messages are objects of the receiver's own; their bytes are views into the received chunk.
 */
export interface ChannelHandlers {
  /** The remote opened its side after we opened ours. Not called when it had before: see `remoteOpened`. */
  onopen?(channel: Channel): void
  /** The channel is over, whoever closed it; called once. */
  onclose?(channel: Channel): void
  /** The remote sent its extensions, and whether it wants receipts. */
  onoptions?(message: Options, channel: Channel): void
  /** The remote said what it does from now on. */
  onstatus?(message: Status, channel: Channel): void
  /** The remote has blocks, or (with `ack`) has received one. */
  onhave?(message: Have, channel: Channel): void
  /** The remote has blocks no longer. */
  onunhave?(message: Unhave, channel: Channel): void
  /** The remote asks which blocks we have. */
  onwant?(message: Want, channel: Channel): void
  /** The remote takes a Want back. */
  onunwant?(message: Unwant, channel: Channel): void
  /** The remote asks for a block, or for the proof of its hash. */
  onrequest?(message: Request, channel: Channel): void
  /** The remote no longer needs a block. */
  oncancel?(message: Cancel, channel: Channel): void
  /** A block with its proof, or a proof alone, unverified. */
  ondata?(message: Data, channel: Channel): void
  /** An extension message: the sender's number of the extension, and the message as a view. */
  onextension?(id: number, message: Uint8Array, channel: Channel): void
  /** Every frame of a received chunk was handed over, and at least one was for this channel. */
  onbatchend?(channel: Channel): void
  /** The connection was congested and is no longer. */
  ondrain?(channel: Channel): void
}

/** What a channel needs of its connection. */
export interface ChannelHost {
  readonly connection: Connection
  /** Queue a message on a local channel number. */
  send<Type extends keyof OutgoingMessages>(
    id: number,
    type: Type,
    message: OutgoingMessages[Type],
  ): void
  /** Queue an extension message on a local channel number. */
  sendExtension(id: number, extension: number, message: Uint8Array): void
  /** Close a channel. */
  closeChannel(channel: Channel): void
  /** Whether the remote proved that it knows `key`. */
  verifies(key: Uint8Array, capability: Uint8Array | null): boolean
}

/** What can be sent, by its type. */
export interface OutgoingMessages {
  Open: Outgoing<Open, 'discoveryKey'>
  Options: Outgoing<Options>
  Status: Outgoing<Status>
  Have: Outgoing<Have, 'start'>
  Unhave: Outgoing<Unhave, 'start'>
  Want: Outgoing<Want, 'start'>
  Unwant: Outgoing<Unwant, 'start'>
  Request: Outgoing<Request, 'index'>
  Cancel: Outgoing<Cancel, 'index'>
  Data: Outgoing<Data, 'index'>
  Close: { readonly discoveryKey?: Uint8Array | null | undefined }
}

/** A channel; made by `connection.open`, or by the remote's Open. */
export class Channel {
  /** 32 bytes: what the channel is found by. */
  readonly discoveryKey: Uint8Array
  /** The log's public key; `null` until we open the channel. */
  key: Uint8Array | null = null
  /** Our number, or -1 while we do not have it open. */
  localId = -1
  /** The remote's number, or -1 while it does not have it open. */
  remoteId = -1
  /** What the remote's Open carried. */
  remoteCapability: Uint8Array | null = null
  /** Who is told; `null` until we open the channel. */
  handlers: ChannelHandlers | null = null
  /** Whether `onbatchend` is due. The connection's own mark. */
  touched = false
  /** Whether the channel is over. */
  closed = false
  readonly #host: ChannelHost

  /** Made by the connection alone. */
  constructor(host: ChannelHost, discoveryKey: Uint8Array) {
    this.#host = host
    this.discoveryKey = discoveryKey
  }

  /** The connection it belongs to. */
  get connection(): Connection {
    return this.#host.connection
  }

  /** Whether we have it open. */
  get opened(): boolean {
    return this.localId !== -1
  }

  /** Whether the remote has it open. */
  get remoteOpened(): boolean {
    return this.remoteId !== -1
  }

  /** Whether the remote has it open and proved that it knows the key; always so without a handshake. */
  get remoteVerified(): boolean {
    return (
      this.key !== null && this.remoteOpened && this.#host.verifies(this.key, this.remoteCapability)
    )
  }

  /** Send an Options. */
  options(message: OutgoingMessages['Options']): void {
    if (this.opened) this.#host.send(this.localId, 'Options', message)
  }

  /** Send a Status. */
  status(message: OutgoingMessages['Status']): void {
    if (this.opened) this.#host.send(this.localId, 'Status', message)
  }

  /** Send a Have. */
  have(message: OutgoingMessages['Have']): void {
    if (this.opened) this.#host.send(this.localId, 'Have', message)
  }

  /** Send an Unhave. */
  unhave(message: OutgoingMessages['Unhave']): void {
    if (this.opened) this.#host.send(this.localId, 'Unhave', message)
  }

  /** Send a Want. */
  want(message: OutgoingMessages['Want']): void {
    if (this.opened) this.#host.send(this.localId, 'Want', message)
  }

  /** Send an Unwant. */
  unwant(message: OutgoingMessages['Unwant']): void {
    if (this.opened) this.#host.send(this.localId, 'Unwant', message)
  }

  /** Send a Request. */
  request(message: OutgoingMessages['Request']): void {
    if (this.opened) this.#host.send(this.localId, 'Request', message)
  }

  /** Send a Cancel. */
  cancel(message: OutgoingMessages['Cancel']): void {
    if (this.opened) this.#host.send(this.localId, 'Cancel', message)
  }

  /** Send a Data. Its bytes must not change before the turn is over. */
  data(message: OutgoingMessages['Data']): void {
    if (this.opened) this.#host.send(this.localId, 'Data', message)
  }

  /** Send a message of our extension number `id` (its position in the Options we last sent). */
  extension(id: number, message: Uint8Array): void {
    if (this.opened) this.#host.sendExtension(this.localId, id, message)
  }

  /** Close the channel: `onclose` is called at once and the remote is told. Idempotent. */
  close(): void {
    if (!this.closed) this.#host.closeChannel(this)
  }

  /** Destroy the whole connection. */
  destroy(error?: Error): void {
    this.connection.destroy(error)
  }
}
