/** What a remote drive costs in round trips: counted on a link that delivers only when it is told to. */
import { test } from 'tap'
import { type Drive } from '../../src/drive/index.ts'
import { type Ends, memoryDrive } from './drives.ts'

/** A clone, and a count of the round trips that some work takes. */
async function slowClone(
  t: Ends,
  source: Drive,
): Promise<{ clone: Drive; rounds: (work: Promise<unknown>) => Promise<number> }> {
  const { Drive } = await import('../../src/drive/index.ts')
  const { MemoryStorage } = await import('../../src/storage/index.ts')
  const clone = new Drive(() => new MemoryStorage(), source.key)
  t.teardown(() => clone.close())
  await clone.ready()
  const [a, b] = [source.replicate(true, { live: true }), clone.replicate(false, { live: true })]
  t.teardown(() => {
    a.destroy()
    b.destroy()
  })
  const [answered, sent]: [Uint8Array[], Uint8Array[]] = [[], []]
  a.on('data', (chunk: Uint8Array) => answered.push(chunk))
  b.on('data', (chunk: Uint8Array) => sent.push(chunk))
  const rounds = async (work: Promise<unknown>): Promise<number> => {
    const state = { isDone: false }
    const done = (): void => void (state.isDone = true)
    work.then(done, done)
    await settle()
    for (let count = 0; ; count++) {
      if (state.isDone) return count
      for (const chunk of sent.splice(0)) a.write(chunk)
      await settle()
      for (const chunk of answered.splice(0)) b.write(chunk)
      await settle()
    }
  }
  await rounds(clone.getContent())
  await rounds(clone.getContent())
  return { clone, rounds }
}

/** Until all that needs no peer has been done. */
async function settle(): Promise<void> {
  for (let i = 0; i < 40; i++) await new Promise((resolve) => setImmediate(resolve))
}

async function source(t: Ends): Promise<Drive> {
  const drive = await memoryDrive(t)
  const names = Array.from({ length: 300 }, (_, i) => [`/dir/f${i}`, `/other${i % 20}/f${i}`])
  await Promise.all(names.flat().map((name) => drive.writeFile(name, name)))
  return drive
}

test('on an open connection a stat takes two round trips', async (t) => {
  const { clone, rounds } = await slowClone(t, await source(t))
  const stat = clone.stat('/other3/f23')
  t.ok((await rounds(stat)) <= 2)
  t.equal((await stat).size, '/other3/f23'.length)
  t.equal(await rounds(clone.stat('/other3/f23')), 0, 'and then none')
})

test('listing a folder of 300 takes at most three round trips', async (t) => {
  const { clone, rounds } = await slowClone(t, await source(t))
  const listing = clone.readdir('/dir')
  const count = await rounds(listing)
  t.ok(count <= 3, `${count} round trips`)
  t.equal((await listing).length, 300)
})

test('after a listing its stats cost nothing, and a file two round trips at most', async (t) => {
  const { clone, rounds } = await slowClone(t, await source(t))
  await rounds(clone.readdir('/dir'))
  t.equal(await rounds(clone.stat('/dir/f17')), 0)
  t.ok((await rounds(clone.readFile('/dir/f17'))) <= 2)
})
