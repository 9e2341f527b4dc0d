/** Several descriptors of several files, against plain byte arrays with the rules that docs/drive-api.md states. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Drive } from '../../src/drive/drive.ts'
import { memoryDrive } from './drives.ts'

/** A file as POSIX has it, whatever its name. */
interface Inode {
  /** What descriptors see, and what everybody else does. */
  bytes: Buffer
  stored: Buffer
  changes: number
  storedChanges: number
}

interface Open {
  readonly fd: number
  readonly inode: Inode
  readonly append: boolean
  readonly writable: boolean
  position: number
  changed: number
}

class Model {
  readonly files = new Map<string, Inode>()
  readonly open: Open[] = []

  make(name: string): Inode {
    const made = { bytes: Buffer.alloc(0), stored: Buffer.alloc(0), changes: 0, storedChanges: 0 }
    const inode = this.files.get(name) ?? made
    this.files.set(name, inode)
    return inode
  }
}

function resize(inode: Inode, size: number): void {
  if (size === inode.bytes.length) return
  const next = Buffer.alloc(size)
  inode.bytes.copy(next)
  inode.bytes = next
  inode.changes++
}

function put(inode: Inode, at: number, bytes: Buffer): void {
  if (bytes.length === 0) return
  const next = Buffer.alloc(Math.max(inode.bytes.length, at + bytes.length))
  inode.bytes.copy(next)
  bytes.copy(next, at)
  inode.bytes = next
  inode.changes++
}

function store(inode: Inode, change: number): void {
  if (change <= inode.storedChanges) return
  inode.stored = inode.bytes
  inode.storedChanges = inode.changes
}

interface Step {
  readonly name: string
  run(drive: Drive, model: Model): Promise<void>
}

const name = fc.constantFrom('a', 'b', 'd/a')
/** Small mostly; large enough at times that what is written does not stay in memory. */
const data = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.nat(700_000).map((size) => Buffer.alloc(size, `${size}.`)) },
)
const position = fc.oneof(fc.constant(null), fc.nat(100), fc.nat(1_000_000))

function onOpen(
  index: number,
  what: string,
  run: (drive: Drive, open: Open) => Promise<void>,
): Step {
  return {
    name: `${what} (${index})`,
    async run(drive, model) {
      const open = model.open[index % Math.max(1, model.open.length)]
      if (open) await run(drive, open)
    },
  }
}

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(name, fc.constantFrom('r', 'r+', 'w+', 'a+')).map(([path, flags]): Step => ({
    name: `open ${path} ${flags}`,
    async run(drive, model) {
      const isThere = model.files.has(path)
      if (!isThere && flags.startsWith('r')) return
      const fd = await drive.open(path, flags)
      const inode = model.make(path)
      if (flags === 'w+') resize(inode, 0)
      const open = {
        fd,
        inode,
        append: flags === 'a+',
        writable: flags !== 'r',
        position: 0,
        changed: 0,
      }
      if (flags === 'w+') open.changed = inode.changes
      model.open.push(open)
    },
  })),
  fc.tuple(fc.nat(9), position, data).map(([index, at, bytes]) =>
    onOpen(index, `write ${bytes.length} at ${at}`, async (drive, open) => {
      if (!open.writable) return
      const { inode } = open
      const given = Buffer.from(bytes)
      await drive.write(open.fd, given, 0, given.length, at)
      given.fill('!')
      const start = open.append ? inode.bytes.length : (at ?? open.position)
      put(inode, start, bytes)
      if (at === null) open.position = start + bytes.length
      open.changed = inode.changes
    }),
  ),
  fc.tuple(fc.nat(9), position, fc.nat(2000)).map(([index, at, length]) =>
    onOpen(index, `read ${length} at ${at}`, async (drive, open) => {
      const buffer = Buffer.alloc(length)
      const start = at ?? open.position
      const { bytesRead } = await drive.read(open.fd, buffer, 0, length, at)
      const expected = open.inode.bytes.subarray(start, start + length)
      assert.ok(buffer.subarray(0, bytesRead).equals(expected), `read at ${start}`)
      if (at === null) open.position = start + bytesRead
    }),
  ),
  fc.tuple(fc.nat(9), fc.oneof(fc.nat(100), fc.nat(900_000))).map(([index, size]) =>
    onOpen(index, `ftruncate ${size}`, async (drive, open) => {
      if (!open.writable) return
      await drive.ftruncate(open.fd, size)
      resize(open.inode, size)
      open.changed = open.inode.changes
    }),
  ),
  fc.nat(9).map((index) =>
    onOpen(index, 'fsync', async (drive, { fd, inode }) => {
      await drive.fsync(fd)
      store(inode, inode.changes)
    }),
  ),
  fc.nat(9).map((index): Step => ({
    name: `close (${index})`,
    async run(drive, model) {
      const [open] = model.open.splice(index % Math.max(1, model.open.length), 1)
      if (!open) return
      await drive.close(open.fd)
      store(open.inode, open.changed)
    },
  })),
  fc.tuple(name, data).map(([path, bytes]): Step => ({
    name: `writeFile ${path} ${bytes.length}`,
    async run(drive, model) {
      await drive.writeFile(path, bytes)
      const inode = model.make(path)
      inode.bytes = bytes
      inode.stored = bytes
      inode.storedChanges = inode.changes
    },
  })),
  fc.tuple(name, data).map(([path, bytes]): Step => ({
    name: `appendFile ${path} ${bytes.length}`,
    async run(drive, model) {
      await drive.appendFile(path, bytes)
      const inode = model.make(path)
      put(inode, inode.bytes.length, bytes)
      store(inode, inode.changes)
    },
  })),
  fc.tuple(name, fc.nat(1000)).map(([path, size]): Step => ({
    name: `truncate ${path} ${size}`,
    async run(drive, model) {
      await drive.truncate(path, size)
      const inode = model.make(path)
      resize(inode, size)
      store(inode, inode.changes)
    },
  })),
  name.map((path): Step => ({
    name: `unlink ${path}`,
    async run(drive, model) {
      if (!model.files.delete(path)) return
      await drive.unlink(path)
    },
  })),
  fc.tuple(name, name).map(([from, to]): Step => ({
    name: `rename ${from} ${to}`,
    async run(drive, model) {
      const inode = model.files.get(from)
      if (!inode || from === to) return
      await drive.rename(from, to)
      model.files.delete(from)
      model.files.set(to, inode)
    },
  })),
)

async function check(drive: Drive, model: Model): Promise<void> {
  const names = await drive.readdir('/', { recursive: true })
  assert.deepEqual(names.toSorted(), [...model.files.keys()].toSorted())
  for (const [path, inode] of model.files) {
    assert.ok((await drive.readFile(path)).equals(inode.stored), `${path} by name`)
    const isChanged = inode.changes > inode.storedChanges
    const size = isChanged ? inode.bytes.length : inode.stored.length
    assert.equal((await drive.stat(path)).size, size, `size of ${path}`)
  }
  for (const { fd, inode } of model.open) {
    const buffer = Buffer.alloc(inode.bytes.length + 1)
    const { bytesRead } = await drive.read(fd, buffer, 0, buffer.length, 0)
    assert.ok(buffer.subarray(0, bytesRead).equals(inode.bytes), `descriptor ${fd}`)
    assert.equal((await drive.fstat(fd)).size, inode.bytes.length)
  }
}

// Thousands of runs take longer than a test may.
if (process.env['SLOW']) t.setTimeout(600_000)

t.test('descriptors do what a plain byte array with the rules of POSIX would', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const drive = await memoryDrive({ teardown: () => undefined })
      const model = new Model()
      try {
        for (const each of steps) {
          await each.run(drive, model)
          await check(drive, model)
        }
        for (const { fd, inode, changed } of model.open.splice(0)) {
          await drive.close(fd)
          store(inode, changed)
        }
        await check(drive, model)
      } catch (error) {
        throw new Error(steps.map((each) => each.name).join('; '), { cause: error })
      } finally {
        await drive.close()
      }
    }),
    { numRuns: Number(process.env['RUNS'] ?? (process.env['SLOW'] ? 2000 : 60)) },
  )
  t.end()
})
