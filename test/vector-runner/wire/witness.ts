/**
 * What one side lived through: the events of its logs and streams and the results of its actions, to be compared
 * with those recorded.
 *
 * Their order and turn depend on storage, so they are compared over the whole case: as many of each, but for those
 * that the reference repeats (a block fetched from every source, the open step run twice: quirks ), which
 * are compared as a set. Texts of errors are informative. `end` and `prefinalize` belong to the stream's inside.
 *
 * @module
 */
import { toHex, toUtf8 } from '../../../src/bytes.ts'
import type { Log } from '../../../src/log/index.ts'
import type { Connection } from '../../../src/wire/connection.ts'
import type { Entry } from './transcript.ts'

/** Events that count once, however often they are repeated. */
const ONCE = /^(\S+ )?(download|sync|peer-open|append|remote-update)\b/
const LEFT_OUT = /^(end|prefinalize)$/

/** Events of one side. */
export class Witness {
  readonly #seen: string[] = []

  /** Something happened. */
  note(event: string, value?: unknown): void {
    if (LEFT_OUT.test(event)) return
    const line = value === undefined ? event : `${event} ${JSON.stringify(plain(event, value))}`
    if (!ONCE.test(event) || !this.#seen.includes(line)) this.#seen.push(line)
  }

  /** Everything that happened, sorted. */
  get lines(): readonly string[] {
    return this.#seen.toSorted()
  }

  /** Listen to a log. */
  watchLog(label: string, log: Log): void {
    const note = (event: string, value?: unknown): void => this.note(`${label} ${event}`, value)
    log.on('peer-add', () => note('peer-add'))
    log.on('peer-open', () => note('peer-open'))
    log.on('peer-remove', () => note('peer-remove'))
    log.on('replicating', () => note('replicating'))
    log.on('sync', () => note('sync'))
    log.on('append', () => note('append', log.length))
    log.on('upload', (index) => note('upload', index))
    log.on('download', (index) => note('download', index))
    log.on('remote-update', (peer) => note('remote-update', peer.remoteLength))
    log.on('peer-ack', (_peer, have) => {
      const bitfield = have.bitfield && toHex(have.bitfield)
      note('peer-ack', { start: have.start, length: have.length, ack: have.ack, bitfield })
    })
  }

  /** Listen to a stream. */
  watchStream(connection: Connection): void {
    connection.on('handshake', () => this.note('handshake'))
    connection.on(
      'duplex-channel',
      ({ localId, remoteId }: { localId: number; remoteId: number }) =>
        this.note('duplex-channel', { localId, remoteId }),
    )
    connection.on('remote-open', (key: Uint8Array) => this.note('remote-open', toHex(key)))
    connection.on('discovery-key', (key: Uint8Array) => this.note('discovery-key', toHex(key)))
    connection.on('ack', ({ start, length }: { start: number; length: number }) =>
      this.note('ack', { start, length }),
    )
    connection.on('extensions', (names: readonly string[]) => this.note('stream-extensions', names))
    connection.on('error', (error: Error) => this.note('error', error.message))
    connection.on('close', () => this.note('close'))
  }

  /** The result of a read or the like, under the name that the recording has for it. */
  async result(event: string, work: Promise<unknown> | undefined): Promise<void> {
    if (!work) return
    try {
      this.note(event, await work)
    } catch (error) {
      if (isAnswer(error)) this.note(event, { error: String(error) })
    }
  }
}

/** What was recorded of `side`. */
export function recorded(entries: readonly Entry[], side: string): readonly string[] {
  const witness = new Witness()
  for (const { events = [] } of entries) {
    for (const each of events) if (each.side === side) witness.note(each.event, each.value)
  }
  return witness.lines
}

/** A closed log or stream answers what waits when the case is over; the recording ends before. */
function isAnswer(error: unknown): boolean {
  return (error as { code?: string } | null)?.code !== 'LOG_CLOSED'
}

/** The part of a value that has a meaning, in one form. */
function plain(event: string, value: unknown): unknown {
  if (event === 'error') return 'an error'
  const fields = (typeof value === 'object' ? (value ?? {}) : {}) as Record<string, unknown>
  if (typeof fields['error'] === 'string') return 'an error'
  if (event === 'got') return value instanceof Uint8Array ? toHex(value) : fields['value']
  if (event === 'seek-done') return [fields['index'], fields['offset']]
  if (event === 'update-done') return fields['length'] ?? value
  if (value instanceof Uint8Array) return toUtf8(value)
  return value
}
