/** What objects of random-access-storage do that no adapter of ours would. */
import t from 'tap'
import { type RandomAccessObject, fromRandomAccess } from '../../src/storage/index.ts'
import { olderObject } from './adapters.ts'

/** An object whose every call ends in the same way. */
function broken(end: (done: (error: Error | null) => void) => void): RandomAccessObject {
  return {
    read: (_, __, done) => end(done),
    write: (_, __, done) => end(done),
    del: (_, __, done) => end(done),
    stat: end,
    close: end,
    unlink: end,
  }
}

t.test('an unknown failure of an object is one of the system', async (t) => {
  const cause = new Error('on fire')
  const file = fromRandomAccess(broken((done) => done(cause)))
  const failure = { code: 'STORAGE_IO', cause }
  await t.rejects(file.read(0, 1), failure)
  await t.rejects(file.write(0, new Uint8Array(1)), failure)
  await t.rejects(file.size(), failure)
  await t.rejects(file.truncate(4), failure)
  await t.rejects(file.destroy(), failure)
})

t.test('an object that throws instead of calling back fails the call alone', async (t) => {
  const file = fromRandomAccess(
    broken(() => {
      throw new Error('on fire')
    }),
  )
  await t.rejects(file.read(0, 1), { code: 'STORAGE_IO' })
  await t.rejects(file.size(), { code: 'STORAGE_IO' })
})

t.test('an object that was closed behind our back is closed', async (t) => {
  const file = fromRandomAccess(broken((done) => done(new Error('Closed'))))
  await t.rejects(file.read(0, 1), { code: 'STORAGE_CLOSED' })
})

t.test('an object that cannot be opened tells why, however often it is asked', async (t) => {
  const reasons = [Object.assign(new Error('not yours'), { code: 'EACCES' })]
  const file = fromRandomAccess(broken((done) => done(reasons.pop() ?? new Error('Not opened'))))
  await t.rejects(file.read(0, 1), { code: 'STORAGE_IO', cause: { code: 'EACCES' } })
  await t.rejects(file.size(), { code: 'STORAGE_IO', cause: { code: 'EACCES' } })
})

t.test('an object that gives other than was asked for has given too little', async (t) => {
  const object = broken((done) => done(null))
  const file = fromRandomAccess({
    ...object,
    read: (_, size, done) => done(null, new Uint8Array(size + 1)),
  })
  await t.rejects(file.read(0, 1), { code: 'STORAGE_SHORT' })
  t.equal(await file.size(), 0, 'nor a size')
})

t.test('the size of an object that tells none is found by reading', async (t) => {
  for (const size of [0, 1, 2, 3, 4, 5, 31, 32, 33, 1000]) {
    const bytes = Array.from({ length: size }, () => 1)
    t.equal(await fromRandomAccess(olderObject(bytes)).size(), size)
  }
  const object = broken((done) => done(new Error('on fire')))
  delete object.stat
  await t.rejects(fromRandomAccess(object).size(), { code: 'STORAGE_IO' })
})

t.test('an object without any way to be deleted is closed at least', async (t) => {
  const object = broken((done) => done(null))
  delete object.unlink
  const file = fromRandomAccess(object)
  await file.destroy()
  await t.rejects(file.read(0, 1), { code: 'STORAGE_CLOSED' })
})

t.test(
  'an object that is already gone is destroyed; one that will not go is an error',
  async (t) => {
    const failing = (code: string): RandomAccessObject => ({
      ...broken((done) => done(null)),
      unlink: (done) => done(Object.assign(new Error('no'), { code })),
    })
    await fromRandomAccess(failing('ENOENT')).destroy()
    await t.rejects(fromRandomAccess(failing('EBUSY')).destroy(), { code: 'STORAGE_IO' })
  },
)
