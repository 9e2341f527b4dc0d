/**
 * What the chapters say of the header and the entries of a drive.
 *
 * @see docs/protocol/40-drive.md 2.3 to 2.7
 * @module
 */
import { decodeHeader } from 'varve/trie'
import { Stat } from 'varve'
import { Skip } from '../case.ts'
import { hex } from '../expect.ts'
import { fieldsOf, varint, varintAt } from '../protobuf-fields.ts'
import { eachDrive, type FolderCase } from './statement.ts'
import type { StoredDrive } from './stored-folder.ts'
import { nodesOf, type StoredNode } from './trie-statements.ts'

const TYPES = { directory: 0o040000, file: 0o100000, link: 0o120000 }
const TYPE_MASK = 0o170000

interface Entry {
  readonly node: StoredNode
  readonly bytes: Uint8Array
  readonly stat: Stat
}

/** The visible entries of a drive: nodes that are no reset, with their value read. */
function entriesOf(drive: StoredDrive): Entry[] {
  const entries = nodesOf(drive)
    .filter(
      ({ path, value }) => !path.hidden && path.key !== '' && value !== null && value.length > 0,
    )
    .map((node) => {
      const bytes = node.value ?? new Uint8Array()
      return { node, bytes, stat: Stat.decode(Buffer.from(bytes), 0) }
    })
  if (entries.length === 0) throw new Skip('the drive has no entries')
  return entries
}

function eachEntry(
  id: string,
  section: string,
  title: string,
  check: (entry: Entry, drive: StoredDrive) => string | null | undefined,
): FolderCase {
  return eachDrive(id, section, title, (drive) => {
    for (const entry of entriesOf(drive)) {
      const wrong = check(entry, drive)
      if (wrong) return `block ${entry.node.seq}, ${entry.node.path.key}: ${wrong}`
    }
    return null
  })
}

/** The statements. */
export function* driveStatements(): Iterable<FolderCase> {
  yield* headerStatements()
  yield* statStatements()
  yield* contentStatements()
  yield eachDrive(
    'drive.tags',
    '40-drive 2.7',
    'a tag is hidden, and its value the version as a varint that lies before it',
    (drive) => {
      for (const { path, value, seq } of nodesOf(drive)) {
        if (!path.hidden || !path.key.startsWith('hyperdrive-tags/') || !value) continue
        const version = varintAt(value, 0)
        if (version.end !== value.length || hex(varint(version.value)) !== hex(value)) {
          return `${path.key}: ${hex(value)}`
        }
        if (version.value > seq) return `${path.key}: version ${version.value} at block ${seq}`
      }
      return null
    },
  )
  yield eachDrive('drive.hidden', '40-drive 2.6', 'what is hidden is a tag or a mount', (drive) => {
    const strange = nodesOf(drive).find(
      ({ path }) =>
        path.hidden && !/^(hyperdrive-tags|mounts)(\/|$)/.test(path.key) && path.key !== '',
    )
    return strange ? `block ${strange.seq}: ${strange.path.key}` : null
  })
}

function* headerStatements(): Iterable<FolderCase> {
  const section = '40-drive 2.3'
  const header = ({ metadata }: StoredDrive): Uint8Array => metadata.block(0) ?? new Uint8Array()
  yield eachDrive(
    'drive.header-type',
    '30-trie 2.2',
    'the header is of the type hypertrie',
    (drive) => {
      const { type } = decodeHeader(header(drive))
      return type === 'hypertrie' ? null : `it is ${type}`
    },
  )
  yield eachDrive(
    'drive.header-content',
    section,
    'the header names the content log, 32 bytes',
    (drive) => {
      const bytes = decodeHeader(header(drive)).metadata?.length
      return bytes === 32 ? null : `${bytes ?? 'no'} bytes`
    },
  )
  yield eachDrive(
    'drive.header-subtype',
    section,
    'the header is of the subtype hyperdrive',
    (drive) => {
      const { subtype } = decodeHeader(header(drive))
      return subtype === 'hyperdrive' ? null : `it is ${subtype}`
    },
  )
  yield eachDrive(
    'drive.header-bytes',
    section,
    'the header is fields 1, 2 and 3, 57 bytes',
    (drive) => {
      const key = hex(decodeHeader(header(drive)).metadata ?? new Uint8Array())
      const wanted = `0a096879706572747269651220${key}1a0a68797065726472697665`
      return hex(header(drive)) === wanted ? null : hex(header(drive))
    },
  )
  yield eachDrive(
    'drive.content-here',
    '40-drive 2.2',
    'the content log is stored beside',
    (drive) => (drive.content ? null : 'it is not'),
  )
}

function* statStatements(): Iterable<FolderCase> {
  const section = '40-drive 2.4'
  yield eachEntry(
    'stat.numbers',
    section,
    'the numbers 1 to 9 are all written, in order, zeros as well',
    ({ bytes }) => {
      const fields = fieldsOf(bytes)
      const numbers = fields.slice(0, 9).map(({ number }) => number)
      return numbers.join() === '1,2,3,4,5,6,7,8,9' ? null : `they are ${numbers.join()}`
    },
  )
  yield eachEntry(
    'stat.order',
    section,
    'fields ascend, and only metadata repeats',
    ({ bytes }) => {
      const numbers = fieldsOf(bytes).map(({ number }) => number)
      const wrong = numbers.findIndex((number, i) => {
        const before = numbers[i - 1] ?? 0
        return number < before || (number === before && number !== 12) || number > 12
      })
      return wrong < 0 ? null : `field ${numbers[wrong]} comes after ${numbers[wrong - 1]}`
    },
  )
  yield eachEntry('stat.type', section, 'the mode says file, directory or link', ({ stat }) => {
    const type = stat.mode & TYPE_MASK
    return Object.values(TYPES).includes(type) ? null : `mode ${stat.mode.toString(8)}`
  })
  yield eachEntry(
    'stat.link',
    section,
    'links have a target, and nothing else has one',
    ({ stat }) => {
      const isLink = (stat.mode & TYPE_MASK) === TYPES.link
      return isLink === (stat.linkname !== null) ? null : `mode ${stat.mode.toString(8)}`
    },
  )
  yield eachEntry(
    'stat.no-content',
    section,
    'directories and links have size 0 and no blocks',
    ({ stat }) => {
      const { mode, size, blocks } = stat
      return (mode & TYPE_MASK) === TYPES.file || size + blocks === 0 ? null : `${size} bytes`
    },
  )
  yield eachEntry(
    'stat.mount',
    section,
    'a mount is a directory or a file, and names 32 bytes',
    ({ stat, node }) => {
      if (!stat.mount) return node.flags === 256 ? 'flags of a mount, and none named' : null
      if (node.flags !== 256) return `flags ${node.flags}`
      return stat.mount.key.length === 32 ? null : `${stat.mount.key.length} bytes`
    },
  )
  yield eachEntry(
    'stat.path',
    '40-drive 2.5',
    'a name has no slash twice, and none at its ends',
    ({ node }) => (/^\/|\/\/|.\/$/.test(node.path.key) ? 'it has' : null),
  )
}

function* contentStatements(): Iterable<FolderCase> {
  const section = '40-drive 2.4'
  const inside = (
    check: (
      entry: Entry,
      content: NonNullable<StoredDrive['content']>,
    ) => string | null | undefined,
  ) => {
    return (entry: Entry, { content }: StoredDrive): string | null | undefined => {
      if (!content) throw new Skip('the content log is not here')
      const { stat } = entry
      if (stat.mount || stat.blocks === 0) return null
      // What a clone knows of its content log may be older than its entries.
      if (!content.isOwn && stat.offset + stat.blocks > content.length) return null
      return check(entry, content)
    }
  }
  yield eachEntry(
    'content.range',
    section,
    'the blocks of a file lie in the content log',
    inside(({ stat }, { length }) => {
      const end = stat.offset + stat.blocks
      return end <= length ? null : `blocks up to ${end} of ${length}`
    }),
  )
  yield eachEntry(
    'content.byte-offset',
    section,
    'byteOffset is the sum of the sizes of all blocks before the file',
    inside(({ stat }, content) => {
      const offset = content.byteOffset(stat.offset)
      return offset === null || offset === stat.byteOffset
        ? null
        : `${stat.byteOffset}, want ${offset}`
    }),
  )
  yield eachEntry(
    'content.size',
    section,
    'size is the sum of the sizes of the blocks of the file',
    inside(({ stat }, content) => {
      const [start, end] = [
        content.byteOffset(stat.offset),
        content.byteOffset(stat.offset + stat.blocks),
      ]
      if (start === null || end === null) return null
      return end - start === stat.size ? null : `${stat.size}, the blocks have ${end - start}`
    }),
  )
  yield eachEntry('content.empty', section, 'a file without blocks has no bytes', ({ stat }) =>
    stat.blocks === 0 && stat.size > 0 && !stat.mount ? `${stat.size} bytes` : null,
  )
  yield eachDrive(
    'content.block-size',
    '40-drive 3.3',
    'no block of content is larger than 524288 bytes',
    ({ content }) => {
      if (!content) throw new Skip('the content log is not here')
      const large = content.held.find((index) => (content.node(2 * index)?.size ?? 0) > 524_288)
      return large === undefined ? null : `block ${large}`
    },
    'SHOULD',
  )
}
