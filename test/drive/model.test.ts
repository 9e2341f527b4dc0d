import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Drive } from '../../src/drive/drive.ts'
import { memoryDrive } from './drives.ts'

/** The drive as a map from paths to what the files hold; directories are implied. */
type Model = Map<string, Buffer>

interface Step {
  readonly name: string
  run(drive: Drive, model: Model): Promise<void>
}

const PATHS = ['a', 'b', 'd/a', 'd/b', 'd/e/a', 'd/e/b', 'x/a', 'x/e/f'] as const
const FOLDERS = ['d', 'd/e', 'x', 'x/e', 'y'] as const
const path = fc.constantFrom(...PATHS)
const folder = fc.constantFrom(...FOLDERS)
const data = fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes))

function below(model: Model, directory: string): string[] {
  return [...model.keys()].filter((key) => key.startsWith(`${directory}/`))
}

/** Moves and copies of folders need something to move, and a place that is free and not inside. */
function isFree(model: Model, from: string, to: string): boolean {
  const isInside = `${to}/`.startsWith(`${from}/`)
  return !isInside && below(model, from).length > 0 && below(model, to).length === 0
}

function moved(from: string, to: string, keep: boolean, model: Model): void {
  for (const key of below(model, from)) {
    model.set(to + key.slice(from.length), model.get(key) ?? Buffer.alloc(0))
    if (!keep) model.delete(key)
  }
}

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(path, data).map(([name, bytes]): Step => ({
    name: `writeFile ${name} ${bytes.length}`,
    async run(drive, model) {
      await drive.writeFile(name, bytes)
      model.set(name, bytes)
    },
  })),
  fc.tuple(path, data).map(([name, bytes]): Step => ({
    name: `appendFile ${name} ${bytes.length}`,
    async run(drive, model) {
      await drive.appendFile(name, bytes)
      model.set(name, Buffer.concat([model.get(name) ?? Buffer.alloc(0), bytes]))
    },
  })),
  fc.tuple(path, fc.nat(80)).map(([name, size]): Step => ({
    name: `truncate ${name} ${size}`,
    async run(drive, model) {
      await drive.truncate(name, size)
      const bytes = Buffer.alloc(size)
      model.get(name)?.copy(bytes)
      model.set(name, bytes)
    },
  })),
  fc.tuple(path, path).map(([from, to]): Step => ({
    name: `rename ${from} ${to}`,
    async run(drive, model) {
      const bytes = model.get(from)
      if (!bytes) return
      await drive.rename(from, to)
      model.delete(from)
      model.set(to, bytes)
    },
  })),
  fc.tuple(folder, folder, fc.boolean()).map(([from, to, keep]): Step => ({
    name: `${keep ? 'cp' : 'rename'} ${from} ${to}`,
    async run(drive, model) {
      if (!isFree(model, from, to)) return
      await (keep ? drive.cp(from, to, { recursive: true }) : drive.rename(from, to))
      moved(from, to, keep, model)
    },
  })),
  folder.map((name): Step => ({
    name: `rm ${name}`,
    async run(drive, model) {
      await drive.rm(name, { recursive: true, force: true })
      for (const key of below(model, name)) model.delete(key)
    },
  })),
  fc.tuple(path, fc.array(data, { minLength: 1, maxLength: 4 })).map(([name, pieces]): Step => ({
    name: `open ${name} w, ${pieces.length} writes`,
    async run(drive, model) {
      const fd = await drive.open(name, 'w')
      for (const piece of pieces) await drive.write(fd, piece)
      await drive.close(fd)
      model.set(name, Buffer.concat(pieces))
    },
  })),
)

async function check(drive: Drive, model: Model): Promise<void> {
  const names = await drive.readdir('/', { recursive: true })
  assert.deepEqual(names.toSorted(), [...model.keys()].toSorted())
  for (const [name, bytes] of model) {
    assert.equal((await drive.stat(name)).size, bytes.length)
    assert.ok((await drive.readFile(name)).equals(bytes), `content of ${name}`)
    const half = bytes.length >> 1
    assert.ok((await drive.readFile(name, { start: half })).equals(bytes.subarray(half)))
  }
}

// Thousands of runs take longer than a test may.
if (process.env['SLOW']) t.setTimeout(600_000)

t.test('a drive holds what a map of its files would', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      const drive = await memoryDrive({ teardown: () => undefined })
      const model: Model = new Map()
      const versions: [version: number, model: Model][] = []
      try {
        for (const each of steps) {
          await each.run(drive, model)
          versions.push([drive.version, new Map(model)])
        }
        await check(drive, model)
        const [version, past] = versions[versions.length >> 1] ?? [1, new Map<string, Buffer>()]
        await check(drive.checkout(version), past)
      } catch (error) {
        throw new Error(steps.map(({ name }) => name).join('; '), { cause: error })
      } finally {
        await drive.close()
      }
    }),
    { numRuns: process.env['SLOW'] ? 2000 : 60 },
  )
  t.end()
})
