/** Renames: what they move, what they refuse, and that each is one append. */
import fc from 'fast-check'
import { test } from 'tap'
import { toUtf8 } from '../../src/bytes.ts'
import { decodeMountRecord, Trie } from '../../src/trie/index.ts'
import { MountWorld } from '../vector-runner/trie/mounts.ts'
import { MemoryLog } from './memory-log.ts'

const runs = process.env['SLOW'] ? 2000 : 60

async function contents(trie: Trie<unknown>, hidden = false): Promise<[string, unknown][]> {
  const entries = await trie.list('', { hidden })
  return entries
    .map(({ key, value }): [string, unknown] => [
      key,
      value instanceof Uint8Array ? toUtf8(value) : value,
    ])
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
}

async function trieOf(names: readonly string[], hidden = false): Promise<Trie> {
  const trie = new Trie(new MemoryLog())
  await trie.batch(names.map((key) => ({ key, value: key, hidden, flags: key.length })))
  return trie
}

async function worldOf(count: number): Promise<MountWorld> {
  const world = new MountWorld(
    Array.from({ length: count }, (_, i) => new Uint8Array(32).fill(i + 1)),
  )
  await world.ready()
  return world
}

test('an entry moves with its value and flags, by one append; what is below it stays', async (t) => {
  const trie = await trieOf(['a', 'a/b', 'c'])
  const log = trie.log as MemoryLog
  const before = log.appends
  await trie.rename('/a', '/x/y')
  t.equal(log.appends, before + 1)
  t.same(await contents(trie), [
    ['a/b', 'a/b'],
    ['c', 'c'],
    ['x/y', 'a'],
  ])
  t.equal((await trie.get('x/y'))?.flags, 1)
  t.same(await trie.rename('a', 'z'), [], 'there is nothing any more')
  t.same(await trie.rename('c', 'c'), [])
  t.equal(log.appends, before + 1)
})

test('with below, everything moves; what is at the new place goes, what is below that stays', async (t) => {
  const trie = await trieOf(['a/b', 'a/c/d', 'x', 'x/b', 'x/kept'])
  await trie.rename('a', 'x', { below: true })
  t.same(await contents(trie), [
    ['x/b', 'a/b'],
    ['x/c/d', 'a/c/d'],
    ['x/kept', 'x/kept'],
  ])
})

test('an entry may take the place of the folder that it is in', async (t) => {
  const trie = await trieOf(['a/a', 'a/a/a', 'b'])
  await trie.rename('a/a', 'a', { below: true })
  t.same(await contents(trie), [
    ['a', 'a/a'],
    ['a/a', 'a/a/a'],
    ['b', 'b'],
  ])
})

test('an entry of another key at the same place is not meant', async (t) => {
  const trie = await trieOf(['a/', 'x'])
  t.same(await trie.rename('a', 'b'), [])
  const seen: unknown[] = []
  await trie.rename('x', 'a', { condition: (_, to) => seen.push(to) < 0 })
  t.same(seen, [null])
  t.same(await contents(trie), [
    ['a/', 'a/'],
    ['x', 'x'],
  ])
})

test('hidden entries are renamed among hidden ones', async (t) => {
  const trie = await trieOf(['a/b'], true)
  await trie.put('a/b', 'visible')
  await trie.rename('a', 'x', { below: true, hidden: true })
  t.same(await contents(trie, true), [['x/b', 'a/b']])
  t.same(await contents(trie), [['a/b', 'visible']])
})

test('renames are those of a map, whatever was there before', async (t) => {
  const key = fc
    .array(fc.constantFrom('a', 'b', 'idgcmnmna', 'mpomeiehc'), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join('/'))
  const script = fc.array(fc.tuple(key, key, fc.boolean()), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(fc.array(key, { maxLength: 12 }), script, async (given, renames) => {
      const trie = await trieOf(given)
      const model = new Map(given.map((each) => [each, each]))
      for (const [from, to, below] of renames) {
        const isInside = below && to.startsWith(`${from}/`)
        const at = (each: string): boolean =>
          each === from || (below && each.startsWith(`${from}/`))
        const moved = [...model].filter(([each]) => at(each))
        if (isInside) {
          // oxlint-disable-next-line no-await-in-loop
          await t.rejects(trie.rename(from, to, { below }), { code: 'TRIE_BAD_RENAME' })
          continue
        }
        // oxlint-disable-next-line no-await-in-loop
        await trie.rename(from, to, { below })
        if (moved.length === 0 || from === to) continue
        model.delete(to)
        for (const [each] of moved) model.delete(each)
        for (const [each, value] of moved) model.set(to + each.slice(from.length), value)
      }
      t.same(
        await contents(new Trie(new MemoryLog((trie.log as MemoryLog).blocks))),
        [...model].toSorted(([a], [b]) => (a < b ? -1 : 1)),
      )
    }),
    { numRuns: runs },
  )
})

test('a condition sees both ends with nobody else writing; it declines, or fails the rename', async (t) => {
  const trie = new Trie<string>(new MemoryLog(), { valueEncoding: 'json' })
  await trie.put('a', 'one')
  await trie.put('b', 'two')
  const seen: unknown[] = []
  const under = trie.rename('a', 'b', {
    condition: async (from, to) => {
      seen.push([from?.value, to?.value])
      return (await trie.get('c')) !== null // the put that was asked for later waits
    },
  })
  await Promise.all([under, trie.put('c', 'three')])
  t.same(await under, [])
  const oops = new Error('oops')
  await t.rejects(
    trie.rename('a', 'free', {
      condition: (from, to) => {
        seen.push([from?.value, to])
        throw oops
      },
    }),
    oops,
  )
  t.same(seen, [
    ['one', 'two'],
    ['one', null],
  ])
  t.equal(trie.version, 4)
  await trie.rename('a', 'b', { condition: () => true })
  t.same(await contents(trie), [
    ['b', 'one'],
    ['c', 'three'],
  ])
})

test('values move as they are, also what the encoding of this trie cannot read', async (t) => {
  const log = new MemoryLog()
  await new Trie(log).put('a', 'no json')
  await new Trie(log).put('b', '{ "odd":  1 }')
  const trie = new Trie(log, { valueEncoding: 'json' })
  await t.rejects(trie.get('a'))
  await trie.rename('b', 'c')
  await t.rejects(trie.rename('a', 'd'), SyntaxError, 'what was appended is told decoded')
  t.same(await contents(new Trie(log)), [
    ['c', '{ "odd":  1 }'],
    ['d', 'no json'],
  ])
})

test('a rename is refused below itself, to no key, through a checkout and on a log of others', async (t) => {
  const trie = await trieOf(['a/b'])
  const { version } = trie
  await t.rejects(trie.rename('a', 'a/c', { below: true }), { code: 'TRIE_BAD_RENAME' })
  await t.rejects(trie.rename('', 'a', { below: true }), { code: 'TRIE_BAD_RENAME' })
  await t.rejects(trie.rename('a/b', '/'), { code: 'TRIE_BAD_KEY' })
  await t.rejects(trie.checkout(2).rename('a/b', 'c'), { code: 'TRIE_READ_ONLY_CHECKOUT' })
  const log = new MemoryLog((trie.log as MemoryLog).blocks)
  log.writable = false
  await t.rejects(new Trie(log).rename('a/b', 'c'), { code: 'LOG_NOT_WRITABLE' })
  t.equal(trie.version, version)
})

test('mounts move with what they are in, and their records name the new place', async (t) => {
  const world = await worldOf(2)
  const [outer, inner] = [world.trie(0), world.trie(1)]
  await inner.put('r/x', 'inner')
  await outer.put('a/file', 'outer')
  await outer.mount('a/m', world.key(1), { remotePath: 'r', version: 2 })
  await outer.rename('a', 'deep/b', { below: true })
  t.equal(toUtf8((await outer.get('deep/b/m/x')).node?.value ?? new Uint8Array()), 'inner')
  t.equal((await outer.get('a/m/x')).node, null)
  const records = await outer.trie.list('', { hidden: true })
  t.same(
    records.map(({ key, value }) => [key, decodeMountRecord(value ?? new Uint8Array()).localPath]),
    [['mounts/deep/b/m', 'deep/b/m']],
  )
  await outer.rename('deep/b/m', 'n')
  t.equal(toUtf8((await outer.get('n/x')).node?.value ?? new Uint8Array()), 'inner')
  t.same((await outer.unmount('n')).length, 2)
})

test('below a mountpoint a rename is one of the mounted trie', async (t) => {
  const world = await worldOf(2)
  const [outer, inner] = [world.trie(0), world.trie(1)]
  await outer.mount('m', world.key(1))
  await inner.put('x', '1')
  await outer.rename('m/x', 'm/y')
  t.ok((await inner.get('y')).node)
  t.notOk((await inner.get('x')).node)
})

test('no rename leads into another trie, onto a mount, or puts a mount over an entry', async (t) => {
  const world = await worldOf(2)
  const outer = world.trie(0)
  await outer.mount('m', world.key(1))
  await outer.mount('a/b', world.key(1))
  await outer.put('x', '1')
  await outer.put('y/b/z', '2')
  await outer.put('m/inner', '3')
  const versions = (): number[] => world.tries.map(({ version }) => version)
  const before = versions()
  await t.rejects(outer.rename('x', 'm/x'), { code: 'TRIE_CROSS_MOUNT' })
  await t.rejects(outer.rename('m/inner', 'x'), { code: 'TRIE_CROSS_MOUNT' })
  await t.rejects(outer.rename('x', 'm'), { code: 'TRIE_BAD_MOUNT' }, 'a mountpoint')
  await t.rejects(outer.rename('x', 'a'), { code: 'TRIE_BAD_MOUNT' }, 'a mount is below it')
  await t.rejects(
    outer.rename('a', 'y', { below: true }),
    { code: 'TRIE_BAD_MOUNT' },
    'what is at y/b/z would be hidden',
  )
  await t.rejects(outer.rename('a', 'a/c', { below: true }), { code: 'TRIE_BAD_RENAME' })
  t.same(await outer.rename('x', 'w', { condition: () => false }), [])
  t.same(await outer.rename('none', 'w'), [])
  t.same(versions(), before)
  const seen: unknown[] = []
  await outer.rename('a/b', 'a', {
    below: true,
    condition: (from, to) => seen.push(from?.key, to) > 0,
  })
  t.same(seen, ['a/b', null])
  t.ok((await outer.get('a/inner')).node, 'a mount may take the place of the folder that it is in')
})
