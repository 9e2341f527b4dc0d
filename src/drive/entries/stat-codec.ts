/**
 * The bytes of a stat: what a visible entry of a drive's trie has as its value.
 *
 *     08 mode  10 uid  18 gid  20 size  28 blocks  30 offset  38 byteOffset  40 mtime  48 ctime     always, varints
 *     52 len linkname           when there is one
 *     5a len { 0a len key  10 version  1a len hash  20 hypercore }                                 mount points
 *     62 len { 0a len key  12 len value }                                                       once per metadata key
 *
 * Held against `stat.proto` by a test. Read strictly: a known field with another wire type, and a length past its
 * parent, are errors; v10 takes them.
 *
 * @see spec/40-drive.md 2.4
 * @module
 */
import { concat, copy } from '../../bytes.ts'
import { ProtobufReader, ProtobufWriter } from '../../protobuf.ts'
import { encodeVarint } from '../../varint.ts'
import { DriveError } from '../errors.ts'

/** Which drive, or plain log, is mounted at an entry. */
export interface MountRecord {
  /** Public key of the metadata log, or of the plain log. */
  readonly key: Uint8Array
  /** Metadata length to read it at; 0, null or absent follows the newest. */
  readonly version?: number | null | undefined
  readonly hash?: Uint8Array | null | undefined
  /** A plain log, shown as one file. */
  readonly hypercore?: boolean | undefined
}

/** A metadata value as it is stored: `null` marks a removed key. */
export type MetadataValue = Uint8Array | null

/** The stored fields of an entry. Times are milliseconds since 1970. */
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
  readonly mount: MountRecord | null
  readonly metadata: Readonly<Record<string, MetadataValue>> | null
}

/** The numeric fields, in the order of their field numbers from 1. */
const NUMBERS = [
  'mode',
  'uid',
  'gid',
  'size',
  'blocks',
  'offset',
  'byteOffset',
  'mtime',
  'ctime',
] as const

/**
 * The bytes of `stat`. Metadata keys that look like integers come first, in ascending order, as JavaScript has it.
 *
 * @throws RangeError when a number is no integer from 0 to 2 ** 53 - 1
 */
export function encodeStat(stat: StatRecord): Uint8Array {
  // The numbers by hand: an import makes one of these for each file, and a writer costs ten times as much.
  let at = 0
  for (let i = 0; i < NUMBERS.length; i++) {
    const name = NUMBERS[i] ?? 'mode'
    numbers[at] = (i + 1) * 8
    at = encodeVarint(checked(stat[name], name), numbers, at + 1)
  }
  const { linkname, mount, metadata } = stat
  if (!linkname && !mount && !metadata) return copy(numbers, 0, at)
  return concat([numbers.subarray(0, at), encodeRest(stat)])
}

/** Room for the numeric fields: a byte of field number and at most eight of value each. */
const numbers = new Uint8Array(9 * NUMBERS.length)

function encodeRest({ linkname, mount, metadata }: StatRecord): Uint8Array {
  const writer = new ProtobufWriter()
  writer.stringField(10, linkname || null)
  if (mount) {
    writer.messageField(11, (nested) => {
      nested.bytesField(1, mount.key)
      nested.uintField(2, mount.version === undefined ? null : checked(mount.version, 'version'))
      nested.bytesField(3, mount.hash)
      nested.boolField(4, mount.hypercore === true)
    })
  }
  for (const [key, value] of Object.entries(metadata ?? {})) {
    writer.messageField(12, (nested) => nested.stringField(1, key).bytesField(2, value))
  }
  return writer.finish()
}

/**
 * The stat that `bytes` hold. Times that are absent read as `now`. Its byte strings are copies.
 *
 * @throws {@link DriveError} `DRIVE_BAD_STAT` when they hold none
 */
export function decodeStat(bytes: Uint8Array, now: number): StatRecord {
  try {
    return decode(new ProtobufReader(bytes), now)
  } catch (cause) {
    throw cause instanceof DriveError ? cause : new DriveError('DRIVE_BAD_STAT', { cause })
  }
}

/**
 * The target of the link that a stat's bytes are of, else null: a listing asks this of every entry.
 *
 * @throws {@link DriveError} `DRIVE_BAD_STAT` when they are no fields
 */
export function linknameOf(bytes: Uint8Array): string | null {
  try {
    const reader = new ProtobufReader(bytes)
    let linkname: string | null = null
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 10) linkname = reader.string() || null
      else reader.ignore()
    }
    return linkname
  } catch (cause) {
    throw new DriveError('DRIVE_BAD_STAT', { cause })
  }
}

function decode(reader: ProtobufReader, now: number): StatRecord {
  const numbers: (number | undefined)[] = []
  let metadata: Record<string, MetadataValue> | null = null
  let linkname: string | null = null
  let mount: MountRecord | null = null
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field <= NUMBERS.length) numbers[field - 1] = reader.uint()
    else if (field === 10) linkname = reader.string() || null
    else if (field === 11) mount = nested(reader, decodeMount)
    else if (field === 12) {
      const [key, value] = nested(reader, decodeEntry)
      metadata ??= emptyRecord()
      metadata[key] = value
    } else reader.ignore()
  }
  const [mode, uid = 0, gid = 0, size = 0, blocks = 0, offset = 0, byteOffset = 0] = numbers
  if (mode === undefined) throw new DriveError('DRIVE_BAD_STAT', { reason: 'no mode' })
  // Zero times read as now, like absent ones: v10 treats them alike.
  const [mtime, ctime] = [numbers[7] || now, numbers[8] || now]
  return {
    mode,
    uid,
    gid,
    size,
    blocks,
    offset,
    byteOffset,
    mtime,
    ctime,
    linkname,
    mount,
    metadata,
  }
}

/** Without a prototype, so that `__proto__` is a key like any other. */
function emptyRecord(): Record<string, MetadataValue> {
  return Object.create(null)
}

function nested<T>(reader: ProtobufReader, read: (reader: ProtobufReader) => T): T {
  const outer = reader.enter()
  const value = read(reader)
  reader.leave(outer)
  return value
}

function decodeMount(reader: ProtobufReader): MountRecord {
  let key: Uint8Array | undefined
  let version = 0
  let hash: Uint8Array | null = null
  let hypercore = false
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) key = copy(reader.bytes())
    else if (field === 2) version = reader.uint()
    else if (field === 3) hash = copy(reader.bytes())
    else if (field === 4) hypercore = reader.bool()
    else reader.ignore()
  }
  if (!key) throw new DriveError('DRIVE_BAD_STAT', { reason: 'a mount without a key' })
  return { key, version, hash, hypercore }
}

function decodeEntry(reader: ProtobufReader): [string, MetadataValue] {
  let key: string | undefined
  let value: MetadataValue = null
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) key = reader.string()
    else if (field === 2) value = copy(reader.bytes())
    else reader.ignore()
  }
  if (key === undefined)
    throw new DriveError('DRIVE_BAD_STAT', { reason: 'metadata without a key' })
  return [key, value]
}

function checked<T extends number | null>(value: T, name: string): T {
  if (value !== null && (!Number.isSafeInteger(value) || value < 0)) {
    throw new RangeError(`stat: ${name} must be an integer from 0 to 2 ** 53 - 1, got ${value}`)
  }
  return value
}
