/**
 * `tools/varve_reader.py` finds what was changed behind the owner's back, says missing of what is missing,
 * and ends with a report whatever the bytes are.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import t, { type Test } from 'tap'
import { signingKeyPair } from '../../src/crypto.ts'
import { Drive } from '../../src/index.ts'
import { Log } from '../../src/log/index.ts'
import { folderOf } from '../../src/store/index.ts'
import { codesOf, problemsOf, readFolder, withoutPython } from './python.ts'

const skip = withoutPython()

/** A drive of three files on disk, closed; its two logs' folders. */
async function drive(t: Test): Promise<{ folder: string; metadata: string; content: string }> {
  const root = mkdtempSync(join(tmpdir(), 'varve-reader-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const folder = join(root, 'drive')
  const made = new Drive(folder)
  await made.ready()
  await made.writeFile('/a', 'alpha')
  await made.writeFile('/b', Buffer.alloc(5000, 'b'))
  await made.writeFile('/c', 'gamma')
  const content = await made.getContent()
  const place = (log: { discoveryKey: Uint8Array | null }): string =>
    join(folder, folderOf(log.discoveryKey ?? new Uint8Array(32)))
  const where = { folder, metadata: place(made), content: place(content) }
  await made.close()
  return where
}

function flip(path: string, at: number, mask = 1): void {
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ mask
  writeFileSync(path, bytes)
}

interface Change {
  readonly what: string
  readonly change: (where: { folder: string; metadata: string; content: string }) => void
  readonly code: number
  readonly tells: RegExp
  /** States of /a, /b and /c, where the list comes that far. */
  readonly files?: readonly string[]
}

const changes: readonly Change[] = [
  {
    what: 'a byte of content',
    change: ({ content }) => flip(join(content, 'data'), 7),
    code: 1,
    tells: /wrong: block: block 1: its bytes are not those that were signed/,
    files: ['ok', 'wrong', 'ok'],
  },
  {
    what: 'content that ends early',
    change: ({ content }) => truncateSync(join(content, 'data'), 5006),
    code: 1,
    tells: /wrong: block: block 2: data ends early/,
    files: ['ok', 'ok', 'wrong'],
  },
  {
    what: 'content that is gone',
    change: ({ content }) => rmSync(join(content, 'data')),
    code: 1,
    tells: /block 0: data ends early/,
    files: ['wrong', 'wrong', 'wrong'],
  },
  {
    what: 'a content log that is gone',
    change: ({ content }) => rmSync(content, { recursive: true }),
    code: 3,
    tells: /missing: content: \/a: the content log is not here/,
    files: ['missing', 'missing', 'missing'],
  },
  {
    what: 'a byte of metadata',
    change: ({ metadata }) => flip(join(metadata, 'data'), 70),
    code: 1,
    tells: /wrong: block: block 1: its bytes/,
  },
  {
    what: 'a leaf of the tree',
    change: ({ content }) => flip(join(content, 'tree'), 32 + 40 * 2),
    code: 1,
    tells: /wrong: tree: nodes 0 and 2 do not hash to node 1/,
    // The signature of the first append still vouches for its block.
    files: ['ok', 'wrong', 'ok'],
  },
  {
    what: 'the size of a leaf',
    change: ({ content }) => flip(join(content, 'tree'), 32 + 39),
    code: 1,
    tells: /nodes 0 and 2 do not hash to node 1/,
  },
  {
    what: 'a root of the tree',
    change: ({ content }) => flip(join(content, 'tree'), 32 + 40 + 5),
    code: 1,
    tells: /wrong: head: nothing that verifies vouches for the 3 blocks/,
  },
  {
    what: 'the signature of the head',
    change: ({ content }) => flip(join(content, 'signatures'), 32 + 64 * 2 + 40),
    code: 1,
    tells: /wrong: head: nothing that verifies/,
    // What an older head signed is still good.
    files: ['ok', 'ok', 'missing'],
  },
  {
    what: 'an all-zero signature',
    change: ({ metadata }) => {
      const path = join(metadata, 'signatures')
      writeFileSync(path, readFileSync(path).fill(0, 32))
    },
    code: 1,
    tells: /wrong: head: nothing that verifies/,
  },
  {
    what: 'another public key',
    change: ({ metadata }) => writeFileSync(join(metadata, 'key'), signingKeyPair().publicKey),
    code: 1,
    tells: /wrong: key: the key does not belong to the name of the folder/,
  },
  {
    what: "a master key that is not the store's",
    change: ({ folder }) => flip(join(folder, 'master_key'), 0),
    code: 1,
    tells: /wrong: name: name and master key do not give this log's key/,
  },
  {
    what: 'a data bit that is unset',
    change: ({ content }) => flip(join(content, 'bitfield'), 32, 0x40),
    code: 3,
    tells: /missing: content: \/b: 1 of its 1 blocks are not here/,
    files: ['ok', 'missing', 'ok'],
  },
  {
    what: 'a bitfield that is cut to its header',
    change: ({ content }) => truncateSync(join(content, 'bitfield'), 32),
    code: 1,
    tells: /wrong: head: the bitfield records no block, though there are signatures/,
    files: ['missing', 'missing', 'missing'],
  },
  {
    what: 'a header that is another',
    change: ({ content }) => flip(join(content, 'tree'), 0),
    code: 1,
    tells: /wrong: tree: the header is not as it should be/,
    files: ['ok', 'ok', 'ok'],
  },
  {
    what: 'a device in place of a file',
    change: ({ content }) => {
      rmSync(join(content, 'data'))
      symlinkSync('/dev/zero', join(content, 'data'))
    },
    code: 1,
    tells: /wrong: file: data is no regular file/,
  },
]

for (const { what, change, code, tells, files } of changes) {
  t.test(`the reader finds ${what}`, { skip }, async (t) => {
    const where = await drive(t)
    change(where)
    const report = readFolder(where.folder)
    t.equal(report.code, code)
    t.match(problemsOf(report).join('\n'), tells)
    if (!files) return
    t.strictSame(
      report.entries.map(({ state }) => state),
      files,
    )
  })
}

t.test('an older signature is checked when it is asked for', { skip }, async (t) => {
  const { folder, content } = await drive(t)
  flip(join(content, 'signatures'), 32 + 3)
  t.equal(readFolder(folder).code, 0)
  const report = readFolder(folder, '--every-signature')
  t.equal(report.code, 1)
  t.match(problemsOf(report), ['wrong: signature: the signature of length 1 does not verify'])
})

t.test('a file that is cut or overwritten anywhere is survived', { skip }, async (t) => {
  const { folder, content, metadata } = await drive(t)
  const copies: string[] = []
  for (const log of [content, metadata]) {
    for (const name of readdirSync(log)) {
      const whole = readFileSync(join(log, name))
      for (let at = 0; at <= whole.length; at += Math.ceil(whole.length / 5)) {
        for (const noise of ['', 'noise'.repeat(20)]) {
          const copy = `${folder}-${copies.length}`
          cpSync(folder, copy, { recursive: true })
          const bytes = Buffer.concat([whole.subarray(0, at), Buffer.from(noise)])
          writeFileSync(join(copy, relative(folder, log), name), bytes)
          copies.push(copy)
        }
      }
    }
  }
  const codes = codesOf([folder, ...copies])
  t.equal(codes.length, copies.length + 1)
  t.equal(codes[0], 0)
  t.strictSame(
    codes.filter((code) => ![0, 1, 3].includes(code)),
    [],
  )
  t.ok(codes.filter((code) => code !== 0).length > copies.length / 2)
})

/** A folder with one signed log of these blocks as a drive's metadata. */
async function signed(t: Test, blocks: readonly Uint8Array[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'varve-reader-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const { publicKey, secretKey } = signingKeyPair()
  const log = new Log(join(folder, 'new'), publicKey, { secretKey })
  const header = Buffer.concat([
    Buffer.from('0a09687970657274726965', 'hex'),
    Buffer.from('1220', 'hex'),
    publicKey,
  ])
  await log.append([header, ...blocks])
  const place = join(folder, folderOf(log.discoveryKey ?? new Uint8Array(32)))
  await log.close()
  mkdirSync(join(place, '..'), { recursive: true })
  cpSync(join(folder, 'new'), place, { recursive: true })
  rmSync(join(folder, 'new'), { recursive: true })
  return folder
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
/** A stat of a file whose content is said to be somewhere. */
const stat = (offset: string, blocks: string, size = '01'): string =>
  `08a48302 1000 1800 20${size} 28${blocks} 30${offset} 3800 4000 4800`
const node = (key: string, value: string, table = '00', tail = '2001 2800'): Buffer => {
  const field = (tag: string, bytes: Buffer): Buffer =>
    Buffer.concat([hex(tag), Buffer.of(bytes.length), bytes])
  return Buffer.concat([
    field('0a', Buffer.from(key)),
    field('12', hex(value)),
    field('1a', hex(table)),
    hex(tail),
  ])
}
const MOST = 'ffffffffffffff0f'

/** What an owner can sign to harm those who read. */
const hostile: readonly (readonly [
  name: string,
  blocks: readonly Buffer[],
  code: number,
  tells: RegExp | null,
])[] = [
  ['a block that is no node', [hex('ff')], 1, /wrong: metadata: varint is cut/],
  ['an empty block', [hex('')], 1, /it has no key/],
  ['a node without a key', [hex('2001')], 1, /it has no key/],
  ['a length past the end', [hex('0a ff7f 61')], 1, /reaches past its end/],
  ['a group', [hex('0b')], 1, /groups are not supported/],
  ['a wire type that is none', [hex('0f')], 1, /unknown wire type/],
  ['a table of 2^53 - 1 rows', [node('a', stat('00', '00'), MOST)], 1, /the table in block 1 has/],
  ['a row far out', [node('a', stat('00', '00'), `01 ${MOST} 01 01`)], 1, /has a row/],
  ['a table that is cut', [node('a', stat('00', '00'), '22 01 05 03')], 1, /varint is cut/],
  ['pointers to itself and ahead', [node('a', stat('00', '00', '00'), '22 01 0a 01 05')], 0, null],
  ['a stat without a mode', [node('a', '1000')], 1, /a stat has no mode/],
  ['a stat that is empty', [node('a', '')], 1, /a stat has no mode/],
  ['a stat with a string for a number', [node('a', '0a0161')], 1, /field 1 has wire type 2/],
  ['content of 2^52 blocks', [node('a', stat('00', MOST))], 3, /its blocks end at/],
  ['content at 2^52', [node('a', stat(MOST, '01'))], 3, /its blocks end at/],
  ['a size of 2^52', [node('a', stat('00', '01', MOST))], 0, null],
  [
    'a mount of a short key',
    [node('mounts/m', '0a0161 12016d', '00', '2001 288102')],
    1,
    /no key of 32 bytes/,
  ],
  ['a key of slashes alone', [node('/'.repeat(100), stat('00', '00', '00'))], 0, null],
  ['a name for terminals', [node('\u001b[2J', stat('00', '00', '00'))], 0, null],
  [
    'rows that all point at each other',
    Array.from({ length: 60 }, (_, i) =>
      node(
        'a',
        stat('00', '00', '00'),
        `22 ${Array.from({ length: 20 }, (_, row) => `${(row + 1).toString(16).padStart(2, '0')} 0f ${`${Math.max(1, i).toString(16).padStart(2, '0')} `.repeat(4)}`).join('')}`,
      ),
    ),
    0,
    null,
  ],
]

for (const [name, blocks, code, tells] of hostile) {
  t.test(`the reader survives an owner who signs ${name}`, { skip }, async (t) => {
    const report = readFolder(await signed(t, blocks))
    t.equal(report.code, code, problemsOf(report).join('\n'))
    if (tells) t.match(problemsOf(report).join('\n'), tells)
    else t.ok(report.problems.every(({ state }) => state === 'note'))
  })
}

t.test('a folder that cannot be read as a drive is refused with a reason', { skip }, async (t) => {
  const { folder } = await drive(t)
  const root = join(folder, '..')
  for (const [tells, ...args] of [
    [/no log in it/, root],
    [/is no folder/, join(root, 'nowhere')],
    [/no log of the key/, folder, '--key', '00'.repeat(32)],
    [/there is no version 9: the drive has 4/, folder, '--version', '9'],
  ] as [RegExp, string, ...string[]][]) {
    const { code, state, reason } = readFolder(...args)
    t.strictSame([code, state], [2, 'unusable'])
    t.match(reason, tells)
  }
})

t.test('a log of more blocks than are looked at is told as a limit', { skip }, async (t) => {
  const { folder } = await drive(t)
  const report = readFolder(folder, '--max-blocks', '2')
  t.equal(report.code, 4)
  t.match(problemsOf(report).join('\n'), /limit: blocks: 4 blocks; --max-blocks raises the limit/)
})
