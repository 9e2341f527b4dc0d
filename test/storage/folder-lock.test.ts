import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type LockHolder, LOCK_FILE, isFolderLock, takeFolder } from '../../src/storage/index.ts'

async function take(folder: string): Promise<() => Promise<void>> {
  const answer = await takeFolder(folder)
  if (!isFolderLock(answer)) throw new Error(`held by ${answer.pid}`)
  return () => answer.release()
}

t.test('a folder is taken once, and free again when let go', async (t) => {
  const folder = join(t.testdir(), 'made', 'on', 'the', 'way')
  const release = await take(folder)
  const holder = (await takeFolder(folder)) as LockHolder
  t.match(holder, { pid: process.pid, host: hostname(), isV10: false, since: String })
  await release()
  t.notOk(existsSync(join(folder, LOCK_FILE)))
  const again = await take(folder)
  await release()
  t.ok(existsSync(join(folder, LOCK_FILE)), 'letting go twice takes nothing from the next')
  await again()
})

t.test('the lock of a dead process, and one that does not read, are taken over', async (t) => {
  const child = spawn(process.execPath, ['-e', ''])
  await new Promise((resolve) => child.once('exit', resolve))
  const dead = { pid: child.pid, host: hostname(), process: null, token: 'x', since: '' }
  // A number that lives again, but in a process that started at another time.
  const reused = { ...dead, pid: process.pid, process: 'another boot:1' }
  for (const text of [
    JSON.stringify(dead),
    JSON.stringify(reused),
    '',
    '{',
    'null',
    '{"pid":"x"}',
  ]) {
    const folder = t.testdir({ [LOCK_FILE]: text })
    const release = await take(folder)
    t.match(readFileSync(join(folder, LOCK_FILE), 'utf8'), `"pid":${process.pid}`)
    await release()
  }
})

t.test('a holder on another host is taken to live', async (t) => {
  const record = { pid: 1, host: 'elsewhere', process: null, token: 'x', since: '2020-01-01' }
  const folder = t.testdir({ [LOCK_FILE]: JSON.stringify(record) })
  t.match(await takeFolder(folder), { pid: 1, host: 'elsewhere', since: '2020-01-01' })
  t.equal(readFileSync(join(folder, LOCK_FILE), 'utf8'), JSON.stringify(record))
})

t.test('of many who want a dead one s folder one gets it', async (t) => {
  const dead = { pid: 2 ** 30, host: hostname(), process: null, token: 'x', since: '' }
  const folder = t.testdir({ [LOCK_FILE]: JSON.stringify(dead) })
  const answers = await Promise.all(Array.from({ length: 20 }, () => takeFolder(folder)))
  t.equal(answers.filter(isFolderLock).length, 1)
})

const canLock = existsSync('/proc/locks') && spawnSync('flock', ['--version']).status === 0
const skip = canLock ? false : 'no /proc/locks or no flock command here'

t.test(
  'a v10 that has a bitfield locked is seen where the system lists locks',
  { skip },
  async (t) => {
    const folder = t.testdir()
    mkdirSync(join(folder, 'ab'))
    const file = join(folder, 'ab', 'bitfield')
    writeFileSync(file, '')
    // What v10's lock is: flock, exclusive, on the file's descriptor. The command holds it while it runs.
    const child = spawn('flock', ['-x', file, 'cat'], { stdio: ['pipe', 'pipe', 'ignore'] })
    const started = new Promise((resolve) => child.stdout.once('data', resolve))
    child.stdin.write('locked\n')
    await started
    t.match(await takeFolder(folder), { isV10: true, host: hostname() })
    t.notOk(existsSync(join(folder, LOCK_FILE)))
    child.stdin.end()
    await new Promise((resolve) => child.once('exit', resolve))
    await (
      await take(folder)
    )()
  },
)

t.test('a folder that cannot be made is told as any failed write', async (t) => {
  const folder = t.testdir({ file: '' })
  await t.rejects(takeFolder(join(folder, 'file', 'below')), { code: 'STORAGE_IO' })
})

t.test('who died in the middle of taking over is cleared away too', async (t) => {
  const dead = { pid: 2 ** 30, host: hostname(), process: null, token: 'x', since: '' }
  const takeover = { ...dead, token: 'y' }
  const folder = t.testdir({
    [LOCK_FILE]: JSON.stringify(dead),
    [`${LOCK_FILE}.takeover`]: JSON.stringify(takeover),
  })
  const release = await take(folder)
  t.notOk(existsSync(join(folder, `${LOCK_FILE}.takeover`)))
  await release()
})

t.test('letting go of a lock that somebody removed is no failure', async (t) => {
  const folder = t.testdir()
  const release = await take(folder)
  rmSync(join(folder, LOCK_FILE))
  await release()
  t.same(readdirSync(folder), [])
})

t.test(
  'a lock file that cannot be read fails as any read, and leaves nothing beside it',
  async (t) => {
    const folder = t.testdir({ [LOCK_FILE]: {} })
    await t.rejects(takeFolder(folder), { code: 'STORAGE_IO' })
    t.same(readdirSync(folder), [LOCK_FILE])
  },
)

t.test('a holder that does not say since when is told without', async (t) => {
  const record = { pid: 7, host: 'elsewhere', process: null, token: 'x' }
  const folder = t.testdir({ [LOCK_FILE]: JSON.stringify(record) })
  t.match(await takeFolder(folder), { pid: 7, host: 'elsewhere', since: null, isV10: false })
})

t.test(
  'a folder that cannot be written is taken without a lock',
  { skip: existsSync('/sys/kernel') ? false : 'no folder here that nobody may write to' },
  async (t) => {
    const release = await take('/sys/kernel')
    t.notOk(existsSync(join('/sys/kernel', LOCK_FILE)))
    await release()
  },
)
