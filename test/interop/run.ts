/**
 * `npm run interop`: Varve against the real v10, each drive in a process of its own.
 *
 * Folders: one writes, the other opens the folder, reads, appends; then the first again, and back.
 * Connections: one serves over TCP with Noise, the other clones, sparse and full, then sees live
 * updates; either end initiates. `npm run interop -- v10` runs v10 against itself (a check of this
 * harness), `-- varve` Varve against itself.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installOriginal } from './install.ts'
import { beyond } from './beyond.ts'
import { logs } from './logs.ts'
import { mounts } from './mounts.ts'
import { contentOf, doomed, filesOf, firstFiles, FILES, Model, moreFiles } from './model.ts'
import { overwriting } from './model.ts'
import { Side, type Implementation, type Tree } from './side.ts'

type Pair = readonly [Implementation, Implementation]

const print = (line: string): void => void process.stdout.write(`${line}\n`)
/** Checks take seconds. */
const CHECK_LIMIT_MS = 180_000
const counts = { passed: 0, failed: 0 }

/** Run one check and print its line. Returns whether it held. */
async function check(name: string, run: () => Promise<void>): Promise<boolean> {
  const start = performance.now()
  try {
    await withinLimit(run())
    counts.passed++
    print(`  ok    ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`)
    return true
  } catch (error) {
    counts.failed++
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    print(`  FAIL  ${name}\n${text.slice(0, 3000).replace(/^/gm, '        ')}`)
    return false
  }
}

/** A check that hangs has failed, and the others still run. */
async function withinLimit(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const seconds = CHECK_LIMIT_MS / 1000
    timer = setTimeout(() => reject(new Error(`no end within ${seconds} s`)), CHECK_LIMIT_MS)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Start sides that are ended whatever happens. */
async function withSides(
  implementations: readonly Implementation[],
  run: (...sides: Side[]) => Promise<void>,
): Promise<void> {
  const sides: Side[] = []
  try {
    // oxlint-disable-next-line no-await-in-loop -- so that those that started are known
    for (const each of implementations) sides.push(await Side.start(each))
    await run(...sides)
  } finally {
    await Promise.all(sides.map((side) => side.kill()))
  }
}

/** Open a folder with one implementation, do something, and close it again. */
async function visit(
  implementation: Implementation,
  folder: string,
  run: (side: Side) => Promise<void>,
): Promise<void> {
  await withSides([implementation], async (side) => {
    assert.equal((await side.ask('open', { folder })).writable, true)
    await run(side)
    assert.deepEqual(await side.end(), [])
  })
}

/** The drive of the matrix, written into a folder by one implementation. */
async function writeFirst(side: Side, model: Model): Promise<void> {
  await model.write(side, [...firstFiles(), doomed])
  await model.write(side, [overwriting])
  await model.unlink(side, [doomed.path])
  await side.ask('mkdir', { path: 'an empty folder', options: { mode: 0o700 } })
  await side.ask('symlink', { target: '/media/big.bin', path: 'link to big' })
}

/** A drive must hold what the model says, and show what `other` showed of it. */
async function sameTree(side: Side, model: Model, other?: Tree): Promise<Tree> {
  const tree = await side.ask('tree')
  assert.deepEqual(filesOf(tree), model.expected())
  if (other) assert.deepEqual(tree, other)
  return tree
}

/** Both append to one folder in turn; after each, the other must read all of it. */
async function folders([first, second]: Pair, root: string): Promise<void> {
  const folder = join(root, 'folder')
  const model = new Model()
  let tree: Tree | undefined
  const written = await check(`${first} writes ${FILES} files`, () =>
    visit(first, folder, async (side) => {
      await writeFirst(side, model)
      tree = await sameTree(side, model)
      assert.equal(filesOf(tree).length, FILES)
    }),
  )
  if (!written) return
  for (const [round, who] of [second, first, second, first].entries()) {
    // oxlint-disable-next-line no-await-in-loop -- each goes on from the one before
    const read = await check(`${who} reads that folder and appends (${round + 1})`, () =>
      visit(who, folder, async (side) => {
        await sameTree(side, model, tree)
        await model.write(side, moreFiles(round))
        if (round > 0) await model.unlink(side, [`later/${round - 1}/new.txt`])
        tree = await sameTree(side, model)
        // the version before this round is still there
        assert.equal((await side.ask('tree', { at: 2 })).entries.length, 1)
      }),
    )
    if (!read) return
  }
  await check(`${second} reads what ${first} appended last`, () =>
    visit(second, folder, async (side) => void (await sameTree(side, model, tree))),
  )
}

interface CloneCase {
  readonly sparse: boolean
  readonly serverInitiates: boolean
}

/** One serves, the other clones over TCP and then follows live. */
async function clone(
  [writer, reader]: Pair,
  { sparse, serverInitiates }: CloneCase,
  root: string,
): Promise<void> {
  const folder = join(root, 'clone')
  const model = new Model()
  let tree: Tree | undefined
  let key = ''
  await withSides([writer, reader], async (source, copy) => {
    key = (await source.ask('open', { folder: join(root, 'source') })).key
    await writeFirst(source, model)
    tree = await sameTree(source, model)
    const lengths = await source.ask('held')
    const { port } = await source.ask('serve', { initiator: serverInitiates, live: true })

    const options = sparse ? {} : { sparse: false, sparseMetadata: false }
    const opened = await copy.ask('open', { folder, key, options })
    assert.deepEqual([opened.writable, opened.key], [false, key])
    await copy.ask('connect', { port, initiator: !serverInitiates, live: true })
    await copy.ask('awaitVersion', { version: tree.version })
    if (sparse) {
      const range = { path: 'media/big.bin', start: 1_500_000, length: 1000 }
      assert.deepEqual(await copy.ask('readRange', range), await source.ask('readRange', range))
      const { content } = await copy.ask('held')
      assert.ok(content.held < 10, `a sparse clone holds ${content.held} blocks after one read`)
    } else {
      await copy.ask('awaitComplete', {
        metadata: lengths.metadata.length,
        content: lengths.content.length,
      })
    }
    await sameTree(copy, model, tree)

    // live, twice: what the source writes now arrives by itself
    for (const round of [0, 1]) {
      // oxlint-disable-next-line no-await-in-loop
      await model.write(source, moreFiles(round))
      // oxlint-disable-next-line no-await-in-loop
      await model.unlink(source, [`tree/4/branch 4/leaf-${4 + 35 * round}.txt`])
      // oxlint-disable-next-line no-await-in-loop
      tree = await sameTree(source, model)
      // oxlint-disable-next-line no-await-in-loop
      await copy.ask('awaitVersion', { version: tree.version })
      const [file] = moreFiles(round)
      assert.ok(file)
      // oxlint-disable-next-line no-await-in-loop
      assert.deepEqual(await copy.ask('readFile', { path: file.path }), contentOf(file))
      // oxlint-disable-next-line no-await-in-loop
      await sameTree(copy, model, tree)
    }
    if (!sparse) {
      const { metadata, content } = await source.ask('held')
      await copy.ask('awaitComplete', { metadata: metadata.length, content: content.length })
    }
    assert.deepEqual(await copy.end(), [])
    assert.deepEqual(await source.end(), [])
  })
  if (sparse) return
  // a full clone is whole without its source, and to either implementation
  for (const who of [reader, writer]) {
    // oxlint-disable-next-line no-await-in-loop
    await withSides([who], async (side) => {
      await side.ask('open', { folder, key })
      await sameTree(side, model, tree)
      assert.deepEqual(await side.end(), [])
    })
  }
}

const chosen = process.argv[2]
const pairs: Pair[] =
  chosen === 'v10' || chosen === 'varve'
    ? [[chosen, chosen]]
    : [
        ['v10', 'varve'],
        ['varve', 'v10'],
      ]
const root = mkdtempSync(join(tmpdir(), 'varve-interop-'))
let number = 0
const fresh = (): string => join(root, String(++number))
try {
  if (chosen !== 'varve') await check('v10 installs', () => Promise.resolve(void installOriginal()))
  for (const pair of pairs) {
    print(`\n${pair[0]} and ${pair[1]}: one folder in turn`)
    // oxlint-disable-next-line no-await-in-loop -- one at a time: two cores, and lines in order
    await folders(pair, fresh())
    if (pair[0] === 'varve') {
      // oxlint-disable-next-line no-await-in-loop
      await check(`${pair[1]} reads what only Varve can do`, () => beyond(pair[1], fresh()))
    }
    print(`\n${pair[1]} clones from ${pair[0]}`)
    // oxlint-disable-next-line no-await-in-loop
    await check('a drive with fifty mounts', () => mounts(pair, fresh()))
    for (const sparse of [true, false]) {
      for (const serverInitiates of [false, true]) {
        const kind = sparse ? 'sparse' : 'full'
        const role = serverInitiates ? 'the source initiates' : 'the clone initiates'
        // oxlint-disable-next-line no-await-in-loop
        await check(`${kind}, live, ${role}`, () =>
          clone(pair, { sparse, serverInitiates }, fresh()),
        )
      }
    }
  }
  if (!chosen) {
    print('\nlogs')
    await logs(check, fresh)
  }
} finally {
  rmSync(root, { recursive: true, force: true })
}
print(`\n${counts.passed} passed, ${counts.failed} failed, 0 skipped`)
// A check that hangs may have left something open.
process.exit(counts.failed > 0 ? 1 : 0)
