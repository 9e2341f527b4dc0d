/** The mount layer, and where it corrects the original: spec/30-trie.md 6, Q18 to Q36. */
import { test } from 'tap'
import { toUtf8 } from '../../src/bytes.ts'
import { decodeMountRecord, encodeMountRecord, type MountTrie } from '../../src/trie/index.ts'
import { normalizePath, prefixesOf, rebase } from '../../src/trie/mount-path.ts'
import type { MemoryLog } from './memory-log.ts'
import { MountWorld } from '../vector-runner/trie/mounts.ts'
import { turn } from '../vector-runner/trie/watch.ts'

type Mounted = MountTrie<MemoryLog>

async function worldOf(count: number): Promise<MountWorld> {
  const keys = Array.from({ length: count }, (_, i) => new Uint8Array(32).fill(i + 1))
  const world = new MountWorld(keys)
  await world.ready()
  return world
}

async function read(trie: Mounted, path: string): Promise<string | null> {
  const { node } = await trie.get(path)
  return node && toUtf8(node.value ?? new Uint8Array(0))
}

async function listed(trie: Mounted, path: string, options = {}): Promise<string[]> {
  return (await trie.list(path, options)).map(({ node }) => node.key)
}

test('paths are normalised once, and never resolved', (t) => {
  for (const [given, want] of [
    ['/a//b/', 'a/b'],
    ['a\\b', 'a/b'],
    ['/', ''],
    ['', ''],
    ['a/', 'a'],
    ['./a', 'a'],
    ['c:/x', 'x'],
    ['note:1', '1'],
    ['/note:1', 'note:1'],
    ['a/./b/../c', 'a/./b/../c'],
    ['//', ''],
  ] as const) {
    t.equal(normalizePath(given), want, given)
  }
  t.throws(() => normalizePath(7 as unknown as string), TypeError)
  t.same(prefixesOf('a/b/c'), ['a', 'a/b', 'a/b/c'])
  t.same(prefixesOf(''), [])
  t.equal(rebase('m/x', 'm', 'r/s'), 'r/s/x')
  t.equal(rebase('m', 'm', ''), '')
  t.end()
})

test('a path below a mountpoint is that of the mounted trie, whatever was there before', async (t) => {
  const world = await worldOf(2)
  const [outer, inner] = [world.trie(0), world.trie(1)]
  await outer.mount('m', world.key(1))
  await inner.put('x', 'inner')
  // A visible entry below the mountpoint, as an older writer may have left it.
  await outer.trie.put('m/x', 'shadowed')
  await outer.trie.put('m/y', 'shadowed')
  t.equal(await read(outer, 'm/x'), 'inner')
  t.equal(await read(outer, 'm/y'), null)
  t.same(await listed(outer, ''), ['m'], 'shadowed entries do not come')
  t.same(await listed(outer, '', { recursive: false }), ['m'])
  t.same((await listed(outer, '', { recursive: true })).toSorted(), ['m', 'm/x'])
  await outer.put('m/z', 'through')
  t.equal(await read(inner, 'z'), 'through')
  const got = await outer.get('m/z')
  t.equal(got.trie.log, inner.log)
  t.equal(got.innerPath, 'z')
  t.equal(got.node?.key, 'm/z')
})

test('a remote path is where the mount begins, inwards and outwards', async (t) => {
  const world = await worldOf(2)
  const [outer, inner] = [world.trie(0), world.trie(1)]
  await inner.put('x/y', '1')
  await inner.put('z', '2')
  await outer.mount('m', world.key(1), { remotePath: '/x/' })
  t.equal(await read(outer, 'm/y'), '1')
  t.equal(await read(outer, 'm/z'), null)
  t.same((await listed(outer, '', { recursive: true })).toSorted(), ['m', 'm/y'])
  t.same(await listed(outer, 'm'), ['m/y'])
  const del = await outer.put('m/new', '3')
  t.equal(del?.key, 'm/new')
  t.equal(await read(inner, 'x/new'), '3')
  t.same(
    (await outer.diff(1, 'm').collect()).map(({ key }) => key).toSorted(),
    ['m/new', 'm/y'],
    'a diff inside a mount has outer keys',
  )
})

test('mounting where it makes no sense is refused, and nothing is written', async (t) => {
  const world = await worldOf(2)
  const outer = world.trie(0)
  await outer.put('full/a', '1')
  await outer.mount('m', world.key(1))
  const { version } = outer
  const code = 'TRIE_BAD_MOUNT'
  await t.rejects(outer.mount('', world.key(1)), { code })
  await t.rejects(outer.mount('/', world.key(1)), { code })
  await t.rejects(outer.mount('m', world.key(1)), { code })
  await t.rejects(outer.mount('full', world.key(1)), { code })
  await t.rejects(outer.mount('k', new Uint8Array(31)), { code })
  await outer.mount('deep/in/it', world.key(1))
  await t.rejects(outer.mount('deep', world.key(1)), { code }, 'a mount below it')
  await t.rejects(outer.checkout(version).mount('q', world.key(1)), {
    code: 'TRIE_READ_ONLY_CHECKOUT',
  })
  t.equal(outer.version, version + 2)
})

test('unmount and del take a mount away at any depth, and leave the mounted trie alone', async (t) => {
  const world = await worldOf(3)
  const outer = world.trie(0)
  await outer.mount('a', world.key(1))
  await outer.mount('a/b', world.key(2))
  await outer.put('a/b/f', '1')
  t.equal(await read(world.trie(2), 'f'), '1')
  await outer.unmount('a/b')
  t.equal(await read(outer, 'a/b/f'), null)
  t.same(await listed(world.trie(1), '', { hidden: true }), [])
  t.equal(await outer.del('a', { condition: () => false }), null)
  t.equal((await outer.mounts().collect()).length, 1, 'a condition may keep it')
  await outer.del('a', { condition: (old) => old?.key === 'a' })
  t.same(await outer.mounts().collect(), [])
  t.same(await listed(outer, ''), [])
  t.equal(await read(world.trie(2), 'f'), '1')
  t.equal(await outer.del('a'), null)
  t.same(await outer.unmount('nothing'), [])
})

test('a checkout shows mounted tries as they are now, unless their record fixes a version', async (t) => {
  const world = await worldOf(3)
  const outer = world.trie(0)
  await world.trie(1).put('x', 'old')
  await outer.mount('live', world.key(1))
  await outer.mount('fixed', world.key(1), { version: world.trie(1).version })
  const before = outer.checkout(outer.version)
  await world.trie(1).put('x', 'new')
  t.equal(await read(before, 'live/x'), 'new')
  t.equal(await read(before, 'fixed/x'), 'old')
  t.equal((await outer.get('fixed/x')).info.version, 2)
  await t.rejects(outer.put('fixed/x', '2'), { code: 'TRIE_READ_ONLY_CHECKOUT' })
  await t.rejects(before.put('y', '2'), { code: 'TRIE_READ_ONLY_CHECKOUT' })
})

test('circles of mounts end: in lookups by an error, in listings by not going in again', async (t) => {
  const world = await worldOf(2)
  const outer = world.trie(0)
  await outer.mount('b', world.key(1))
  await world.trie(1).mount('a', world.key(0))
  await outer.put('x', '1')
  t.equal(await read(outer, 'b/a/b/a/x'), '1')
  t.same((await listed(outer, '', { recursive: true })).toSorted(), ['b', 'b/a', 'x'])
  t.same(
    (await outer.mounts({ recursive: true }).collect()).map(({ path }) => path),
    ['/b', '/b/a'],
  )
  const self = await worldOf(1)
  await self.trie(0).mount('m', self.key(0), { remotePath: 'm' })
  await t.rejects(self.trie(0).get('m/x'), { code: 'TRIE_MOUNT_DEPTH' })
  await t.rejects(self.trie(0).put('m/x'), { code: 'TRIE_MOUNT_DEPTH' })
})

test('only hidden records make mounts, and one that does not decode harms its own path alone', async (t) => {
  const world = await worldOf(2)
  const outer = world.trie(0)
  await outer.trie.put('flagged', 'v', { flags: 1 })
  await outer.put('flagged/x', '1')
  t.equal(await read(outer, 'flagged/x'), '1', 'flags without a record mount nothing')
  await outer.trie.put('mounts/bad', new Uint8Array([255]), { hidden: true, flags: 1 })
  await outer.trie.put('mounts/other', 'text', { hidden: true, flags: 3 })
  await t.rejects(outer.get('bad/x'), { code: 'TRIE_BAD_MOUNT' })
  t.equal(await read(outer, 'flagged/x'), '1')
  t.equal(await read(outer, 'other/x'), null)
  const short = encodeMountRecord({ key: new Uint8Array(3), localPath: 'short' })
  await outer.trie.put('mounts/short', short, { hidden: true, flags: 1 })
  await t.rejects(outer.get('short/x'), { code: 'TRIE_BAD_MOUNT' })
  t.throws(() => decodeMountRecord(new Uint8Array([8, 1])), { code: 'TRIE_BAD_MOUNT' })
})

test('a mounted log that cannot be opened fails its own paths, and may be tried again', async (t) => {
  const world = await worldOf(1)
  const outer = world.trie(0)
  const gone = new Uint8Array(32).fill(99)
  const record = encodeMountRecord({ key: gone, localPath: 'gone' })
  await outer.trie.put('mounts/gone', record, { hidden: true, flags: 1 })
  await outer.put('here', '1')
  await t.rejects(outer.get('gone/x'), { message: 'no such log' })
  await t.rejects(outer.get('gone/x'), { message: 'no such log' })
  t.equal(await read(outer, 'here'), '1')
  t.same(await outer.mounts({ memory: true }).collect(), [], 'it was never open')
})

test('each mounted trie is opened once, and the root tells of it', async (t) => {
  const world = await worldOf(3)
  const outer = world.trie(0)
  const opened: (Uint8Array | null)[] = []
  outer.on('mounted', (trie) => opened.push(trie.log.key))
  await outer.mount('a', world.key(1))
  await outer.mount('b', world.key(1))
  await outer.mount('a/c', world.key(2))
  await outer.put('a/c/f', '1')
  t.same(opened, [world.key(1), world.key(2)])
  const [a, b] = [await outer.resolve('a'), await outer.resolve('b/x')]
  t.equal(a.trie, b.trie)
  t.equal((await outer.mounts({ memory: true, recursive: true }).collect()).length, 4)
})

test('writes through a mount and beside it, at the same time, do not get in each other’s way', async (t) => {
  const world = await worldOf(2)
  const [outer, inner] = [world.trie(0), world.trie(1)]
  await outer.mount('m', world.key(1))
  const writes = Array.from({ length: 40 }, (_, i) =>
    i % 2 === 0 ? outer.put(`m/${i}`, '1') : inner.put(`${i}`, '1'),
  )
  await Promise.all(writes)
  t.equal((await inner.list()).length, 40)
})

test('a batch is one append for each trie it touches', async (t) => {
  const world = await worldOf(2)
  const outer = world.trie(0)
  await outer.mount('m', world.key(1))
  const appends = world.logs.map((log) => log.appends)
  const appended = await outer.batch([
    { key: 'a', value: '1' },
    { key: 'm/x', value: '2' },
    { key: 'b', value: '3' },
    { key: 'm/y', value: '4' },
    { type: 'del', key: 'a' },
    { key: 'm/hidden', value: '5', hidden: true },
  ])
  t.equal(appended.length, 6)
  t.same(
    world.logs.map((log, i) => log.appends - (appends[i] ?? 0)),
    [1, 1],
  )
  t.equal(await read(outer, 'm/y'), '4')
  t.equal(await read(outer, 'a'), null)
  t.ok(await outer.trie.get('m/hidden', { hidden: true }), 'hidden keys stay in the own trie')
  t.equal((await outer.get('m/hidden', { hidden: true })).node?.key, 'm/hidden')
  await outer.del('m/hidden', { hidden: true })
  t.equal((await outer.get('m/hidden', { hidden: true })).node, null)
})

test('a diff tells mounts from entries, and compares what a path shows in both versions', async (t) => {
  const world = await worldOf(3)
  const outer = world.trie(0)
  await outer.put('a', '1')
  await outer.mount('m', world.key(1))
  await world.trie(1).put('x', '1')
  const before = outer.version
  await outer.unmount('m')
  await outer.mount('m', world.key(2))
  await world.trie(2).put('y', '1')
  const rows = await outer.diff(before, 'm').collect()
  t.same(
    rows.map(({ type, key }) => [type, key]),
    [
      ['put', 'm/y'],
      ['del', 'm/x'],
    ],
  )
  const all = await outer.checkout(2).diff(outer).collect()
  t.same(
    all.map(({ type, key }) => [type, key]).filter(([type]) => type === 'unmount'),
    [['unmount', 'm']],
  )
  const plain = await outer.diff(1, '', { noMounts: true }).collect()
  t.same(plain.find(({ key }) => key === 'm')?.left, { info: null })
})

test('a watcher sees into mounts at, above and below its path, later ones as well', async (t) => {
  const world = await worldOf(3)
  const outer = world.trie(0)
  await outer.mount('vol', world.key(1))
  const listeners = world.logs.map((log) => log.listenerCount('append'))
  let [root, inside] = [0, 0]
  const watchers = [outer.watch('', () => root++), outer.watch('vol/x', () => inside++)]
  const after = async (work: Promise<unknown>): Promise<[number, number]> => {
    ;[root, inside] = [0, 0]
    await work
    for (let i = 0; i < 5; i++) {
      // oxlint-disable-next-line no-await-in-loop
      await turn()
    }
    return [root, inside]
  }
  await after(Promise.all(watchers.map((watcher) => watcher.settled())))
  t.same(await after(world.trie(1).put('x/1', '1')), [1, 1])
  t.same(await after(world.trie(1).put('other', '1')), [1, 0])
  await after(world.trie(1).mount('deep', world.key(2)))
  t.same(await after(world.trie(2).put('f', '1')), [1, 0])
  t.ok((watchers[0]?.size ?? 0) >= 3)
  t.equal(watchers[0]?.tries[0], outer)
  await after(outer.unmount('vol'))
  t.same(await after(world.trie(2).put('g', '1')), [0, 0], 'what is unmounted is not followed')
  for (const watcher of watchers) watcher.destroy()
  t.same(await after(outer.put('z', '1')), [0, 0])
  t.equal(outer.log.listenerCount('append'), listeners[0], 'and nobody listens any more')
})

test('the nearest entry is given when it is asked for', async (t) => {
  const world = await worldOf(1)
  const trie = world.trie(0)
  await trie.put('dir/f', '1')
  t.equal((await trie.get('dir')).node, null)
  t.equal((await trie.get('dir', { prefix: true })).node?.key, 'dir/f')
  t.equal((await trie.get('dir/e', { closest: true })).node?.key, 'dir/f')
})

test('a mount whose visible entry is gone is one all the same', async (t) => {
  const world = await worldOf(3)
  const outer = world.trie(0)
  await world.trie(1).put('f', '1')
  await outer.mount('m', world.key(1))
  await outer.trie.del('m')
  t.equal(await read(outer, 'm/f'), '1')
  await t.rejects(outer.mount('m', world.key(2)), { code: 'TRIE_BAD_MOUNT' })
})

test('of mounts only those that are open are listed from memory, each at its version', async (t) => {
  const world = await worldOf(2)
  const [outer, inner] = [world.trie(0), world.trie(1)]
  await inner.put('old', '1')
  const { version } = inner
  await inner.put('new', '2')
  await outer.mount('m', world.key(1), { version })
  t.equal(await read(outer, 'm/new'), null)
  t.equal(await read(outer, 'm/old'), '1')
  const [mount] = await outer.mounts({ memory: true }).collect()
  t.equal(mount?.trie.version, version)
  t.equal((await outer.diff(null).collect()).length, (await outer.diff(0).collect()).length)
})
