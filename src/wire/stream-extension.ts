/**
 * Named messages of the connection itself, on channel 0.
 *
 * The list of names is sent lazily: right before the first message, and before the next one after the list
 * changed. A message's number is its place in the list that *its sender* last sent.
 *
 * @see spec/20-wire.md 2.8 and 3.11
 * @module
 */
import { asError } from '../errors.ts'
import { matchNames, sortNames } from '../extension-names.ts'
import { messageCodec } from '../value-encoding.ts'
import type { Codec, Encoding } from '../value-encoding.ts'

/** What a program gives to take part in an extension. */
export interface StreamExtensionHandlers {
  /** How messages are coded; binary when left out. */
  readonly encoding?: Encoding
  /** A message came in. Bytes are a view: copy what is kept. */
  readonly onmessage?: ((message: unknown) => void) | undefined
  /** A message that does not decode came in. */
  readonly onerror?: ((error: Error) => void) | undefined
}

/** An extension as its owner holds it. */
export interface StreamExtension {
  readonly name: string
  /** Its number now: place in the sorted list of names; -1 once destroyed. */
  readonly id: number
  /** Send a message. */
  send(message: unknown): void
  /** Whether the remote's last list has the name; false until it sends one. */
  remoteSupports(): boolean
  /** Take it off the list. Idempotent. */
  destroy(): void
}

/** How the extensions reach the remote. */
export interface StreamExtensionHost {
  /** Send the list of names. */
  sendNames(names: readonly string[]): void
  /** Send a message of our number `id`. */
  send(id: number, message: Uint8Array): void
}

interface Registered {
  readonly codec: Codec
  readonly handlers: StreamExtensionHandlers
}

/** All extensions of one connection. */
export class StreamExtensions {
  readonly #host: StreamExtensionHost
  readonly #registered = new Map<string, Registered>()
  #names: readonly string[] = []
  #remoteNames: readonly string[] = []
  /** Our name for each number of the remote. */
  #matched: readonly (string | null)[] = []
  /** Whether the remote knows our list as it is. */
  #advertised = false

  /** @param host - sends */
  constructor(host: StreamExtensionHost) {
    this.#host = host
  }

  /** Our names, in the order that numbers them. */
  get names(): readonly string[] {
    return this.#names
  }

  /** The remote's names, in its order. */
  get remoteNames(): readonly string[] {
    return this.#remoteNames
  }

  /**
   * Add an extension.
   *
   * @throws TypeError when the name is taken
   */
  register(
    name: string,
    handlers: StreamExtensionHandlers | ((message: unknown) => void) = {},
  ): StreamExtension {
    if (this.#registered.has(name)) {
      throw new TypeError(`extension ${name} is registered already`)
    }
    const given = typeof handlers === 'function' ? { onmessage: handlers } : handlers
    const registered = { codec: messageCodec(given.encoding), handlers: given }
    this.#registered.set(name, registered)
    this.#changed()
    const idOf = (): number =>
      this.#registered.get(name) === registered ? this.#names.indexOf(name) : -1
    return {
      name,
      get id() {
        return idOf()
      },
      send: (message) => {
        const id = idOf()
        if (id < 0) return
        const bytes = registered.codec.encode(message)
        if (!this.#advertised) this.#host.sendNames(this.#names)
        this.#advertised = true
        this.#host.send(id, bytes)
      },
      remoteSupports: () => this.#remoteNames.includes(name),
      destroy: () => {
        if (idOf() < 0) return
        this.#registered.delete(name)
        this.#changed()
      },
    }
  }

  /** The remote sent its list. */
  receiveNames(names: readonly string[]): void {
    this.#remoteNames = names
    this.#matched = matchNames(this.#names, names)
  }

  /** The remote sent a message of *its* number `id`; unknown ones are ignored. Returns whether it was taken. Throws what handlers throw. */
  receive(id: number, bytes: Uint8Array): boolean {
    const name = this.#matched[id] ?? null
    const registered = name === null ? undefined : this.#registered.get(name)
    if (!registered) return false
    const { codec, handlers } = registered
    let message: unknown
    try {
      message = codec.decode(bytes)
    } catch (error) {
      handlers.onerror?.(asError(error))
      return true
    }
    handlers.onmessage?.(message)
    return true
  }

  #changed(): void {
    this.#names = sortNames(this.#registered.keys())
    this.#matched = matchNames(this.#names, this.#remoteNames)
    this.#advertised = false
  }
}
