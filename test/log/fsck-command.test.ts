/** `npm run fsck` as whoever calls it sees it: what it prints, and how it ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { signingKeyPair } from '../../src/crypto.ts'
import { Log } from '../../src/log/index.ts'
import { LOCK_FILE, isFolderLock, takeFolder } from '../../src/storage/index.ts'

const script = fileURLToPath(new URL('../../scripts/fsck.js', import.meta.url))
const keys = signingKeyPair(new Uint8Array(32).fill(17))

async function command(...args: string[]): Promise<{ code: unknown; said: string }> {
  const child = spawn(process.execPath, [...process.execArgv, script, ...args])
  const outputs = Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = (await once(child, 'exit')) as unknown[]
  const [stdout, stderr] = await outputs
  if (stderr) t.comment(stderr)
  return { code, said: stdout }
}

/** A folder, and in it, as a store has them, a log of ten blocks. */
async function stored(t: Test): Promise<{ folder: string; path: string }> {
  const folder = t.testdir()
  const path = join(folder, 'ab', 'cd')
  const log = new Log(path, keys.publicKey, { secretKey: keys.secretKey })
  await log.append(Array.from({ length: 10 }, (_, i) => new Uint8Array(20).fill(i)))
  await log.close()
  return { folder, path }
}

t.test('a sound folder is called so', async (t) => {
  const { folder } = await stored(t)
  const { code, said } = await command(folder)
  t.equal(code, 0)
  t.match(said, /10 blocks, 10 held, 18 nodes, 1 signatures\nsound\n$/)
  t.notOk(existsSync(join(folder, LOCK_FILE)))
})

t.test('a fault is named with its file and place, and put right with --repair', async (t) => {
  const { folder, path } = await stored(t)
  const data = readFileSync(join(path, 'data'))
  data[45] = 0xff
  writeFileSync(join(path, 'data'), data)
  const found = await command(folder)
  t.equal(found.code, 1)
  t.match(found.said, /data 40\+20: .*\n/)
  const repaired = await command(folder, '--repair')
  t.equal(repaired.code, 0)
  t.match(repaired.said, /data 40\+20: .*dropped.*\n/)
})

t.test('what nothing verifies of is left, and the command fails', async (t) => {
  const { folder } = await stored(t)
  const other = signingKeyPair(new Uint8Array(32).fill(18)).publicKey
  const key = Buffer.from(other).toString('hex')
  writeFileSync(join(folder, 'ab', 'cd', 'key'), other)
  writeFileSync(join(folder, 'ab', 'cd', 'secret_key'), '')
  const { code, said } = await command(folder, '--repair', '--key', key)
  t.equal(code, 1)
  t.match(said, /cannot be put right here/)
})

t.test('a folder that is open elsewhere is refused, and its holder named', async (t) => {
  const { folder, path } = await stored(t)
  const lock = await takeFolder(folder)
  if (!isFolderLock(lock)) throw new Error('not taken')
  // Also by who asks for a part of it, or for more.
  for (const asked of [path, join(folder, '..')]) {
    // oxlint-disable-next-line no-await-in-loop
    const { code, said } = await command(asked)
    t.equal(code, 3)
    t.match(said, `is open elsewhere: process ${process.pid} on `)
  }
  await lock.release()
})

t.test('where there is nothing to check the command says so', async (t) => {
  const folder = t.testdir({ empty: {}, file: '' })
  mkdirSync(join(folder, 'empty'), { recursive: true })
  t.match(await command(join(folder, 'empty')), { code: 2, said: 'no log is stored here\n' })
  t.match(await command(join(folder, 'file')), { code: 2, said: 'npm run fsck -- FOLDER' })
})
