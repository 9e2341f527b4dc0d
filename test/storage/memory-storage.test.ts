/** Files in memory: what tests and simulations take out of them and put back. */
import t from 'tap'
import { MemoryFolder, MemoryStorage } from '../../src/storage/index.ts'

t.test('a snapshot is a copy of the file, and of no file there is none', async (t) => {
  const file = new MemoryStorage()
  t.equal(file.snapshot(), null)
  await file.write(2, new Uint8Array([1]))
  const before = file.snapshot()
  await file.write(0, new Uint8Array([7]))
  t.strictSame(before, new Uint8Array([0, 0, 1]))
  await file.close()
  t.strictSame(file.snapshot(), new Uint8Array([7, 0, 1]), 'closed or not')
  await file.destroy()
  t.equal(file.snapshot(), null)
})

t.test('a file begins with a copy of the bytes it is given', async (t) => {
  const bytes = new Uint8Array([1, 2, 3])
  const file = new MemoryStorage(bytes)
  bytes.fill(9)
  t.strictSame(await file.read(0, 3), new Uint8Array([1, 2, 3]))
  t.equal(await new MemoryStorage(new Uint8Array(0)).size(), 0)
  t.strictSame(new MemoryStorage(new Uint8Array(0)).snapshot(), new Uint8Array(0))
})

t.test('what was cut off reads as zeros when the file grows again', async (t) => {
  const file = new MemoryStorage(new Uint8Array([1, 2, 3, 4]))
  await file.truncate(1)
  await file.truncate(4)
  t.strictSame(file.snapshot(), new Uint8Array([1, 0, 0, 0]))
})

t.test('a folder gives every handle on a name the same file', async (t) => {
  const folder = new MemoryFolder([['b', new Uint8Array([2])]])
  const first = folder.open('a')
  await first.write(0, new Uint8Array([1]))
  await first.close()
  t.strictSame(await folder.open('a').read(0, 1), new Uint8Array([1]))
  t.equal(await folder.open('none').size(), 0)
  const all = [...folder.snapshot()]
  t.strictSame(all, [
    ['a', new Uint8Array([1])],
    ['b', new Uint8Array([2])],
  ])
  await folder.open('a').destroy()
  t.strictSame([...new MemoryFolder(folder.snapshot()).snapshot().keys()], ['b'])
})
