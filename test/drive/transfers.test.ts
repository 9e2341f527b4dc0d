import { getEventListeners } from 'node:events'
import t from 'tap'
import type { Progress } from '../../src/drive/transfer/progress.ts'
import type { Drive } from '../../src/drive/drive.ts'
import { cloneOf, code, memoryDrive, memoryDrives } from './drives.ts'

/** A drive with a few files, and a clone joined to it. */
async function pair(t: Parameters<typeof memoryDrive>[0]): Promise<[writer: Drive, clone: Drive]> {
  const writer = await memoryDrive(t)
  await writer.writeFile('a', 'aa')
  await writer.writeFile('dir/b', 'bbb')
  await writer.writeFile('dir/sub/c', 'cccc')
  await writer.create('empty')
  await writer.symlink('a', 'link')
  return [writer, await cloneOf(t, writer)]
}

t.test('a file is fetched ahead of reading', async (t) => {
  const [, clone] = await pair(t)
  t.same(await clone.stats('a'), { blocks: 1, size: 2, downloadedBlocks: 0 })
  const transfer = clone.download('link')
  await transfer
  t.match(transfer.progress, { blocks: 1, totalBlocks: 1, bytes: 2, totalBytes: 2 })
  t.match(transfer.progress, { files: 1, totalFiles: 1, isTotalKnown: true, msLeft: 0 })
  t.same(await clone.stats('a'), { blocks: 1, size: 2, downloadedBlocks: 1 })
  t.same(await clone.stats('dir/b'), { blocks: 1, size: 3, downloadedBlocks: 0 })
})

t.test('a directory is fetched whole, or only its own files', async (t) => {
  const [, clone] = await pair(t)
  await clone.download('dir', { recursive: false })
  t.match(await clone.stats('dir/sub/c'), { downloadedBlocks: 0 })
  await clone.download('dir', { maxConcurrent: 1 })
  t.match(await clone.stats('dir/sub/c'), { downloadedBlocks: 1 })
  t.match(await clone.stats('a'), { downloadedBlocks: 0 })
  await clone.download()
  t.match(await clone.stats('a'), { downloadedBlocks: 1 })
  const content = await clone.getContent()
  t.equal(content.downloaded(0, content.length), content.length)
})

t.test('a download tells its callback, and gives its handle all the same', async (t) => {
  const [, clone] = await pair(t)
  await new Promise<void>((resolve) => {
    const handle = clone.download('/', (error) => {
      t.equal(error, null)
      resolve()
    })
    t.equal(typeof handle.progress.blocks, 'number')
  })
  const error = await new Promise((resolve) => {
    clone.download('nope', resolve)
  })
  t.match(error, { code: 'ENOENT', path: '/nope' })
})

t.test('a download that cannot be done says so, or ends when it is given up', async (t) => {
  const writer = await memoryDrive(t)
  await writer.writeFile('a', 'aa')
  const clone = await cloneOf(t, writer)
  await clone.stat('a')
  await t.rejects(clone.download('a', { wait: false }).done, code('EUNAVAILABLE'))
  const content = await clone.getContent()
  await writer.clear('a')
  await clone.readdir('/')
  t.equal(content.downloaded(0, 1), 0)
  await t.rejects(clone.download('a', { timeout: 1 }).done, code('ETIMEDOUT'))
  const controller = new AbortController()
  const aborted = clone.download('a', { signal: controller.signal })
  const reason = new Error('enough')
  controller.abort(reason)
  await t.rejects(aborted.done, reason)
  const destroyed = clone.download('/')
  destroyed.destroy()
  t.equal(await destroyed, undefined)
  await t.rejects(clone.download('nope').done, code('ENOENT'))
})

t.test('clearing drops content that can be fetched again', async (t) => {
  const [, clone] = await pair(t)
  t.equal(await clone.readFile('dir/b', 'utf8'), 'bbb')
  const cleared = await clone.clear('dir')
  t.match(cleared, { blocks: 1, sharedBlocks: 0, bytesFreed: Number })
  t.match(await clone.stats('dir/b'), { downloadedBlocks: 0 })
  t.equal(await clone.readFile('dir/b', 'utf8'), 'bbb')
  await t.rejects(clone.clear('nope').done, code('ENOENT'))
})

t.test('clearing an empty file leaves the others alone', async (t) => {
  const drive = await memoryDrive(t)
  await drive.create('empty')
  await drive.writeFile('x', 'xx')
  await drive.clear('empty')
  t.match(await drive.stats('x'), { downloadedBlocks: 1 })
  t.same(await drive.stats('empty'), { blocks: 0, size: 0, downloadedBlocks: 0 })
})

t.test('the usage of a directory has each entry; links stand for what they lead to', async (t) => {
  const [writer] = await pair(t)
  await writer.mkdir('dir')
  await writer.symlink('nowhere', 'broken')
  const all = await writer.stats('/')
  if (!(all instanceof Map)) throw new Error('want a map')
  t.same([...all.keys()].toSorted(), ['/a', '/dir', '/dir/b', '/dir/sub/c', '/empty', '/link'])
  t.same(all.get('/link'), { blocks: 1, size: 2, downloadedBlocks: 1 })
  t.same(all.get('/dir'), { blocks: 0, size: 0, downloadedBlocks: 0 })
  const dir = await writer.stats('dir', {})
  t.same(dir instanceof Map && [...dir.keys()].toSorted(), ['/dir', '/dir/b', '/dir/sub/c'])
  await t.rejects(writer.stats('nope'), code('ENOENT'))
})

t.test('usage goes into mounts only when options are given', async (t) => {
  const [outer, inner] = (await memoryDrives(t, 2)) as [Drive, Drive]
  await inner.writeFile('f', 'x')
  await outer.mount('m', inner.key ?? Buffer.alloc(0))
  const names = async (options?: object): Promise<unknown> => {
    const all = await outer.stats('/', options)
    return all instanceof Map && [...all.keys()]
  }
  t.same(await names(), ['/m'])
  t.same(await names({}), ['/m', '/m/f'])
})

t.test('usage can be watched until it is destroyed', async (t) => {
  const [, clone] = await pair(t)
  const watcher = clone.watchStats('a', { statsInterval: 1 })
  const updated = new Promise<void>((resolve) => watcher.once('update', () => resolve()))
  await updated
  t.match(watcher.stats, { blocks: 1 })
  await clone.download('a')
  await new Promise<void>((resolve) => {
    watcher.on('update', () => {
      if (!(watcher.stats instanceof Map) && watcher.stats?.downloadedBlocks === 1) resolve()
    })
  })
  let ended = 0
  watcher.on('destroy', () => ended++)
  watcher.destroy()
  watcher.destroy()
  t.equal(ended, 1)
})

t.test(
  'watching usage tells of failures to whoever listens, and ends with the drive',
  async (t) => {
    const drive = await memoryDrive(t)
    const watcher = drive.watchStats('nope', { statsInterval: 1 })
    const error = await new Promise((resolve) => watcher.once('error', resolve))
    t.match(error, { code: 'ENOENT' })
    const ended = new Promise<void>((resolve) => watcher.once('destroy', () => resolve()))
    await drive.close()
    await ended
  },
)

t.test('a mirror fetches everything, what is written later too, until it is stopped', async (t) => {
  const [writer, clone] = await pair(t)
  const stop = clone.mirror()
  t.equal(clone.mirror(), stop, 'one mirror a drive')
  const content = await clone.getContent()
  const arrived = (length: number): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (content.length < length || content.downloaded(0, length) < length) return
        content.off('download', look)
        resolve()
      }
      content.on('download', look)
      look()
    })
  await arrived(3)
  await writer.writeFile('late', 'z')
  await arrived(4)
  stop()
  stop()
  t.not(clone.mirror(), stop, 'it can be started again')
})

t.test('watching the usage ends with the drive, and tells nothing once destroyed', async (t) => {
  const [writer, clone] = await pair(t)
  const missing = clone.watchStats('nope', { statsInveral: 1 })
  let told = 0
  missing.on('error', () => told++)
  await new Promise<void>((resolve) => missing.once('error', () => resolve()))
  const before = told
  missing.destroy()
  const silent = clone.watchStats('nope')
  silent.on('error', () => told++)
  silent.destroy()
  const once = writer.watchStats('a')
  let updates = 0
  once.on('update', () => {
    updates++
    once.destroy()
  })
  await new Promise<void>((resolve) => once.once('destroy', () => resolve()))
  await writer.stat('a')
  t.equal(told, before)
  t.equal(updates, 1)
  await writer.close()
  const late = writer.watchStats('a')
  await new Promise<void>((resolve) => late.once('destroy', () => resolve()))
  t.equal(late.stats, null)
})

t.test('a download can be followed to its end, by iteration and by events', async (t) => {
  const [, clone] = await pair(t)
  const transfer = clone.download()
  let told = 0
  transfer.on('progress', () => told++)
  const seen: Progress[] = []
  for await (const progress of transfer) seen.push(progress)
  const last = { files: 3, totalFiles: 3, blocks: 3, totalBlocks: 3, bytes: 9, totalBytes: 9 }
  t.match(seen.at(-1), { ...last, isTotalKnown: true, msLeft: 0 })
  t.match(seen.at(0), { files: 0, isTotalKnown: false, msLeft: null })
  t.ok(told > 0)
  t.equal(transfer.listenerCount('progress'), 1, 'the iteration left nothing behind')
  const again = clone.download()
  await new Promise<void>((resolve) => {
    again.once('end', () => resolve())
  })
  t.match(again.progress, { ...last, bytesPerSecond: 0 }, 'what was here counts, but not as speed')
})

t.test('an iteration over a download that fails fails as it does', async (t) => {
  const [, clone] = await pair(t)
  const failing = clone.download('nope')
  await t.rejects(async () => {
    for await (const progress of failing) t.match(progress, { files: 0 })
  }, code('ENOENT'))
  for await (const progress of clone.download('a')) {
    t.match(progress, { files: 0 })
    break
  }
})

t.test('bytes of a file that is half here count from the start', async (t) => {
  const writer = await memoryDrive(t)
  const file = writer.createWriteStream('f')
  for (const part of ['a', 'bb', 'ccc', 'dddd']) file.write(part)
  await new Promise<void>((resolve) => file.end(resolve))
  const clone = await cloneOf(t, writer)
  await clone.stat('f')
  const content = await clone.getContent()
  await content.get(1)
  await content.get(3)
  t.match(await clone.availability('f'), { blocks: 2, totalBlocks: 4, bytes: 6, totalBytes: 10 })
  const transfer = clone.download('f')
  const seen: string[] = []
  transfer.on('progress', ({ blocks, bytes }) => seen.push(`${blocks} blocks, ${bytes} bytes`))
  await transfer
  t.ok(seen.includes('2 blocks, 6 bytes'), seen.join('; '))
  t.match(transfer.progress, { blocks: 4, bytes: 10, files: 1 })
})

t.test('a download given up or cut short leaves no trace', async (t) => {
  const writer = await memoryDrive(t)
  for (const name of ['a', 'b', 'c']) await writer.writeFile(name, name)
  const clone = await cloneOf(t, writer)
  await clone.readdir('/')
  await writer.clear('/')
  const content = await clone.getContent()
  const controller = new AbortController()
  const traces = (): unknown => ({
    listeners: content.listenerCount('download'),
    wishes: [...content.wishes.selections].length,
    waiting: getEventListeners(controller.signal, 'abort').length,
  })
  const before = traces()
  const aborted = clone.download('/', { signal: controller.signal })
  const destroyed = clone.download('/')
  const expired = clone.download('/', { timeout: 5 })
  const none = clone.download('/', { wait: 'peers' })
  await t.rejects(none.done, code('EUNAVAILABLE'))
  await t.rejects(expired.done, code('ETIMEDOUT'))
  t.not(traces(), before, 'two are under way')
  destroyed.destroy()
  t.equal(await destroyed, undefined)
  controller.abort(new Error('enough'))
  await t.rejects(aborted.done, { message: 'enough' })
  t.same(traces(), before)
})
