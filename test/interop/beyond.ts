/**
 * What Varve does beyond v10 must be readable by v10: trees that were moved, copied and removed, appends that copy
 * nothing, changed attributes, batches, an imported folder, shared content. Varve makes the drive, the other side shows it,
 * writes on, and Varve reads that.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Side, type Edit, type FileToWrite, type Implementation, type Tree } from './side.ts'

/** Files to begin with; `seed` and `length` say their bytes. */
const PATHS = 'd/a d/sub/b d/sub/deep/c dd f keep/x keep/y gone/1 gone/2/3'.split(' ')
const FILES: readonly FileToWrite[] = PATHS.map((path, i) => ({ path, seed: i, length: 100 * i }))

const CALLS: readonly (readonly unknown[])[] = [
  ['mkdir', 'd/empty', { mode: 0o700 }],
  ['symlink', 'a', 'd/link'],
  ['rename', 'd', 'moved/here'],
  ['rename', 'f', 'dd'],
  ['cp', 'keep', 'copy', { recursive: true }],
  ['cp', 'dd', 'copy/dd'],
  ['rm', 'gone', { recursive: true }],
  ['rm', 'keep/x'],
  ...Array.from({ length: 20 }, (_, i) => ['appendFile', 'log', `line ${i}\n`]),
  ['chmod', 'moved', 0o750],
  ['chown', 'dd', 3, 4],
  ['utimes', 'dd', 0, 1234.5],
  ['truncate', 'copy/y', 10],
  ['writeFile', 'twin/1', 'twin'.repeat(200_000)],
  ['writeFile', 'twin/2', 'twin'.repeat(200_000)],
  ['copyFile', 'copy/y', 'copied'],
]

/** Files that are changed in place: their length, and what is done to them through open descriptors. */
const OPEN_FILES: readonly FileToWrite[] = [
  { path: 'open/edited', seed: 50, length: 200_000, stream: true },
  { path: 'open/holes', seed: 51, length: 10 },
  { path: 'open/cut', seed: 52, length: 3000, stream: true },
  { path: 'open/grown', seed: 53, length: 1000 },
]
const EDITS: readonly Edit[] = [
  {
    path: 'open/edited',
    writes: [
      ['middle', 100_000],
      ['start', 0],
      ['end', 199_999],
    ],
  },
  { path: 'open/holes', writes: [['far', 1_000_000]] },
  { path: 'open/cut', size: 1500 },
  {
    path: 'open/made',
    writes: [
      ['second', 6],
      ['first ', 0],
    ],
  },
  { path: 'open/grown', writes: [['tail', 1000]] },
]

/** Changes that are stored together. */
const BATCH: readonly (readonly unknown[])[] = [
  ['writeFile', 'batch/a', 'a'],
  ['writeFile', 'batch/b', 'b'.repeat(600_000)],
  ['rename', 'batch', 'batched'],
  ['mkdir', 'batched/empty'],
  ['symlink', 'a', 'batched/link'],
  ['cp', 'batched/b', 'batched/c'],
  ['appendFile', 'batched/a', 'aa'],
  ['writeFile', 'batched/gone', 'gone'],
  ['unlink', 'batched/gone'],
]

/** A folder of the system beside the drive's: a large file, an empty one, an empty directory, a link. */
function realFolder(beside: string): string {
  const root = `${beside}-real`
  mkdirSync(join(root, 'empty'), { recursive: true })
  writeFileSync(join(root, 'large'), Buffer.alloc(5_000_000, 'large'))
  writeFileSync(join(root, 'none'), '')
  writeFileSync(join(root, 'small'), 'small', { mode: 0o751 })
  symlinkSync('small', join(root, 'link'))
  return root
}

async function visit<T>(
  implementation: Implementation,
  folder: string,
  run: (side: Side, drive: { readonly key: string }) => Promise<T>,
  { key, options = {} }: { readonly key?: string; readonly options?: object } = {},
): Promise<T> {
  const side = await Side.start(implementation)
  try {
    const drive = await side.ask('open', { folder, key, options })
    const result = await run(side, drive)
    assert.deepEqual(await side.end(), [])
    return result
  } finally {
    await side.kill()
  }
}

/** A drive made by Varve with all of it, read and written on by `reader`, and read again. */
export async function beyond(reader: Implementation, folder: string): Promise<void> {
  const files = ['/', '/moved'].map((path, i) => ({ path, file: `${folder}.${i}.bundle` }))
  let key = ''
  const make = async (side: Side, drive: { readonly key: string }): Promise<Tree> => {
    ;({ key } = drive)
    await side.ask('write', { files: FILES })
    await side.ask('change', { calls: CALLS })
    await side.ask('batch', { calls: BATCH })
    await side.ask('change', { calls: [['importDirectory', realFolder(folder), 'imported', {}]] })
    await side.ask('write', { files: OPEN_FILES })
    await side.ask('edit', { edits: EDITS })
    // One after the other.
    // oxlint-disable-next-line no-await-in-loop
    for (const bundle of files) await side.ask('bundle', bundle)
    return side.ask('tree')
  }
  const made = await visit('varve', folder, make, { options: { deduplicate: true } })
  await bundled(reader, key, files, made)
  const twins = made.entries.filter(({ path }) => path.startsWith('twin/'))
  assert.equal(twins[0]?.stat['offset'], twins[1]?.stat['offset'], 'content is shared')
  assert.equal(made.entries.length, 30)
  const opened = made.entries.filter(({ path }) => path.startsWith('open/'))
  const sizes = opened.map(({ stat }) => stat.size)
  assert.deepEqual(sizes, [1500, 200_002, 1004, 1_000_003, 12])
  const added = await visit(reader, folder, async (side): Promise<Tree> => {
    assert.deepEqual(await side.ask('tree'), made)
    // The past is as it was: before the first change there is what was written.
    const before = await side.ask('tree', { at: 1 + FILES.length })
    assert.deepEqual(
      before.entries.map(({ path }) => path),
      PATHS.toSorted(),
    )
    await side.ask('write', { files: [{ path: 'moved/here/new', seed: 1, length: 5 }] })
    await side.ask('unlink', { paths: ['log'] })
    return side.ask('tree')
  })
  await visit('varve', folder, async (side) => assert.deepEqual(await side.ask('tree'), added))
}

/** The folders that bundles were taken into, read by somebody who has nothing but these. */
async function bundled(
  reader: Implementation,
  key: string,
  files: readonly { readonly path: string; readonly file: string }[],
  made: Tree,
): Promise<void> {
  for (const { path, file } of files) {
    const folder = `${file}.folder`
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await visit('varve', `${file}.other`, (side) => side.ask('importBundle', { file, folder, key }))
    // oxlint-disable-next-line no-await-in-loop
    await visit(reader, folder, (side) => sees(side, path, made), { key })
  }
}

async function sees(side: Side, path: string, made: Tree): Promise<void> {
  if (path === '/') {
    assert.deepEqual(await side.ask('tree'), made)
    return
  }
  const below = made.entries.filter((entry) => entry.path.startsWith(`${path.slice(1)}/`))
  assert.ok(below.length > 3)
  const { names } = await side.ask('names', { path })
  const wanted = below.map((entry) => entry.path.slice(path.length))
  assert.deepEqual(names, wanted.toSorted())
  for (const { path: file, content } of below) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    if (content) assert.deepEqual(await side.ask('readFile', { path: file }), content)
  }
}
