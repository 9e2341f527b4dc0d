import t from 'tap'
import { memoryDrive } from './drives.ts'

/** How the calls ended: the code of each failure, or null. */
async function codes(calls: readonly Promise<unknown>[]): Promise<(string | null)[]> {
  const outcomes = await Promise.allSettled(calls)
  return outcomes.map((outcome) => {
    if (outcome.status === 'fulfilled') return null
    const reason: unknown = outcome.reason
    if (reason instanceof Error && 'code' in reason) return String(reason.code)
    throw reason
  })
}

t.test('of calls that exclude each other, made at once, one succeeds', async (t) => {
  const drive = await memoryDrive(t)
  t.same(await codes([drive.mkdir('d'), drive.mkdir('d')]), [null, 'EEXIST'])
  t.same(await codes([drive.symlink('x', 'l'), drive.symlink('y', 'l')]), [null, 'EEXIST'])
  t.equal(await drive.readlink('l'), 'x')
  t.same(await codes([drive.rmdir('d'), drive.rmdir('d')]), [null, 'ENOENT'])
  await drive.writeFile('f', 'x')
  t.same(await codes([drive.unlink('f'), drive.unlink('f')]), [null, 'ENOENT'])
  await drive.writeFile('f', 'x')
  t.same(await codes([drive.rename('f', 'g'), drive.rename('f', 'h')]), [null, 'ENOENT'])
  t.same((await drive.readdir('/')).toSorted(), ['g', 'l'])
  const [first, second] = await Promise.all([
    drive.create('c', { uid: 1 }),
    drive.create('c', { uid: 2 }),
  ])
  t.same([first.uid, second.uid], [1, 1], 'the second is told what the first made')
})

t.test('changes of one entry at once are all kept', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'x')
  await Promise.all([
    drive.setMetadata('f', 'a', '1'),
    drive.setMetadata('f', 'b', '2'),
    drive.chmod('f', 0o600),
    drive.chown('f', 3, 4),
    drive.update('f', { metadata: { c: '3' } }),
  ])
  const { metadata, mode, uid } = await drive.stat('f')
  t.same([Object.keys(metadata).toSorted(), mode & 0o777, uid], [['a', 'b', 'c'], 0o600, 3])
})

t.test(
  'what is written while a directory is moved, copied or removed is lost by none of it',
  async (t) => {
    const drive = await memoryDrive(t)
    for (let i = 0; i < 20; i++) await drive.writeFile(`d/${i}`, 'x')
    const calls: Promise<unknown>[] = [drive.writeFile('d/before', 'x')]
    calls.push(drive.rename('d', 'e'))
    for (let i = 0; i < 20; i++)
      calls.push(drive.writeFile(`d/late${i}`, 'x'), drive.create(`d/made${i}`))
    await Promise.all(calls)
    const names = [...(await drive.readdir('d').catch(() => [])), ...(await drive.readdir('e'))]
    t.equal(new Set(names).size, 61, 'each is in the old directory or in the new one')
    const before = await drive.readdir('e')
    const outcome = await codes([
      drive.cp('e', 'copy', { recursive: true }),
      drive.rm('e', { recursive: true }),
    ])
    t.equal(outcome[1], null)
    const copied = await drive.readdir('copy').catch((): string[] => [])
    const isWhole = before.every((name) => copied.includes(name))
    t.ok(outcome[0] === null ? isWhole : copied.length === 0, 'the copy is whole, or came too late')
    t.equal(await drive.exists('e'), false)
  },
)
