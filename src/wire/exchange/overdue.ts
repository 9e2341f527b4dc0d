/**
 * What a remote owes and does not give: looked at a few times a second while it owes anything.
 *
 * - Reads that fail fast wait `SILENCE_MS` for it to open its side and to answer a Want, no longer.
 * - A request that is `LATE_MS` old may also go to another peer that has nothing to do.
 * - A request older than the connection's timeout that was passed over, since a later one was answered, is let
 *   go: the remote no longer has that block, and v10 does not say so (quirk Q-19).
 * - When nothing was answered for the timeout, the connection is over. A large block on its way is an answer.
 *
 * @see spec/20-wire.md 3.7
 * @module
 */
import type { Connection } from '../connection.ts'
import { WireError } from '../errors.ts'
import type { Downloader } from './downloader.ts'
import type { RemoteState } from './remote-state.ts'
import type { ReplicatedLog } from './replicated-log.ts'
import type { Outstanding } from './request-window.ts'

/** After so many milliseconds reads that fail fast no longer wait for this remote's word. */
export const SILENCE_MS = 5000
/** After so many milliseconds a request may also go to another peer. */
export const LATE_MS = 4000
/** Milliseconds between two looks. */
const TICK_MS = 500
/** So many bytes since the last answer are a block on its way. */
const PROGRESS_BYTES = 16_384

/** Whose debts are looked at. */
export interface Debtor {
  readonly connection: Connection
  readonly log: ReplicatedLog
  readonly remote: RemoteState
  readonly downloader: Downloader
  /** Whether the remote has opened its side. */
  readonly isOpen: boolean
  /** Destroy the connection. */
  fail(error: WireError): void
  /** Nobody waits any longer for the remote to open its side. */
  giveUpOpening(): void
  /** Requests were let go. */
  advanced(changed: boolean): void
}

/** Looks at what one remote owes. */
export class Overdue {
  readonly #debtor: Debtor
  readonly #since: number
  #forget: (() => void) | null = null
  #bytes = 0
  #bytesAt = 0

  /** The remote was told of the log just now. */
  constructor(debtor: Debtor) {
    this.#debtor = debtor
    this.#since = debtor.connection.timers.now()
    this.arm()
  }

  /** The remote owes something. */
  arm(): void {
    const { timers, timeout } = this.#debtor.connection
    const ms = timeout > 0 ? Math.min(TICK_MS, timeout / 4) : TICK_MS
    this.#forget ??= timers.set(() => {
      this.#forget = null
      // First: what follows may stop it.
      if (this.#isOwed()) this.arm()
      this.#look(timers.now(), timeout)
    }, ms)
  }

  /** The channel is over. */
  stop(): void {
    this.#forget?.()
    this.#forget = null
  }

  #isOwed(): boolean {
    const { downloader, isOpen } = this.#debtor
    return downloader.window.size > 0 || downloader.wants.unanswered > 0 || !isOpen
  }

  #look(now: number, timeout: number): void {
    const { downloader } = this.#debtor
    if (now - this.#since >= SILENCE_MS) this.#debtor.giveUpOpening()
    downloader.wants.giveUp(now - SILENCE_MS)
    downloader.dropMetSeeks()
    const { oldest } = downloader.window
    if (oldest === null) return
    if (timeout > 0 && now - oldest.sentAt >= timeout) this.#settle(now - timeout)
    if (now - oldest.sentAt >= LATE_MS) this.#debtor.advanced(false)
  }

  /** Requests from before `time` are overdue. */
  #settle(time: number): void {
    const { downloader, log, remote } = this.#debtor
    const overdue = [...downloader.window].filter(({ sentAt }) => sentAt <= time)
    const unmet = overdue.filter((request) => !isMet(request, log))
    if (unmet.length > 0 && downloader.answeredAt <= time && !this.#isProgressing(time)) {
      const ms = this.#debtor.connection.timeout
      return this.#debtor.fail(
        new WireError('WIRE_REQUEST_TIMEOUT', `no answer to a request for ${ms} ms`),
      )
    }
    let isChanged = false
    for (const request of overdue) {
      const met = isMet(request, log)
      if (!met && request.sentAt >= downloader.answeredSentAt) continue
      if (!met && request.seek === null) remote.blocks.remove(request.index, request.index + 1)
      downloader.letGo(request)
      isChanged = true
    }
    if (!isChanged) return
    log.peersChanged()
    this.#debtor.advanced(true)
  }

  /** Whether enough came since the last answer, or since the last look like this, for a block on its way. */
  #isProgressing(time: number): boolean {
    const { bytesReceived } = this.#debtor.connection
    if (bytesReceived - this.#bytes >= PROGRESS_BYTES) {
      this.#bytes = bytesReceived
      this.#bytesAt = this.#debtor.connection.timers.now()
    }
    return this.#bytesAt > time
  }
}

/** Whether what was asked for is here, from wherever it came. */
function isMet({ index, hash, seek }: Outstanding, log: ReplicatedLog): boolean {
  if (seek !== null) return !log.wishes.waiting.has(seek)
  return hash ? log.hasNode(2 * index) : log.has(index)
}
