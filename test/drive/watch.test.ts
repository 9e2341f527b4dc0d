import t from 'tap'
import { Drive } from '../../src/drive/drive.ts'
import { MemoryStorage } from '../../src/storage/index.ts'
import { memoryDrive, memoryDrives } from './drives.ts'
import type { DriveWatcher } from '../../src/drive/versions/watch.ts'

/** Resolves at the next change. */
function change(watcher: DriveWatcher): Promise<void> {
  return new Promise((resolve) => watcher.once('change', () => resolve()))
}

t.test('a watcher tells of changes at and below its path alone', async (t) => {
  const drive = await memoryDrive(t)
  const watcher = drive.watch('/a/')
  const ready = new Promise((resolve) => watcher.once('ready', resolve))
  await ready
  let count = 0
  watcher.on('change', () => count++)
  const first = change(watcher)
  await drive.writeFile('b', '')
  await drive.writeFile('ab', '')
  await drive.writeFile('a/x', '')
  await first
  t.equal(count, 1)
  watcher.destroy()
  watcher.destroy()
  await drive.writeFile('a/y', '')
  await drive.readdir('a')
  t.equal(count, 1)
})

t.test('a watcher tells at the start that something is there', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('a/x', '')
  await new Promise<void>((resolve) => {
    const watcher = drive.watch('a', () => {
      watcher.destroy()
      resolve()
    })
  })
})

t.test('a watcher can be iterated over, and ends with the loop', async (t) => {
  const drive = await memoryDrive(t)
  const watcher = drive.watch('/')
  let steps = 0
  await drive.writeFile('a', '')
  for await (const _ of watcher) {
    steps++
    if (steps === 2) break
    await drive.writeFile('b', '')
  }
  t.equal(steps, 2)
  const destroyed = drive.watch('/nowhere')
  setImmediate(() => destroyed.destroy())
  for await (const _ of destroyed) t.fail('nothing changed')
})

t.test('changes inside a mount are told outside', async (t) => {
  const [outer, inner] = await memoryDrives(t, 2)
  if (!outer || !inner) throw new Error('two drives')
  await outer.mount('m', inner.key ?? Buffer.alloc(0))
  const watcher = outer.watch('/')
  const tries = await new Promise<readonly unknown[]>((resolve) => watcher.once('ready', resolve))
  t.equal(tries.length, 2)
  const told = change(watcher)
  await inner.writeFile('x', '')
  await told
  watcher.destroy()
})

t.test('a watcher on a drive that is closed tells whoever listens', async (t) => {
  const drive = await memoryDrive(t)
  await drive.close()
  const watcher = drive.watch('/')
  const error = await new Promise<Error>((resolve) => watcher.once('error', resolve))
  t.match(error, { code: 'DRIVE_CLOSED' })
})

t.test('iterating tells which names came, changed and went', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('d/old', 'x')
  const events = drive.watch('d')[Symbol.asyncIterator]()
  const next = async (): Promise<string> => {
    const { value } = await events.next()
    return value ? `${value.eventType} ${value.filename}` : ''
  }
  await drive.writeFile('d/new', '1')
  t.equal(await next(), 'rename new')
  await drive.writeFile('d/new', '2')
  t.equal(await next(), 'change new')
  await drive.unlink('d/old')
  t.equal(await next(), 'rename old')
  await drive.rename('d/new', 'd/sub/moved')
  const both = [await next(), await next()]
  t.same(both.toSorted(), ['rename new', 'rename sub/moved'])
  await drive.writeFile('elsewhere', 'x')
  await drive.writeFile('d/end', 'x')
  t.equal(await next(), 'rename end')
  await events.return()
})

t.test('a watched file is named by its own name, and a mounted drive by none', async (t) => {
  const [outer, inner] = await memoryDrives(t, 2)
  if (!outer || !inner) throw new Error('two drives')
  const next = async (watcher: DriveWatcher): Promise<unknown> => {
    for await (const event of watcher) return event
    return null
  }
  const own = outer.watch('d/file')
  await outer.writeFile('d/file', 'x')
  t.same(await next(own), { eventType: 'rename', filename: 'file' })
  await outer.mount('m', inner.key ?? Buffer.alloc(0))
  const mounted = outer.watch('m')
  await new Promise((resolve) => mounted.once('ready', resolve))
  const event = next(mounted)
  await inner.writeFile('f', 'x')
  t.same(await event, { eventType: 'change', filename: null })
})

t.test('a signal ends a watcher, and rejects the loop over it', async (t) => {
  const drive = await memoryDrive(t)
  const stop = new AbortController()
  const watcher = drive.watch('/', { signal: stop.signal }, () => t.pass('the listener'))
  const loop = (async () => {
    for await (const _ of watcher) stop.abort(new Error('enough'))
  })()
  await drive.writeFile('f', 'x')
  await t.rejects(loop, { message: 'enough' })
  const given = drive.watch('/', { signal: stop.signal })
  await t.rejects(given[Symbol.asyncIterator]().next(), { message: 'enough' })
})

t.test('a watcher made before the drive is open tells of what came after', async (t) => {
  const drive = new Drive(() => new MemoryStorage())
  t.teardown(() => drive.close())
  const watcher = drive.watch('/')
  await new Promise((resolve) => watcher.once('ready', resolve))
  await drive.writeFile('f', 'x')
  for await (const { filename } of watcher) {
    t.equal(filename, 'f')
    break
  }
})
