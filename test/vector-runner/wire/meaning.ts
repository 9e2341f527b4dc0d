/**
 * What a turn of frames means, so that two ways of saying it are equal.
 *
 * - Data of one turn are a set; Requests are a list without their digests (which depend on when storage answered);
 *   announced blocks are a set, however they are joined; everything else is in order.
 * - Requests that name the byte of a request before them are left out, as are those for a byte that no block holds:
 *   one answer is given at most (quirk Q-16; we ask once).
 * - Requests for a block that was asked for before are left out, and so are announcements of a block that was
 *   announced before on the same channel, or that first came from there (quirk Q-2; we ask once).
 *
 * @module
 */
import type { Frame } from './transcript.ts'

/** A turn, ready to be compared. */
export interface Meaning {
  readonly control: readonly unknown[]
  readonly requests: readonly unknown[]
  readonly data: readonly unknown[]
  readonly announced: readonly string[]
}

/** What was said before, on all links of one side. */
export class Memory {
  /** Blocks asked for on any link; emptied of what is cleared. */
  readonly asked = new Set<string>()
  readonly announced = new Set<string>()
  /** Link that a block first came from, by channel and index. */
  readonly sources = new Map<string, string>()

  /** Blocks came on `link`. */
  received(frames: readonly Frame[], link: string): void {
    for (const { channel, name, message = {} } of frames) {
      const block = `${channel} ${String(message['index'])}`
      if (name === 'Data' && message['value'] !== null && !this.sources.has(block)) {
        this.sources.set(block, link)
      }
    }
  }
}

type Fields = Readonly<Record<string, unknown>>

/**
 * The meaning of the frames that one side wrote on `link`.
 *
 * @param byteLength - bytes that the longest log of the case has in the end
 */
export function meaningOf(
  frames: readonly Frame[],
  link: string,
  byteLength: number,
  memory: Memory,
): Meaning {
  const control: unknown[] = []
  const requests: unknown[] = []
  const data: Record<string, unknown>[] = []
  const announced = new Set<string>()
  const sought = new Set<unknown>()
  for (const { channel, type, name, message = {}, payload } of frames) {
    if (name === 'Data') data.push({ channel, ...message })
    else if (name === 'Request') {
      const { index, bytes, hash } = message
      if (bytes !== 0 && (sought.has(bytes) || Number(bytes) >= byteLength)) continue
      sought.add(bytes)
      const asked = `${channel} ${String(index)}`
      if (bytes === 0 && hash === false) {
        if (memory.asked.has(asked)) continue
        memory.asked.add(asked)
      }
      requests.push({ channel, index, bytes, hash })
    } else if (name === 'Have' && message['bitfield'] === null && message['ack'] === false) {
      for (const index of spanOf(message)) {
        const block = `${link} ${channel} ${index}`
        if (memory.announced.has(block)) continue
        if (memory.sources.get(`${channel} ${index}`) === link) continue
        memory.announced.add(block)
        announced.add(block)
      }
    } else
      control.push(name === 'Extension' ? { channel, type, payload } : { channel, name, message })
  }
  return {
    control,
    requests,
    data: data.toSorted((a, b) => Number(a['index']) - Number(b['index'])),
    announced: [...announced].toSorted(),
  }
}

function* spanOf(message: Fields): Iterable<number> {
  const start = Number(message['start'])
  for (let i = 0; i < Number(message['length']); i++) yield start + i
}
