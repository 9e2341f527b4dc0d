/**
 * The channels of one connection: who opened what, under which numbers, and whom a frame is for.
 *
 * Each end numbers its channels 1, 2, 3, … and never uses a number again; channel 0 is the connection's own.
 * A frame is decoded before anybody asks whether its channel is open, so that what is malformed is an error
 * everywhere. Then it goes to the handlers of an open channel, or nowhere.
 *
 * Pure: bytes and calls in, calls out. Errors are thrown; the connection destroys itself with them.
 *
 * @see spec/20-wire.md 3.2
 * @module
 */
import { copy, toHex } from '../bytes.ts'
import { discoveryKey as discoveryKeyOf } from '../crypto.ts'
import { Channel } from './channel.ts'
import type { ChannelHandlers, ChannelHost, OutgoingMessages } from './channel.ts'
import type { Connection } from './connection.ts'
import { decode, decodeExtension, decodeOptions } from './decode.ts'
import { WireError } from './errors.ts'
import type { Limits } from './limits.ts'
import { MessageType } from './messages.ts'
import type { Open } from './messages.ts'
import type { Session } from './session.ts'

/** Whom the channels tell. */
export interface ChannelsHost {
  readonly connection: Connection
  readonly session: Session
  readonly limits: Limits
  /** The remote opened a log that we have not. Channels may be opened or closed in here. */
  discoveryKey(discoveryKey: Uint8Array): void
  /** A channel is now open on both sides. */
  duplexChannel(channel: Channel): void
  /** The remote opened a log; after everything else about it. */
  remoteOpen(discoveryKey: Uint8Array): void
  /** The remote closed a channel, or the connection ended. */
  channelClosed(discoveryKey: Uint8Array, key: Uint8Array | null): void
  /** There is one channel less. */
  channelGone(): void
  /** The remote sent the names of its stream extensions. */
  streamNames(names: readonly string[]): void
  /** The remote sent a message of a stream extension. */
  streamMessage(id: number, bytes: Uint8Array): boolean
}

/** All channels of one connection. */
export class Channels implements ChannelHost {
  readonly #host: ChannelsHost
  readonly #byDiscoveryKey = new Map<string, Channel>()
  readonly #remote = new Map<number, Channel>()
  /** Channels that a frame of this chunk was for. */
  #touched: Channel[] = []
  #nextId = 1
  /** Channels that the remote alone has open. */
  #unknown = 0

  /** @param host - is told, and sends */
  constructor(host: ChannelsHost) {
    this.#host = host
  }

  /** The connection they are of. */
  get connection(): Connection {
    return this.#host.connection
  }

  /** Channels that are open on either side. */
  get all(): readonly Channel[] {
    return [...this.#byDiscoveryKey.values()]
  }

  /** Their number. */
  get count(): number {
    return this.#byDiscoveryKey.size
  }

  /** The channel of a log, if it is open on either side. */
  get(discoveryKey: Uint8Array): Channel | undefined {
    return this.#byDiscoveryKey.get(toHex(discoveryKey))
  }

  /** As `Connection.open`. */
  open(key: Uint8Array, handlers?: ChannelHandlers): Channel {
    const channel = this.#findOrAdd(discoveryKeyOf(key))
    if (handlers) channel.handlers = handlers
    if (channel.opened) return channel
    channel.handlers ??= {}
    if (channel.key === null && channel.remoteOpened) this.#unknown--
    channel.key = copy(key)
    channel.localId = this.#nextId++
    this.#host.session.sendOpen(channel.localId, channel.discoveryKey, channel.key)
    if (channel.remoteOpened) this.#host.duplexChannel(channel)
    return channel
  }

  /** As `Connection.close`. */
  close(discoveryKey: Uint8Array): void {
    const channel = this.get(discoveryKey)
    if (channel?.opened) this.closeChannel(channel)
    else this.#host.session.send(this.#nextId++, 'Close', { discoveryKey })
  }

  /** As `Channel.close`. */
  closeChannel(channel: Channel): void {
    const localId = channel.localId
    if (localId === -1) {
      this.close(channel.discoveryKey)
      return
    }
    this.#remove(channel)
    // First, in case that `onclose` opens the log again.
    this.#host.session.send(localId, 'Close', {})
    channel.handlers?.onclose?.(channel)
    this.#host.channelGone()
  }

  /** Send on behalf of a channel. */
  send<Type extends keyof OutgoingMessages>(
    id: number,
    type: Type,
    message: OutgoingMessages[Type],
  ): void {
    this.#host.session.send(id, type, message)
  }

  /** Send an extension message on behalf of a channel. */
  sendExtension(id: number, extension: number, message: Uint8Array): void {
    this.#host.session.sendExtension(id, extension, message)
  }

  /** Whether the remote proved that it knows `key`. */
  verifies(key: Uint8Array, capability: Uint8Array | null): boolean {
    return this.#host.session.verifies(key, capability)
  }

  /** A frame came in. */
  receive(id: number, type: number, bytes: Uint8Array, start: number, end: number): void {
    const channel = this.#remote.get(id)
    const { allowance } = this.connection
    // A message is read, and so checked, whether or not anybody is there to take it.
    const handlers = channel?.opened ? channel.handlers : null
    if (handlers === null && id !== 0 && type !== MessageType.Open) allowance.spend('frame')
    switch (type) {
      case MessageType.Open:
        this.#remoteOpened(id, decode.Open(bytes, start, end))
        return
      case MessageType.Close:
        this.#remoteClosed(id, decode.Close(bytes, start, end).discoveryKey)
        return
      case MessageType.Options: {
        const message = decodeOptions(bytes, start, end, this.#host.limits.extensionNames)
        allowance.spend('options', 4 + message.extensions.length)
        if (id === 0) this.#host.streamNames(message.extensions)
        else if (channel) handlers?.onoptions?.(message, channel)
        break
      }
      case MessageType.Extension: {
        const message = decodeExtension(bytes, start, end)
        const rest = bytes.subarray(message.at, end)
        if (id === 0) {
          if (!this.#host.streamMessage(message.id, rest))
            allowance.spend('extension', 1 + rest.length / 4096)
        } else if (channel) handlers?.onextension?.(message.id, rest, channel)
        break
      }
      default:
        if (!dispatch(channel, handlers, type, bytes, start, end)) {
          if (handlers !== null) allowance.spend('frame')
          return
        }
    }
    if (channel && handlers?.onbatchend && !channel.touched) {
      channel.touched = true
      this.#touched.push(channel)
    }
  }

  /** The chunk is over. */
  batchEnd(): void {
    if (this.#touched.length === 0) return
    const touched = this.#touched
    this.#touched = []
    for (const channel of touched) channel.touched = false
    for (const channel of touched) if (channel.opened) channel.handlers?.onbatchend?.(channel)
  }

  /** Output has room again. */
  drained(): void {
    for (const channel of this.#byDiscoveryKey.values()) {
      if (channel.opened) channel.handlers?.ondrain?.(channel)
    }
  }

  /** The connection is over: every channel is told. `report` gets what handlers throw. */
  destroy(report: (error: unknown) => void): void {
    for (const channel of this.all) {
      const { opened } = channel
      this.#remove(channel)
      try {
        if (opened) channel.handlers?.onclose?.(channel)
        this.#host.channelClosed(channel.discoveryKey, channel.key)
      } catch (error) {
        report(error)
      }
    }
  }

  #findOrAdd(discoveryKey: Uint8Array): Channel {
    const name = toHex(discoveryKey)
    let channel = this.#byDiscoveryKey.get(name)
    if (!channel) {
      channel = new Channel(this, copy(discoveryKey))
      this.#byDiscoveryKey.set(name, channel)
    }
    return channel
  }

  #remove(channel: Channel): void {
    if (channel.key === null && channel.remoteOpened) this.#unknown--
    this.#remote.delete(channel.remoteId)
    this.#byDiscoveryKey.delete(toHex(channel.discoveryKey))
    channel.localId = -1
    channel.remoteId = -1
    channel.closed = true
  }

  #remoteOpened(id: number, message: Open): void {
    if (id === 0) throw new WireError('WIRE_BAD_OPEN', 'an Open on channel 0')
    if (this.#remote.has(id)) throw new WireError('WIRE_BAD_OPEN', `channel ${id} is open already`)
    if (this.get(message.discoveryKey)?.remoteOpened) {
      throw new WireError('WIRE_BAD_OPEN', 'a log that is open already')
    }
    const { channels, unknownChannels } = this.#host.limits
    if (this.#remote.size >= channels || this.#unknown >= unknownChannels) {
      throw new WireError('WIRE_LIMIT', `more than ${this.#remote.size} channels`)
    }
    const channel = this.#findOrAdd(message.discoveryKey)
    channel.remoteCapability = message.capability && copy(message.capability)
    channel.remoteId = id
    this.#remote.set(id, channel)
    if (channel.key === null) {
      this.#unknown++
      this.#host.discoveryKey(channel.discoveryKey)
    } else {
      if (!channel.remoteVerified) {
        throw new WireError(
          'WIRE_BAD_CAPABILITY',
          'the remote does not prove that it knows the key',
        )
      }
      this.#host.duplexChannel(channel)
    }
    if (channel.opened) channel.handlers?.onopen?.(channel)
    this.#host.remoteOpen(channel.discoveryKey)
  }

  #remoteClosed(id: number, discoveryKey: Uint8Array | null): void {
    this.connection.allowance.spend('close', 2)
    const channel = this.#remote.get(id) ?? (discoveryKey ? this.get(discoveryKey) : undefined)
    if (!channel) return
    const localId = channel.localId
    this.#remove(channel)
    if (localId !== -1) {
      this.#host.session.send(localId, 'Close', {})
      channel.handlers?.onclose?.(channel)
    }
    this.#host.channelClosed(channel.discoveryKey, channel.key)
    this.#host.channelGone()
  }
}

/** Hand over a message of a log. Returns false for a type that means nothing. */
function dispatch(
  channel: Channel | undefined,
  handlers: ChannelHandlers | null,
  type: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  switch (type) {
    case MessageType.Data: {
      const message = decode.Data(bytes, start, end)
      if (channel) handlers?.ondata?.(message, channel)
      return true
    }
    case MessageType.Request: {
      const message = decode.Request(bytes, start, end)
      if (channel) handlers?.onrequest?.(message, channel)
      return true
    }
    case MessageType.Have: {
      const message = decode.Have(bytes, start, end)
      if (channel) handlers?.onhave?.(message, channel)
      return true
    }
    case MessageType.Unhave: {
      const message = decode.Unhave(bytes, start, end)
      if (channel) handlers?.onunhave?.(message, channel)
      return true
    }
    case MessageType.Want: {
      const message = decode.Want(bytes, start, end)
      if (channel) handlers?.onwant?.(message, channel)
      return true
    }
    case MessageType.Unwant: {
      const message = decode.Unwant(bytes, start, end)
      if (channel) handlers?.onunwant?.(message, channel)
      return true
    }
    case MessageType.Cancel: {
      const message = decode.Cancel(bytes, start, end)
      if (channel) handlers?.oncancel?.(message, channel)
      return true
    }
    case MessageType.Status: {
      const message = decode.Status(bytes, start, end)
      if (channel) handlers?.onstatus?.(message, channel)
      return true
    }
    default:
      return false
  }
}
