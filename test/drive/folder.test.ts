/** A folder that was made for one drive never becomes another's by mistake. */
import { cpSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import varve, { type Drive } from '../../src/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import { Store } from '../../src/store/index.ts'

/** Open, close, and give what opening failed with. */
async function opening(drive: Drive): Promise<string> {
  drive.on('error', () => undefined) // the same failure, told twice
  try {
    await drive.ready()
    return 'opens'
  } catch (error) {
    return String(Reflect.get(Object(error), 'code'))
  } finally {
    await drive.close()
  }
}

const files = (path: string): string[] =>
  readdirSync(path, { recursive: true }).map(String).toSorted()

t.test('another key does not make a second drive in a drive’s folder', async (t) => {
  const path = t.testdir()
  const drive = varve(path)
  await drive.writeFile('/a', 'a')
  await drive.close()
  const before = files(path)
  t.equal(await opening(varve(path, Buffer.alloc(32, 7))), 'DRIVE_OTHER_DRIVE')
  t.same(files(path), before, 'and nothing was written')
  t.equal(await opening(varve(path, drive.key)), 'opens', 'its own key does')
  t.equal(await opening(varve(path)), 'opens', 'and none')
  t.equal(
    await opening(varve(path, Buffer.alloc(32, 7), { exact: true })),
    'opens',
    'v10 makes a second one',
  )
})

t.test('a clone’s folder is not opened without its key', async (t) => {
  const folder = t.testdir({ source: {}, clone: {} })
  const source = varve(join(folder, 'source'))
  await source.writeFile('/a', 'a')
  const path = join(folder, 'clone')
  const clone = varve(path, source.key)
  const [a, b] = [source.replicate(true, { live: true }), clone.replicate(false, { live: true })]
  a.pipe(b).pipe(a)
  t.equal(String(await clone.readFile('/a')), 'a')
  await source.close()
  await clone.close()
  t.equal(await opening(varve(path)), 'DRIVE_OTHER_DRIVE')
  t.equal(await opening(varve(path, clone.key)), 'opens')
})

t.test('a lost or damaged master key does not give the folder another identity', async (t) => {
  const path = t.testdir()
  const drive = varve(path)
  await drive.writeFile('/a', 'a')
  await drive.close()
  const cut = join(path, '..', 'cut')
  t.teardown(() => rmSync(cut, { recursive: true }))
  cpSync(path, cut, { recursive: true })
  truncateSync(join(cut, 'master_key'), 20)
  t.equal(await opening(varve(cut)), 'STORE_OTHER_MASTER_KEY')
  rmSync(join(cut, 'master_key'))
  const before = files(cut)
  t.equal(await opening(varve(cut)), 'STORE_OTHER_MASTER_KEY')
  t.same(files(cut), before, 'and nothing was written')
  writeFileSync(join(cut, 'master_key'), Buffer.alloc(32, 1))
  t.equal(await opening(varve(cut)), 'DRIVE_OTHER_DRIVE')
})

t.test('several drives in one folder go through a store', async (t) => {
  const path = t.testdir()
  const store = new Store(path)
  t.teardown(() => store.close())
  const first = varve(store, null, { namespace: 'first' })
  const second = varve(store, null, { namespace: 'second' })
  await first.writeFile('/a', 'a')
  await second.writeFile('/b', 'b')
  t.equal(await store.holdsData(), true)
  t.equal(await store.isStored(first.key ?? ''), true)
  t.equal(await store.isStored(Buffer.alloc(32)), false)
  await first.close()
  await second.close()
})

t.test('a store that is no folder knows of none', async (t) => {
  const store = new Store(new MemoryFolder().open)
  await store.ready()
  await store.default().append(Buffer.from('x'))
  t.equal(await store.holdsData(), false)
  t.equal(await store.isStored({ name: 'default' }), false)
  await store.close()
})
