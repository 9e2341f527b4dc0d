/**
 * How the drive vectors write values in JSON, and how ours are written the same way to be compared.
 *
 * @see test/vectors/drive/README.md, Conventions
 * @module
 */
import { createHash } from 'node:crypto'

/** Bytes in a result: in full up to 96 of them, by hash above. */
export type Blob = { readonly hex: string } | { readonly length: number; readonly sha256: string }

/** What a step must answer: exactly one field is there. */
export interface Outcome {
  readonly ok?: unknown
  readonly err?: ExpectedError
  readonly hang?: true
}

/** An error of v10: `code` and `errno` are normative where they are not null. */
export interface ExpectedError {
  readonly name: string
  readonly code: string | null
  readonly errno: number | null
  readonly message: string
}

/** A Stat as the vectors show it. */
export interface StatRecord {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly blocks: number
  readonly offset: number
  readonly byteOffset: number
  readonly mtime: number
  readonly ctime: number
  readonly linkname: string | null
  readonly mount: unknown
  /** Null for one that was just made and never decoded. */
  readonly metadata: Readonly<Record<string, string | null>> | null
}

/** An argument with its forms for bytes, patterns and dates put in, at any depth. */
export function argument(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(argument)
  if (typeof value !== 'object' || value === null) return value
  const object = value as Readonly<Record<string, unknown>>
  if (typeof object['hex'] === 'string') return Buffer.from(object['hex'], 'hex')
  if (typeof object['pattern'] === 'number') {
    return pattern(object['pattern'], object['length'] as number)
  }
  if (typeof object['date'] === 'number') return new Date(object['date'])
  return Object.fromEntries(Object.entries(object).map(([key, each]) => [key, argument(each)]))
}

/** The buffer whose byte `i` is `(seed + 7 i + 13 floor(i / 256)) mod 256`. */
export function pattern(seed: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  for (let i = 0; i < length; i++) bytes[i] = (seed + 7 * i + 13 * Math.floor(i / 256)) % 256
  return bytes
}

/** The form of a byte result. */
export function blob(bytes: Uint8Array): Blob {
  if (bytes.length <= 96) return { hex: Buffer.from(bytes).toString('hex') }
  return { length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** Hexadecimal text of bytes, or null for none. */
export function hexOrNull(bytes: Uint8Array | null | undefined): string | null {
  return bytes ? Buffer.from(bytes).toString('hex') : null
}

/** The part of our Stat that is compared. Times may be dates or milliseconds. */
export interface ComparableStat {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly blocks: number
  readonly offset: number
  readonly byteOffset: number
  readonly mtime: Date | number
  readonly ctime: Date | number
  readonly linkname: string | null
  readonly mount: {
    readonly key: Uint8Array
    readonly version?: number | null
    readonly hash?: Uint8Array | null
    readonly hypercore?: boolean | null
  } | null
  readonly metadata: Readonly<Record<string, unknown>> | ReadonlyMap<string, unknown> | null
}

/** Our Stat in the form of the vectors. */
export function statRecord(stat: ComparableStat): StatRecord {
  const { mode, uid, gid, size, blocks, offset, byteOffset, linkname, mount } = stat
  return {
    mode,
    uid,
    gid,
    size,
    blocks,
    offset,
    byteOffset,
    mtime: Number(stat.mtime),
    ctime: Number(stat.ctime),
    linkname,
    mount: mount && {
      key: hexOrNull(mount.key),
      version: mount.version ?? null,
      hash: hexOrNull(mount.hash),
      hypercore: mount.hypercore ?? false,
    },
    metadata: metadataRecord(stat.metadata),
  }
}

/** A Stat of a vector with `metadata: null` and `metadata: {}` made equal, as its README asks. */
export function expectedStat(record: StatRecord): StatRecord {
  return { ...record, metadata: record.metadata ?? {} }
}

function metadataRecord(metadata: ComparableStat['metadata']): Record<string, string | null> {
  if (!metadata) return {}
  const entries = metadata instanceof Map ? [...metadata] : Object.entries(metadata)
  return Object.fromEntries(
    entries.map(([key, value]: [string, unknown]) => [
      key,
      typeof value === 'string'
        ? Buffer.from(value).toString('hex')
        : hexOrNull(value as Uint8Array | null),
    ]),
  )
}
