/**
 * The content of a file that is being changed: pieces in order, without gaps, that cover all of it.
 *
 *     position  0                 70000      70010                    1000000    2000000
 *     segments  | run, from 0     | bytes    | run, from 70010        | zeros    |
 *
 * `run` is a range of stored blocks, `bytes` is in memory, `zeros` is a hole. Changing it stores nothing, and what
 * was read from it before stays as it was: segments are replaced, never changed. Pure.
 *
 * @module
 */
import { copy } from '../../bytes.ts'
import type { Run } from '../content/run.ts'

/** A piece of a file. */
export type Segment = {
  /** Its first byte in the file. */
  readonly at: number
  readonly length: number
} & (
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'zeros' }
  /** Bytes `[skip, skip + length)` of a run. */
  | { readonly type: 'run'; readonly run: Run; readonly skip: number }
)

/** Small writes in a row share buffers of up to this many bytes. */
const BUFFER_BYTES = 65536

/** The segments of one file. */
export class Segments {
  #list: Segment[]
  #heldBytes = 0
  /** The buffer that the last small write went to, and the segment that fills it from its start. */
  #open: { readonly buffer: Uint8Array; readonly segment: Segment } | null = null

  /** @param run - where the content lies; null for none */
  constructor(run: Run | null) {
    const isEmpty = run === null || run.size === 0
    this.#list = isEmpty ? [] : [{ at: 0, length: run.size, type: 'run', run, skip: 0 }]
  }

  /** Bytes of the file. */
  get size(): number {
    const last = this.#list.at(-1)
    return last ? last.at + last.length : 0
  }

  /** How many there are. */
  get count(): number {
    return this.#list.length
  }

  /** Bytes of them that are in memory. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** All of them, in order. */
  all(): readonly Segment[] {
    return this.#list
  }

  /** What covers `[start, end)`, the first and the last one cut to it. */
  slice(start: number, end: number): Segment[] {
    const out: Segment[] = []
    for (let i = this.#indexOf(start); i < this.#list.length; i++) {
      const segment = this.#list[i]
      if (!segment || segment.at >= end) break
      const cut = between(segment, start, end)
      if (cut) out.push(cut)
    }
    return out
  }

  /** Put a copy of `bytes` at `at`; what lies between the end and there becomes zeros. */
  write(at: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return
    if (at > this.size) this.resize(at)
    if (!this.#extend(at, bytes)) this.#replace(this.#begun(at, bytes))
  }

  /** Cut, or add zeros. */
  resize(size: number): void {
    const old = this.size
    if (size < old) {
      const index = this.#indexOf(size)
      const first = this.#list[index]
      const kept = first && between(first, 0, size)
      this.#splice(index, this.#list.length - index, kept ? [own(kept)] : [])
    } else if (size > old) {
      const last = this.#list.at(-1)
      const grown = last?.type === 'zeros' ? last : null
      const at = grown?.at ?? old
      this.#splice(this.#list.length - (grown ? 1 : 0), grown ? 1 : 0, [
        { at, length: size - at, type: 'zeros' },
      ])
    }
  }

  /** The bytes that are in memory, in order. */
  memory(): Uint8Array[] {
    return this.#list.flatMap((segment) => (segment.type === 'bytes' ? [segment.bytes] : []))
  }

  /** What `memory` gave is stored now, as `run`: nothing of it is held any more. */
  stored(run: Run): void {
    let skip = 0
    const list: Segment[] = []
    for (const segment of this.#list) {
      let next: Segment = segment
      if (segment.type === 'bytes') {
        next = { at: segment.at, length: segment.length, type: 'run', run, skip }
        skip += segment.length
      }
      const last = list.at(-1)
      const both = last && joined(last, next)
      if (both) list[list.length - 1] = both
      else list.push(next)
    }
    this.#list = list
    this.#heldBytes = 0
    this.#open = null
  }

  /** Let a small write that goes on where the last one ended share its buffer. */
  #extend(at: number, bytes: Uint8Array): boolean {
    const { buffer, segment } = this.#open ?? {}
    if (!buffer || !segment || segment.at + segment.length !== at) return false
    if (segment.length + bytes.length > buffer.length) return false
    // Cut or replaced meanwhile: its buffer is not its own any more.
    if (this.#list[this.#indexOf(segment.at)] !== segment) return false
    buffer.set(bytes, segment.length)
    this.#grow(segment.at, buffer, segment.length + bytes.length)
    return true
  }

  /** A segment of its own for `bytes`, or for it and the small one before it. */
  #begun(at: number, bytes: Uint8Array): Segment {
    const before = this.#open?.segment
    const isNext = before?.type === 'bytes' && before.at + before.length === at
    const isKept = isNext && this.#list[this.#indexOf(before.at)] === before
    const length = isKept ? before.length + bytes.length : bytes.length
    if (!isKept || length > BUFFER_BYTES) {
      const segment: Segment = { at, length: bytes.length, type: 'bytes', bytes: copy(bytes) }
      this.#open = bytes.length < BUFFER_BYTES ? { buffer: segment.bytes, segment } : null
      return segment
    }
    const buffer = new Uint8Array(Math.min(BUFFER_BYTES, Math.max(1024, length * 2)))
    buffer.set(before.bytes)
    buffer.set(bytes, before.length)
    const segment: Segment = {
      at: before.at,
      length,
      type: 'bytes',
      bytes: buffer.subarray(0, length),
    }
    this.#open = { buffer, segment }
    return segment
  }

  #grow(at: number, buffer: Uint8Array, length: number): void {
    const segment: Segment = { at, length, type: 'bytes', bytes: buffer.subarray(0, length) }
    this.#open = { buffer, segment }
    this.#replace(segment)
  }

  /** Put `segment` in the place of what lies there. */
  #replace(segment: Segment): void {
    const end = segment.at + segment.length
    const first = this.#indexOf(segment.at)
    let last = first
    while (last < this.#list.length && (this.#list[last]?.at ?? end) < end) last++
    const [left, right] = [this.#list[first], this.#list[last - 1]]
    const before = left && last > first ? between(left, 0, segment.at) : null
    const after = right && last > first ? between(right, end, Infinity) : null
    this.#splice(first, last - first, [
      ...(before ? [own(before)] : []),
      segment,
      ...(after ? [own(after)] : []),
    ])
  }

  #splice(index: number, count: number, added: readonly Segment[]): void {
    const removed = this.#list.splice(index, count, ...added)
    for (const segment of added) this.#heldBytes += held(segment)
    for (const segment of removed) this.#heldBytes -= held(segment)
  }

  /** Index of the segment that holds byte `position`; their number when it is past the end. */
  #indexOf(position: number): number {
    let [low, high] = [0, this.#list.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const segment = this.#list[middle]
      if (segment && segment.at + segment.length <= position) low = middle + 1
      else high = middle
    }
    return low
  }
}

function held(segment: Segment): number {
  return segment.type === 'bytes' ? segment.length : 0
}

/** The part of a segment within `[start, end)`, or null. */
function between(segment: Segment, start: number, end: number): Segment | null {
  const at = Math.max(segment.at, start)
  const length = Math.min(segment.at + segment.length, end) - at
  if (length <= 0) return null
  if (length === segment.length) return segment
  const skipped = at - segment.at
  switch (segment.type) {
    case 'bytes':
      return { at, length, type: 'bytes', bytes: segment.bytes.subarray(skipped, skipped + length) }
    case 'zeros':
      return { at, length, type: 'zeros' }
    case 'run':
      return { at, length, type: 'run', run: segment.run, skip: segment.skip + skipped }
  }
}

/** What is kept for long must not hold a buffer that is mostly something else. */
function own(segment: Segment): Segment {
  if (segment.type !== 'bytes' || segment.length * 2 >= segment.bytes.buffer.byteLength)
    return segment
  return { ...segment, bytes: copy(segment.bytes) }
}

/** Two neighbours as one, when they lie next to each other in the log too. */
function joined(left: Segment, right: Segment): Segment | null {
  if (left.type !== 'run' || right.type !== 'run') return null
  const [a, b] = [left.run, right.run]
  const end = a.byteOffset + left.skip + left.length
  if (a.log !== b.log || end !== b.byteOffset + right.skip) return null
  const length = left.length + right.length
  // Of the same run, or of one that was joined to it already.
  if (a.start <= b.start && b.end <= a.end) return { ...left, length }
  if (a.end !== b.start || right.skip !== 0) return null
  return { ...left, length, run: { ...a, end: b.end, size: a.size + b.size } }
}
