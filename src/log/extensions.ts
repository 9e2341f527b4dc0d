/**
 * Named messages that programs send beside a log.
 *
 * An extension's number on the wire is its place in the sorted list of names that its side advertised,
 * so numbers differ between the two ends and change when a name is added or removed. A received number
 * is looked up in the *remote's* list, and the name then in ours.
 *
 * @see spec/20-wire.md 2.8 and 3.11
 * @module
 */
import { asError } from '../errors.ts'
import { matchNames, sortNames } from '../extension-names.ts'
import { messageCodec } from '../value-encoding.ts'
import type { Codec, Encoding } from '../value-encoding.ts'
import { LogError } from './errors.ts'
import type { LogPeer } from './replicator.ts'

/** What a program gives to take part in an extension. */
export interface ExtensionHandlers<M = unknown> {
  /** How messages are coded; binary when left out. */
  readonly encoding?: Encoding
  /** A message came in. */
  readonly onmessage?: (message: M, peer: LogPeer) => void
  /** A message that does not decode came in, or `onmessage` threw. */
  readonly onerror?: (error: Error, peer: LogPeer) => void
}

/** An extension as its owner holds it. */
export interface Extension<M = unknown> {
  readonly name: string
  /** Its number now: place in the sorted list of names; -1 once destroyed. */
  readonly id: number
  /** Send to one peer. */
  send(message: M, peer: LogPeer): void
  /** Send to all peers. Returns whether there was any. */
  broadcast(message: M): boolean
  /** Take it off the list; later messages for it are ignored. */
  destroy(): void
}

/** Where the registry finds the peers, and whom it tells of a change. */
export interface ExtensionHost {
  /** Who is connected now. */
  peers(): readonly LogPeer[]
  /** Called when the list of names is another one. */
  changed(): void
}

interface Registered {
  readonly extension: Extension
  receive(bytes: Uint8Array, peer: LogPeer): void
}

/** The extensions of one log. */
export class ExtensionRegistry {
  readonly #host: ExtensionHost
  readonly #registered = new Map<string, Registered>()
  #names: readonly string[] = []
  /** The remote list asked for last, and our names by its numbers. */
  #remoteNames: readonly string[] | null = null
  #matched: readonly (string | null)[] = []

  /** @param host - gives peers, hears of changes */
  constructor(host: ExtensionHost) {
    this.#host = host
  }

  /** Names in the order that numbers them: by UTF-16 code units. */
  get names(): readonly string[] {
    return this.#names
  }

  /**
   * Add an extension.
   *
   * @throws {@link LogError} `LOG_BAD_EXTENSION` when the name is taken
   */
  register<M = unknown>(name: string, handlers: ExtensionHandlers<M> = {}): Extension<M> {
    if (this.#registered.has(name)) {
      throw new LogError('LOG_BAD_EXTENSION', `extension ${name} is registered already`)
    }
    // Which encoding goes with which `M` is the caller's word: the types cannot tell.
    // oxlint-disable-next-line no-unsafe-type-assertion
    const codec = messageCodec(handlers.encoding) as Codec<M>
    const host = this.#host
    const idOf = (): number => this.#names.indexOf(name)
    const extension: Extension<M> = {
      name,
      get id() {
        return idOf()
      },
      send: (message, peer) => {
        if (idOf() >= 0) peer.extension(idOf(), codec.encode(message))
      },
      broadcast: (message) => {
        const id = idOf()
        const peers = host.peers()
        if (id < 0 || peers.length === 0) return false
        const bytes = codec.encode(message)
        for (const peer of peers) peer.extension(id, bytes)
        return true
      },
      destroy: () => {
        if (this.#registered.get(name)?.extension !== (extension as Extension)) return
        this.#registered.delete(name)
        this.#renumber()
      },
    }
    this.#registered.set(name, {
      extension,
      receive: (bytes, peer) => deliver(codec, handlers, bytes, peer),
    })
    this.#renumber()
    return extension
  }

  /**
   * A peer sent `bytes` for the extension that *it* numbers `id` in `remoteNames`. Unknown ones are
   * ignored. Returns whether somebody took it. Never throws: what a handler throws goes to its `onerror`, or is an uncaught exception of
   * the program that wrote it.
   */
  receive(id: number, remoteNames: readonly string[], bytes: Uint8Array, peer: LogPeer): boolean {
    if (remoteNames !== this.#remoteNames) {
      this.#remoteNames = remoteNames
      this.#matched = matchNames(this.#names, remoteNames)
    }
    const name = this.#matched[id] ?? null
    const extension = name === null ? undefined : this.#registered.get(name)
    extension?.receive(bytes, peer)
    return extension !== undefined
  }

  #renumber(): void {
    this.#names = sortNames(this.#registered.keys())
    this.#remoteNames = null
    this.#host.changed()
  }
}

function deliver<M>(
  codec: Codec<M>,
  handlers: ExtensionHandlers<M>,
  bytes: Uint8Array,
  peer: LogPeer,
): void {
  let message: M
  try {
    message = codec.decode(bytes)
  } catch (error) {
    handlers.onerror?.(asError(error), peer)
    return
  }
  try {
    handlers.onmessage?.(message, peer)
  } catch (error) {
    const failure = asError(error)
    if (handlers.onerror) handlers.onerror(failure, peer)
    else queueMicrotask(() => rethrow(failure))
  }
}

function rethrow(error: Error): never {
  throw error
}
