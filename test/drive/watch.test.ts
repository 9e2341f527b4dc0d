import t from 'tap'
import { memoryDrive, memoryDrives } from './drives.ts'
import type { DriveWatcher } from '../../src/drive/watch.ts'

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
