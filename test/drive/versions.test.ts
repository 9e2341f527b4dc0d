import t from 'tap'
import { type DiffRow } from '../../src/drive/versions/diff.ts'
import type { HistoryRow } from '../../src/drive/versions/history.ts'
import { decodeTag, encodeTag } from '../../src/drive/versions/tags.ts'
import { code, memoryDrive } from './drives.ts'

t.test('a tag holds any version, and only a version', (t) => {
  for (const version of [0, 1, 127, 128, 300, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    t.equal(decodeTag(encodeTag(version)), version)
  }
  for (const wrong of [-1, 0.5, NaN, 2 ** 53]) t.throws(() => encodeTag(wrong), RangeError)
  t.equal(decodeTag(null), null)
  t.equal(decodeTag(new Uint8Array(0)), null)
  t.equal(decodeTag(new Uint8Array(9).fill(0xff)), null, 'cut')
  t.equal(decodeTag(new Uint8Array(12).fill(0xff)), null, 'too long')
  t.equal(decodeTag(new Uint8Array(10)), 0, 'what v10 stores by mistake')
  t.end()
})

t.test('a tag without a version names the one before it', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('a', '1')
  const { version } = drive
  await drive.createTag('v1')
  await drive.createTag('zero', 0)
  await drive.createTag('a//b/', 1)
  t.equal(await drive.getTaggedVersion('v1'), version)
  t.equal(await drive.getTaggedVersion('a/b'), 1)
  t.equal(await drive.getTaggedVersion('nope'), null)
  t.same(
    new Map(await drive.getAllTags()),
    new Map([
      ['v1', version],
      ['zero', 0],
      ['a/b', 1],
    ]),
  )
  await drive.deleteTag('v1')
  t.equal(await drive.getTaggedVersion('v1'), null)
  t.same(await drive.readdir('/'), ['a'], 'tags are no files')
})

t.test('forgetting an unknown tag writes nothing', async (t) => {
  const drive = await memoryDrive(t)
  const { version } = drive
  await drive.deleteTag('nope')
  t.equal(drive.version, version)
  t.same(await drive.getAllTags(), new Map())
})

t.test('a wrong tag is refused before anything is written', async (t) => {
  const drive = await memoryDrive(t)
  const { version } = drive
  // @ts-expect-error: a caller without types
  await t.rejects(drive.createTag(7, 1), TypeError)
  await t.rejects(drive.createTag('a', -1), RangeError)
  await t.rejects(drive.checkout(1).createTag('a'), code('EPERM'))
  await t.rejects(drive.checkout(1).deleteTag('a'), code('EPERM'))
  t.equal(drive.version, version)
})

async function diffOf(stream: AsyncIterable<unknown>): Promise<string[]> {
  const rows: string[] = []
  for await (const row of stream as AsyncIterable<DiffRow>) {
    const previous = 'previous' in row ? `<${row.previous.seq ?? '-'}` : ''
    rows.push(`${row.type} ${row.name}${'seq' in row ? ` ${row.seq}` : ''}${previous}`)
  }
  return rows.toSorted()
}

t.test('a diff tells what came, what changed and what went', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('a', '1')
  await drive.writeFile('b', '2')
  const before = drive.version
  await drive.writeFile('a', '3')
  await drive.writeFile('c/d', '4')
  t.same(await diffOf(drive.createDiffStream(before)), ['put a 3<1', 'put c/d 4'])
  t.same(await diffOf(drive.createDiffStream(before, '/c')), ['put c/d 4'])
  t.same(await diffOf(drive.createDiffStream(drive.checkout(before))), ['put a 3<1', 'put c/d 4'])
  t.same(await diffOf(drive.checkout(before).createDiffStream(drive)), ['del c/d<4', 'put a 1<3'])
  t.same(await diffOf(drive.createDiffStream()), ['put a 3', 'put b 2', 'put c/d 4'])
})

t.test('a diff tells mounts from entries', async (t) => {
  const drive = await memoryDrive(t)
  const other = await memoryDrive(t)
  const before = drive.version
  await drive.mount('m', other.key ?? Buffer.alloc(0))
  const mounted = drive.version
  t.same(await diffOf(drive.createDiffStream(before)), ['mount m'])
  await drive.update('m', { uid: 1 })
  t.same(await diffOf(drive.createDiffStream(mounted)), ['mount m<-'], 'it was a mount before')
  await drive.unmount('m')
  await drive.writeFile('x', '')
  t.same(await diffOf(drive.createDiffStream(mounted)), ['put x 6', 'unmount m<-'])
})

t.test('a diff that fails destroys its stream', async (t) => {
  const drive = await memoryDrive(t)
  await drive.close()
  await t.rejects(diffOf(drive.createDiffStream(1)), code('DRIVE_CLOSED'))
})

t.test('a history has every block, hidden ones too', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('a', '1')
  await drive.createTag('v1')
  await drive.writeFile('b', '2')
  const names = async (
    options?: Parameters<typeof drive.createHistoryStream>[0],
  ): Promise<string[]> => {
    const out: string[] = []
    for await (const row of drive.createHistoryStream(options) as AsyncIterable<HistoryRow>) {
      if (row.type === 'put')
        out.push(`${row.node.seq} ${row.node.key}${row.node.hidden ? ' hidden' : ''}`)
    }
    return out
  }
  t.same(await names(), ['1 a', '2 hyperdrive-tags/v1 hidden', '3 b'])
  t.same(await names({ reverse: true, gte: 2 }), ['3 b', '2 hyperdrive-tags/v1 hidden'])
})

t.test('a live history goes on with what is written later, until it is destroyed', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('a', '1')
  const seen: string[] = []
  for await (const row of drive.createHistoryStream({ live: true }) as AsyncIterable<HistoryRow>) {
    if (row.type === 'put') seen.push(row.node.key)
    if (seen.length === 1) await drive.writeFile('b', '2')
    if (seen.length === 2) break
  }
  t.same(seen, ['a', 'b'])
})
