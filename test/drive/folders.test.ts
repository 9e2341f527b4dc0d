import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Drive } from '../../src/drive/drive.ts'
import { Stat, type StatInput } from '../../src/drive/entries/stat.ts'
import { cloneOf, code, memoryDrive, memoryDrives } from './drives.ts'

/** A time that a file system keeps to the millisecond. */
const THEN = 1_500_000_000_123

interface Files {
  readonly [name: string]: string | Buffer | Files
}

/** A new folder with these files. */
function folder(t: Test, files: Files = {}): string {
  const root = fs.mkdtempSync(join(tmpdir(), 'varve-folders-'))
  t.teardown(() => {
    fs.rmSync(root, { recursive: true, force: true })
  })
  fill(root, files)
  return root
}

function fill(root: string, files: Files): void {
  for (const [name, value] of Object.entries(files)) {
    const path = join(root, name)
    if (typeof value === 'string' || Buffer.isBuffer(value)) fs.writeFileSync(path, value)
    else {
      fs.mkdirSync(path)
      fill(path, value)
    }
  }
}

/** A folder with one of everything. */
function sample(t: Test): string {
  const root = folder(t)
  const at = (path: string): string => join(root, path)
  for (const path of ['d', 'd/deep', 'd/deep/er', 'empty', 'ü ñ']) fs.mkdirSync(at(path))
  const files: [string, string | Buffer][] = [
    ['a', 'alpha'],
    ['none', ''],
    ['d/b', Buffer.alloc(200_000, 'b')],
    ['d/deep/er/c', 'c'],
    ['ü ñ/日本語 🎉', 'unicode'],
    ['large', Buffer.alloc(5 * 1024 * 1024 + 7, 'large')],
    ['-', 'x'],
  ]
  for (const [path, bytes] of files) {
    fs.writeFileSync(at(path), bytes)
    fs.utimesSync(at(path), THEN / 1000, THEN / 1000)
  }
  fs.chmodSync(at('a'), 0o751)
  fs.chmodSync(at('d/b'), 0o400)
  fs.symlinkSync('d/deep', at('link'))
  fs.symlinkSync('../a', at('d/up'))
  fs.symlinkSync('nowhere', at('dangling'))
  for (const path of ['d/deep/er', 'd/deep', 'd', 'empty', 'ü ñ']) {
    fs.utimesSync(at(path), THEN / 1000, THEN / 1000)
  }
  fs.chmodSync(at('empty'), 0o711)
  return root
}

/** All that is in a folder: kind, mode, time and content by path. */
function seen(root: string): Map<string, string> {
  const out = new Map<string, string>()
  for (const path of fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const stats = fs.lstatSync(join(root, path))
    const mtime = Math.round(stats.mtimeMs)
    if (stats.isSymbolicLink()) out.set(path, `-> ${fs.readlinkSync(join(root, path))}`)
    else if (stats.isDirectory()) out.set(path, `dir ${stats.mode & 0o777} ${mtime}`)
    else {
      const bytes = fs.readFileSync(join(root, path))
      const hash = createHash('sha256').update(bytes).digest('hex')
      out.set(path, `${stats.mode & 0o777} ${mtime} ${bytes.length} ${hash}`)
    }
  }
  return out
}

/** An entry with any key: what a program that is not ours may have written. */
async function put(drive: Drive, key: string, stat: Stat): Promise<void> {
  await drive.db?.trie.put(key, stat.encode())
}

async function file(drive: Drive, text: string, more: StatInput = {}): Promise<Stat> {
  const content = await drive.getContent()
  const { length: offset, byteLength: byteOffset } = content
  await content.append(Buffer.from(text))
  return Stat.file({ offset, byteOffset, size: text.length, blocks: 1, ...more }, 1)
}

t.test('a folder comes back as it was', async (t) => {
  const root = sample(t)
  const drive = await memoryDrive(t)
  const report = await drive.importDirectory(root, '/in')
  t.match(report, { files: 7, totalFiles: 7, changed: 15, unchanged: 0, skippedCount: 0 })
  t.equal(report.bytes, report.totalBytes)
  t.equal(report.writtenBytes, report.totalBytes)
  t.equal((await drive.stat('/in/a')).mode, 0o100751)
  t.equal((await drive.stat('/in/a')).mtimeMs, THEN)
  t.equal(await drive.readlink('/in/link'), 'd/deep')
  t.equal(await drive.readFile('/in/ü ñ/日本語 🎉', 'utf8'), 'unicode')
  t.strictSame(await drive.readdir('/in/empty'), [])
  const out = join(folder(t), 'out')
  const exported = await drive.exportDirectory('/in', out)
  t.match(exported, { files: 7, changed: 15, unchanged: 0, skippedCount: 0 })
  t.equal(exported.bytes, report.bytes)
  t.strictSame(seen(out), seen(root))
  // Nothing is left to do, either way.
  t.match(await drive.importDirectory(out, 'in'), { changed: 0, unchanged: 15, files: 7 })
  t.match(await drive.exportDirectory('/in', out), { changed: 0, unchanged: 15, writtenBytes: 0 })
  t.end()
})

t.test('only what changed is written, and what is gone goes when that is asked for', async (t) => {
  const root = folder(t, { a: 'one', b: 'two', c: 'three', d: { e: 'four' }, gone: { x: 'x' } })
  const drive = await memoryDrive(t)
  await drive.importDirectory(root)
  await drive.writeFile('/other', 'other')
  const content = await drive.getContent()
  const { length } = content
  const later = new Date(THEN + 5000)
  fs.writeFileSync(join(root, 'a'), 'ONE')
  fs.utimesSync(join(root, 'b'), later, later)
  fs.chmodSync(join(root, 'c'), 0o600)
  fs.rmSync(join(root, 'gone'), { recursive: true })
  fs.rmSync(join(root, 'd'), { recursive: true })
  fs.writeFileSync(join(root, 'd'), 'now a file')
  await t.rejects(drive.importDirectory(root).done, code('EISDIR'))
  const report = await drive.importDirectory(root, '/', { delete: true })
  t.equal(content.length, length + 2, 'a and d; of b the time, of c the mode')
  t.equal(report.removed, 4)
  t.strictSame((await drive.readdir('/')).toSorted(), ['a', 'b', 'c', 'd'])
  t.equal((await drive.stat('/b')).mtimeMs, later.getTime())
  t.equal((await drive.stat('/c')).mode & 0o777, 0o600)
  t.equal(await drive.readFile('/a', 'utf8'), 'ONE')
  t.equal(await drive.readFile('/d', 'utf8'), 'now a file')
  // And back again.
  const out = folder(t, { a: 'ONE', b: 'TWO', more: { deep: { x: 'x' } }, c: {}, d: { y: 'y' } })
  fs.utimesSync(join(out, 'b'), later, later)
  fs.utimesSync(join(out, 'a'), 1, 1)
  fs.symlinkSync('..', join(out, 'l'))
  await t.rejects(drive.exportDirectory('/', out).done, code('EISDIR'))
  const back = await drive.exportDirectory('/', out, { delete: true })
  t.match(back, { files: 4, skippedCount: 0 })
  t.equal(back.removed, 3, 'more, l, and d (c was empty)')
  const wanted = new Map([...seen(root)].filter(([path]) => path !== 'b'))
  const found = new Map([...seen(out)].filter(([path]) => path !== 'b'))
  t.strictSame(found, wanted)
  t.equal(fs.readFileSync(join(out, 'b'), 'utf8'), 'TWO', 'size and time are the same: so it is')
  t.end()
})

t.test('a file whose time alone is another is compared by the hashes of its blocks', async (t) => {
  const bytes = Buffer.alloc(300_000, 'abc')
  const root = folder(t, { same: bytes, other: bytes, none: '' })
  const drive = await memoryDrive(t)
  await drive.importDirectory(root)
  const content = await drive.getContent()
  await drive.writeFile('/cut', bytes)
  await content.clear(0, content.length)
  const { length } = content
  fs.writeFileSync(join(root, 'cut'), bytes)
  fs.writeFileSync(join(root, 'other'), Buffer.concat([bytes.subarray(1), Buffer.from('x')]))
  for (const name of ['same', 'other', 'none', 'cut']) fs.utimesSync(join(root, name), 5, 5)
  const report = await drive.importDirectory(root)
  t.equal(report.writtenBytes, 300_000, 'other')
  t.equal(content.length, length + 5)
  t.equal((await drive.stat('/same')).mtimeMs, 5000)
  t.equal((await drive.stat('/cut')).mtimeMs, 5000)
  t.end()
})

t.test('an import that is given up goes on from where it was', async (t) => {
  const names = Array.from({ length: 300 }, (_, i) => `f${i}`)
  const root = folder(
    t,
    Object.fromEntries(names.map((name) => [name, Buffer.alloc(60_000, name)])),
  )
  const drive = await memoryDrive(t)
  for (const how of ['signal', 'destroy'] as const) {
    const abort = new AbortController()
    const reason = new Error('enough')
    const transfer = drive.importDirectory(root, `/${how}`, { signal: abort.signal })
    drive.metadata?.once('append', () => {
      if (how === 'signal') abort.abort(reason)
      else transfer.destroy()
    })
    await t.rejects(transfer.done, how === 'signal' ? reason : code('ECANCELED'))
    const { progress } = transfer
    t.ok(progress.files > 0 && progress.files < 300, `${progress.files} of 300`)
    t.equal(progress.totalFiles, 300)
    const there = (await drive.readdir(`/${how}`)).length
    t.ok(there > 0 && there < 300)
    const report = await drive.importDirectory(root, `/${how}`)
    t.match(report, { files: 300, unchanged: there, changed: 300 - there })
    const all = await Promise.all(names.map((name) => drive.readFile(`/${how}/${name}`)))
    t.ok(all.every((bytes, i) => bytes.equals(Buffer.alloc(60_000, names[i]))))
  }
  const late = new AbortController()
  late.abort(new Error('never'))
  await t.rejects(drive.importDirectory(root, '/', late).done, { message: 'never' })
  t.end()
})

t.test('an export that is given up leaves whole files, and goes on from there', async (t) => {
  const drive = await memoryDrive(t)
  await drive.batch(async (batch) => {
    for (let i = 0; i < 200; i++) await batch.writeFile(`/f${i}`, Buffer.alloc(50_000, `${i}`))
  })
  const out = folder(t)
  const abort = new AbortController()
  const transfer = drive.exportDirectory('/', out, { signal: abort.signal })
  transfer.on('progress', ({ files }) => {
    if (files > 20) abort.abort()
  })
  await t.rejects(transfer.done, { name: 'AbortError' })
  const there = fs.readdirSync(out)
  t.ok(there.length > 20 && there.length < 200, `${there.length} of 200`)
  for (const name of there) t.equal(fs.statSync(join(out, name)).size, 50_000)
  const report = await drive.exportDirectory('/', out)
  t.match(report, { files: 200, unchanged: there.length, changed: 200 - there.length })
  t.equal(fs.readFileSync(join(out, 'f7'), 'latin1'), '7'.repeat(50_000))
  t.end()
})

t.test(
  'what goes while a folder is imported is left out; what cannot be read is an error',
  async (t) => {
    for (const isThere of [false, true]) {
      const drive = await memoryDrive(t)
      const root = folder(t, { a: 'a', b: 'b', c: 'c' })
      if (isThere) await drive.writeFile('/b', 'b')
      const change = (make: () => void) => (path: string) => {
        if (path === 'c') make()
        return true
      }
      const filter = change(() => fs.rmSync(join(root, 'b')))
      const report = await drive.importDirectory(root, '/', { filter })
      t.match(report, { files: 3, skippedCount: 1, skipped: [{ path: 'b' }] })
      const other = change(() => {
        fs.rmSync(join(root, 'a'))
        fs.mkdirSync(join(root, 'a'))
      })
      fs.writeFileSync(join(root, 'a'), 'changed')
      await t.rejects(drive.importDirectory(root, '/', { filter: other }).done, code('EIO'))
    }
    t.end()
  },
)

t.test('a clone that does not know the hashes of a file writes it anew', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('/a', 'content')
  const clone = await cloneOf(t, drive)
  const out = folder(t, { a: 'CONTENT' })
  t.match(await clone.exportDirectory('/', out), { changed: 1, writtenBytes: 7 })
  t.equal(fs.readFileSync(join(out, 'a'), 'utf8'), 'content')
  fs.utimesSync(join(out, 'a'), 5, 5)
  t.match(await clone.exportDirectory('/', out), { changed: 1, writtenBytes: 0 })
  t.end()
})

t.test('links of the drive are followed above what is imported, and replaced in it', async (t) => {
  const root = folder(t, { f: 'f', d: { x: 'x' }, large: Buffer.alloc(4 * 2 ** 20 + 1, 'l') })
  const drive = await memoryDrive(t)
  await drive.writeFile('/real/old', 'old')
  await drive.writeFile('/elsewhere/kept', 'kept')
  await drive.symlink('real', '/link')
  await drive.symlink('../elsewhere', '/real/d')
  await drive.symlink('../elsewhere/kept', '/real/f')
  await drive.symlink('../elsewhere/kept', '/real/large')
  await drive.importDirectory(root, '/link')
  t.strictSame((await drive.readdir('/real')).toSorted(), ['d', 'f', 'large', 'old'])
  t.equal((await drive.lstat('/real/d')).isDirectory(), true)
  t.equal(await drive.readFile('/real/d/x', 'utf8'), 'x')
  t.equal((await drive.lstat('/real/large')).size, 4 * 2 ** 20 + 1)
  t.strictSame(await drive.readdir('/elsewhere'), ['kept'])
  t.equal(await drive.readFile('/elsewhere/kept', 'utf8'), 'kept')
  t.end()
})

t.test('progress is told with the totals of all, and ends with them', async (t) => {
  const root = folder(t, { a: 'aaa', d: { b: 'b' }, large: Buffer.alloc(6 * 2 ** 20) })
  const drive = await memoryDrive(t)
  const told: [number, number, number, number][] = []
  const transfer = drive.importDirectory(root)
  transfer.on('progress', ({ files, totalFiles, bytes, totalBytes }) => {
    told.push([files, totalFiles, bytes, totalBytes])
  })
  await transfer
  t.strictSame(told.at(-1), [3, 3, 6 * 2 ** 20 + 4, 6 * 2 ** 20 + 4])
  t.ok(told.length > 5, 'the large file is told piece by piece')
  for (const [i, [, , bytes]] of told.entries()) t.ok(bytes >= (told[i - 1]?.[2] ?? 0))
  await new Promise<void>((resolve, reject) => {
    drive.exportDirectory('/', folder(t), undefined, (error, { files }) => {
      t.equal(files, 3)
      if (error) reject(error)
      else resolve()
    })
  })
  await new Promise<void>((resolve) => {
    drive.importDirectory('/nowhere', '/', undefined, (error) => {
      t.match(error, code('EIO'))
      resolve()
    })
  })
  t.end()
})

t.test('a filter says what is taken, either way', async (t) => {
  const root = folder(t, { a: 'a', b: 'b', node_modules: { x: 'x' }, d: { a: 'a' } })
  const drive = await memoryDrive(t)
  const filter = (path: string): boolean => !path.includes('node_modules') && !path.endsWith('b')
  await drive.importDirectory(root, '/t', { filter })
  t.strictSame((await drive.readdir('/t', { recursive: true })).toSorted(), ['a', 'd', 'd/a'])
  await drive.writeFile('/t/b', 'kept')
  await drive.importDirectory(root, '/t', { filter, delete: true })
  t.ok(await drive.exists('/t/b'), 'what is not looked at is not removed')
  const asked: string[] = []
  await drive.importDirectory(root, '/', {
    delete: true,
    filter: (path) => {
      asked.push(path)
      return path !== 't' && !path.startsWith('t/')
    },
  })
  t.ok(asked.includes('t/b') && !asked.includes('/b'))
  t.ok(await drive.exists('/t/b'))
  const out = folder(t, { b: 'mine', other: 'other' })
  await drive.exportDirectory('/t', out, { filter, delete: true })
  t.strictSame(fs.readdirSync(out).toSorted(), ['a', 'b', 'd'])
  t.equal(fs.readFileSync(join(out, 'b'), 'utf8'), 'mine')
  t.end()
})

t.test(
  'what is neither file, directory nor link is left out, and so is an open store',
  async (t) => {
    const root = folder(t, { store: { 'varve.lock': '{}', master_key: 'secret' }, a: 'a' })
    const pipe = join(root, 'pipe')
    execFileSync('mkfifo', [pipe])
    const drive = await memoryDrive(t)
    const report = await drive.importDirectory(root)
    t.equal(report.skippedCount, 2)
    t.strictSame(report.skipped.map(({ path }) => path).toSorted(), ['pipe', 'store'])
    t.strictSame((await drive.readdir('/', { recursive: true })).toSorted(), ['a', 'store'])
    await t.rejects(drive.importDirectory(join(root, 'store')).done, code('EINVAL'))
    t.end()
  },
)

t.test(
  'a hostile drive writes nothing outside the folder, whatever its names and links',
  async (t) => {
    const root = folder(t, { out: { keep: 'keep', sub: {} }, in: {} })
    const target = join(root, 'in')
    const drive = await memoryDrive(t)
    const names = [
      '../out/evil',
      '../../evil',
      'a/../../out/evil',
      'a/./evil',
      '..',
      '.',
      'nul\0name',
      'x//y',
    ]
    for (const name of names) await put(drive, name, await file(drive, 'evil'))
    // Links that lead out, and files below them; below a link of the folder; below a file.
    const link = (linkname: string): Stat => Stat.link({ linkname }, 1)
    await put(drive, 'l1', link('../out'))
    await put(drive, 'l1/evil', await file(drive, 'evil'))
    await put(drive, 'l2', link(join(root, 'out')))
    await put(drive, 'l2/sub/evil', await file(drive, 'evil'))
    await put(drive, 'd/l3', link('..'))
    await put(drive, 'l4', link('d/l3/../out'))
    await put(drive, 'l5', link('d/./l3'))
    await put(drive, 'l6', link('.'))
    await put(drive, 'l7', link('a/../b'))
    await put(drive, 'mine/evil', await file(drive, 'not evil'))
    await put(drive, 'plain', await file(drive, 'plain', { mode: 0o107777 }))
    await put(drive, 'plain/below', await file(drive, 'below'))
    await put(drive, 'pipe', new Stat({ mode: 0o010644 }, 1))
    fs.symlinkSync('../out', join(target, 'mine'))
    fs.symlinkSync('../out/keep', join(target, 'plain'))
    const before = seen(join(root, 'out'))
    for (const options of [{}, { delete: true }]) {
      const report = await drive.exportDirectory('/', target, options)
      t.strictSame(seen(join(root, 'out')), before)
      t.strictSame(fs.readdirSync(root).toSorted(), ['in', 'out'])
      t.strictSame(fs.readdirSync(target).toSorted(), ['d', 'l5', 'l6', 'mine', 'plain'])
      t.ok(fs.lstatSync(join(target, 'mine')).isDirectory())
      t.equal(fs.readFileSync(join(target, 'mine/evil'), 'utf8'), 'not evil')
      t.equal(fs.lstatSync(join(target, 'plain')).mode & 0o7777, 0o777)
      t.equal(fs.readlinkSync(join(target, 'd/l3')), '..')
      t.equal(report.skippedCount, names.length + 8)
    }
    t.end()
  },
)

t.test('an entry that lies about its content is an error, and leaves no file', async (t) => {
  const drive = await memoryDrive(t)
  await put(drive, 'a', await file(drive, 'short', { size: 500 }))
  const out = folder(t)
  await t.rejects(drive.exportDirectory('/', out).done, code('EIO'))
  t.strictSame(fs.readdirSync(out), [])
  await drive.db?.trie.put('b', Buffer.from([0xff]))
  await t.rejects(drive.exportDirectory('/', out).done, code('DRIVE_BAD_STAT'))
  await t.rejects(drive.exportDirectory('/none', out).done, code('ENOENT'))
  await drive.writeFile('/file', 'x')
  await t.rejects(drive.exportDirectory('/file', out).done, code('ENOTDIR'))
  t.end()
})

t.test('what is mounted is exported, and never written by an import', async (t) => {
  const [drive, other] = await memoryDrives(t, 2)
  if (!drive || !other) throw new Error('no drives')
  await other.writeFile('/in', 'inside')
  await drive.mount('/m', other.key as Buffer)
  await drive.writeFile('/own', 'own')
  const out = folder(t)
  await drive.exportDirectory('/', out)
  t.equal(fs.readFileSync(join(out, 'm/in'), 'utf8'), 'inside')
  const without = folder(t)
  await drive.exportDirectory('/', without, { noMounts: true })
  t.strictSame(fs.readdirSync(join(without, 'm')), [])
  fs.writeFileSync(join(out, 'm/in'), 'changed')
  const { version } = other
  const report = await drive.importDirectory(out, '/', { delete: true })
  t.strictSame(report.skipped.map(({ path }) => path).toSorted(), ['m', 'm/in'])
  t.equal(other.version, version)
  await t.rejects(drive.importDirectory(out, '/m').done, code('EROFS'))
  t.end()
})

t.test(
  'an import needs a drive that can be written, an export one whose content can be had',
  async (t) => {
    const root = folder(t, { a: 'a', b: 'b' })
    const drive = await memoryDrive(t)
    await drive.importDirectory(root)
    await t.rejects(drive.checkout(1).importDirectory(root).done, code('EPERM'))
    const clone = await cloneOf(t, drive)
    await t.rejects(clone.importDirectory(root).done, code('EROFS'))
    await t.rejects(
      clone.exportDirectory('/', folder(t), { wait: false }).done,
      code('EUNAVAILABLE'),
    )
    const out = folder(t)
    t.match(await clone.exportDirectory('/', out), { files: 2, changed: 2 })
    t.equal(fs.readFileSync(join(out, 'b'), 'utf8'), 'b')
    const old = join(folder(t), 'old')
    t.match(await drive.checkout(1).exportDirectory('/', old), { files: 0 })
    t.end()
  },
)

t.test('many files are imported with few appends', async (t) => {
  const names = Array.from({ length: 2100 }, (_, i) => `${i % 10}-${i}`)
  const root = folder(t, Object.fromEntries(names.map((name) => [name, name])))
  const drive = await memoryDrive(t)
  let appends = 0
  drive.metadata?.on('append', () => void appends++)
  await drive.promises.importDirectory(root)
  t.ok(appends <= 5, `${appends}`)
  t.equal((await drive.readdir('/')).length, 2100)
  t.equal(await drive.readFile('/3-1003', 'utf8'), '3-1003')
  t.end()
})
