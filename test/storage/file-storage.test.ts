/** What files on disk do beyond the common contract: descriptors, durability, holes, and failures. */
import { EventEmitter } from 'node:events'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import * as descriptor from '../../src/storage/descriptor.ts'
import type * as storage from '../../src/storage/index.ts'
import { FilePool, FileStorage, openFolder } from '../../src/storage/index.ts'
import type * as punch from '../../src/storage/punch.ts'

type Descriptor = typeof descriptor
type FileModule = Pick<typeof storage, 'FileStorage'>
type PunchModule = typeof punch
type Transfer = (
  fd: number,
  bytes: Uint8Array,
  at: number,
  length: number,
  offset: number,
  done: (error: Error | null, count: number) => void,
) => void

/** The adapter over system calls of which some are replaced. */
async function withCalls(t: Test, replaced: Partial<Descriptor>): Promise<FileModule> {
  const mocked = { ...descriptor, ...replaced }
  return t.mockImport<FileModule>('../../src/storage/file-storage.ts', {
    // The name that it has once it is compiled: with .ts nothing is replaced.
    '../../src/storage/descriptor.js': mocked,
  })
}

t.test('names never lead out of the folder', async (t) => {
  const folder = t.testdir({ inside: {} })
  const open = openFolder(join(folder, 'inside'))
  for (const name of ['../up', '/root', 'a/../../b', './here/there', '..']) {
    const file = open(name)
    if (name !== '..') {
      await file.write(0, new Uint8Array([1]))
      await file.close()
    }
  }
  for (const path of ['up', 'root', 'b', 'here/there']) {
    t.ok(fs.existsSync(join(folder, 'inside', path)), path)
  }
})

t.test('nothing is created by opening, reading or closing', async (t) => {
  const folder = t.testdir()
  const file = new FileStorage(join(folder, 'a', 'b'))
  await t.rejects(file.read(0, 0), { code: 'STORAGE_SHORT' })
  t.equal(await file.size(), 0)
  await file.sync()
  await file.close()
  t.notOk(fs.existsSync(join(folder, 'a')))
})

t.test('however many files are in use, a pool holds no more descriptors than it may', async (t) => {
  const folder = t.testdir()
  let held = 0
  let most = 0
  const { FileStorage } = await withCalls(t, {
    async open(path, flags) {
      const fd = await descriptor.open(path, flags)
      most = Math.max(most, ++held)
      return fd
    },
    async close(fd) {
      held--
      await descriptor.close(fd)
    },
  })
  const pool = new FilePool(3)
  const files = Array.from(
    { length: 20 },
    (_, i) => new FileStorage(join(folder, `${i}`), { pool }),
  )
  for (let round = 0; round < 4; round++) {
    await Promise.all(
      files.flatMap((file, i) => [
        file.write(round, new Uint8Array([i])),
        file.read(0, round + 1).then((bytes) => t.equal(bytes[round], i)),
      ]),
    )
  }
  t.equal(most, 3)
  t.equal(pool.size, 3)
  await Promise.all(files.map((file) => file.close()))
  t.equal(pool.size, 0)
  t.equal(held, 0)
  t.strictSame([...fs.readFileSync(join(folder, '7'))], [7, 7, 7, 7])
})

t.test('the file that was used longest ago lets go of its descriptor', async (t) => {
  const folder = t.testdir()
  const opened: string[] = []
  const { FileStorage } = await withCalls(t, {
    async open(path, flags) {
      const fd = await descriptor.open(path, flags)
      opened.push(path.slice(-1))
      return fd
    },
  })
  const pool = new FilePool(2)
  const [a, b, c] = ['a', 'b', 'c'].map((name) => new FileStorage(join(folder, name), { pool }))
  if (!a || !b || !c) throw new Error('want three files')
  for (const file of [a, b, a, c, a, b]) await file.write(0, new Uint8Array(1))
  t.equal(opened.join(''), 'abcb')
  await Promise.all([a, b, c].map((file) => file.close()))
  t.throws(() => new FilePool(0), RangeError)
})

t.test('when the process has no more descriptors, idle files give theirs up', async (t) => {
  const folder = t.testdir()
  let held = 0
  const { FileStorage } = await withCalls(t, {
    async open(path, flags) {
      if (held === 2) throw Object.assign(new Error('too many'), { code: 'EMFILE' })
      const fd = await descriptor.open(path, flags)
      held++
      return fd
    },
    async close(fd) {
      held--
      await descriptor.close(fd)
    },
  })
  const pool = new FilePool(100)
  const files = ['a', 'b', 'c', 'd'].map((name) => new FileStorage(join(folder, name), { pool }))
  for (const file of files) await file.write(0, new Uint8Array(1))
  t.equal(pool.size, 2)
  await Promise.all(files.map((file) => file.close()))
  held = 2
  const last = new FileStorage(join(folder, 'a'), { pool })
  await t.rejects(last.read(0, 1), { code: 'STORAGE_IO', cause: { code: 'EMFILE' } })
  await last.close()
  t.equal(pool.size, 0)
})

t.test(
  'a failure to close a descriptor that was let go is told by the next operation',
  async (t) => {
    const folder = t.testdir()
    let failing = false
    const { FileStorage } = await withCalls(t, {
      async close(fd) {
        await descriptor.close(fd)
        if (failing) throw new Error('lost')
      },
    })
    const pool = new FilePool(1)
    const [a, b] = [
      new FileStorage(join(folder, 'a'), { pool }),
      new FileStorage(join(folder, 'b'), { pool }),
    ]
    await a.write(0, new Uint8Array([1]))
    failing = true
    await b.write(0, new Uint8Array([2]))
    failing = false
    await t.rejects(a.read(0, 1), { code: 'STORAGE_IO' })
    t.strictSame([...(await a.read(0, 1))], [1])
    await Promise.all([a.close(), b.close()])
  },
)

t.test('sync makes content and new folder entries durable, once', async (t) => {
  const folder = t.testdir()
  const calls: string[] = []
  const { FileStorage } = await withCalls(t, {
    async sync(fd) {
      calls.push('content')
      await descriptor.sync(fd)
    },
    async syncFolder(path) {
      calls.push(path)
      await descriptor.syncFolder(path)
    },
  })
  const pool = new FilePool(1)
  const file = new FileStorage(join(folder, 'x', 'y', 'file'), { pool })
  const other = new FileStorage(join(folder, 'other'), { pool })
  await file.write(0, new Uint8Array([1]))
  await other.write(0, new Uint8Array([1]))
  await file.sync()
  const all = ['content', join(folder, 'x', 'y'), join(folder, 'x'), folder]
  t.strictSame(calls.splice(0), all, 'also after the pool took the descriptor')
  await file.sync()
  t.strictSame(calls, [], 'nothing was written')
  await file.truncate(0)
  await file.sync()
  t.strictSame(calls, ['content'])
  await Promise.all([file.close(), other.close()])
})

t.test('a file that may only be read is read, and refuses to be written', async (t) => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'varve-'))
  const path = join(folder, 'file')
  fs.writeFileSync(path, 'abc')
  fs.chmodSync(path, 0o444)
  fs.chmodSync(folder, 0o555)
  const isRoot = process.geteuid?.() === 0
  t.teardown(() => {
    if (isRoot) process.seteuid?.(0)
    fs.chmodSync(folder, 0o755)
    fs.rmSync(folder, { recursive: true })
  })
  fs.chmodSync(folder, 0o755)
  if (isRoot) process.seteuid?.(65534)
  const file = new FileStorage(path)
  t.equal((await file.read(0, 3)).length, 3)
  await t.rejects(file.write(0, new Uint8Array(1)), {
    code: 'STORAGE_IO',
    cause: { code: 'EACCES' },
  })
  t.equal((await file.read(0, 3)).length, 3)
  await file.close()
})

t.test('what the system refuses is an error with its cause', async (t) => {
  const folder = t.testdir({ folder: { a: '' } })
  const file = new FileStorage(join(folder, 'folder'))
  await t.rejects(file.read(0, 1), { code: 'STORAGE_IO', cause: { code: 'EISDIR' } })
  await t.rejects(file.write(0, new Uint8Array(1)), { code: 'STORAGE_IO' })
  await t.rejects(file.destroy(), { code: 'STORAGE_IO' })
  const below = new FileStorage(join(folder, 'folder', 'a', 'b'))
  await t.rejects(below.size(), { code: 'STORAGE_IO', cause: { code: 'ENOTDIR' } })
  await t.rejects(below.write(0, new Uint8Array(1)), { code: 'STORAGE_IO' })
  await below.close()
})

t.test('a full disk fails the write, and the file goes on', async (t) => {
  const folder = t.testdir()
  let full = true
  const { FileStorage } = await withCalls(t, {
    writeFully: (fd, bytes, offset) =>
      full
        ? Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }))
        : descriptor.writeFully(fd, bytes, offset),
  })
  const file = new FileStorage(join(folder, 'file'))
  await t.rejects(file.write(0, new Uint8Array(1)), {
    code: 'STORAGE_IO',
    cause: { code: 'ENOSPC' },
  })
  full = false
  await file.write(0, new Uint8Array([5]))
  t.strictSame([...(await file.read(0, 1))], [5])
  await file.close()
})

t.test('a hole gives disk space back where the system can', async (t) => {
  const path = join(t.testdir(), 'file')
  const file = new FileStorage(path)
  const size = 1024 * 1024
  await file.write(0, new Uint8Array(size).fill(1))
  await file.sync()
  const before = fs.statSync(path).blocks
  const freed = await file.punch(4096, size / 2)
  t.equal(freed, (before - fs.statSync(path).blocks) * 512)
  t.equal(await file.punch(4096, 0), 0)
  t.equal(fs.statSync(path).size, size)
  await file.close()
})

t.test(
  'where there is no program for holes, it is looked for once and nothing is freed',
  async (t) => {
    let started = 0
    const { punchHole } = await t.mockImport<PunchModule>('../../src/storage/punch.ts', {
      'node:child_process': {
        spawn() {
          started++
          const child = new EventEmitter()
          queueMicrotask(() => child.emit('error', new Error('ENOENT')))
          return child
        },
      },
    })
    t.notOk(await punchHole('file', 0, 1))
    t.notOk(await punchHole('file', 0, 1))
    t.ok(started <= 1)
  },
)

t.test('a file that cannot have holes frees nothing', async (t) => {
  const { punchHole } = await t.mockImport<PunchModule>('../../src/storage/punch.ts', {
    'node:child_process': {
      spawn() {
        const child = new EventEmitter()
        queueMicrotask(() => child.emit('exit', 1))
        return child
      },
    },
  })
  t.notOk(await punchHole('file', 0, 1))
})

t.test('a read or write that the system does in parts is gone on with', async (t) => {
  const path = join(t.testdir(), 'file')
  let calls = 0
  /** As a system that moves three bytes a call. */
  const inParts =
    (call: Transfer): Transfer =>
    (fd, bytes, at, length, offset, done) => {
      calls++
      call(fd, bytes, at, Math.min(3, length), offset, done)
    }
  const mocked = { ...fs, read: inParts(fs.read), write: inParts(fs.write) }
  const { open, close, readFully, writeFully } = await t.mockImport<Descriptor>(
    '../../src/storage/descriptor.ts',
    { 'node:fs': mocked },
  )
  const fd = await open(path, fs.constants.O_RDWR | fs.constants.O_CREAT)
  const bytes = Uint8Array.from({ length: 10 }, (_, i) => i)
  await writeFully(fd, bytes, 2)
  const out = new Uint8Array(20)
  t.equal(await readFully(fd, out, 0), 12)
  t.strictSame(out.subarray(2, 12), bytes)
  t.equal(calls, 4 + 5, 'the last read finds the end')
  await close(fd)
})
