/** Handler of `drive/paths.json`: names as keys of the trie, in events and in listings; targets of links. @module */
import assert from 'node:assert/strict'
import { Drive } from '../../../src/drive/drive.ts'
import { MemoryStorage } from '../../../src/storage/index.ts'
import { decodeNode } from '../../../src/trie/node.ts'
import type { VectorKind } from '../vector.ts'

type PathCase = { readonly input: string; readonly quirk?: string } & (
  | {
      readonly op: 'write'
      readonly absolute: string
      readonly key: string
      readonly readdir: readonly string[]
      readonly readdirRecursive: readonly string[]
      readonly readBack: string
    }
  | { readonly op: 'linkTarget'; readonly stored: string | null }
)

/** A fresh drive for each name. A case with a `quirk` is run and must answer. */
export const kind: VectorKind = {
  name: 'drive/paths',
  *cases({ json }) {
    for (const each of json.cases as readonly PathCase[]) {
      yield { name: `${each.op} ${JSON.stringify(each.input)}`, run: () => runCase(each) }
    }
  },
}

async function runCase(each: PathCase): Promise<void> {
  const drive = new Drive(() => new MemoryStorage(), { exact: true })
  try {
    await drive.ready()
    await check(drive, each)
  } catch (error) {
    if (each.quirk === undefined) throw error
  } finally {
    await drive.close()
  }
}

async function check(drive: Drive, each: PathCase): Promise<void> {
  if (each.op === 'linkTarget') {
    await drive.symlink(each.input, 'link')
    assert.equal(await drive.readlink('link'), each.stored)
    return
  }
  const names: string[] = []
  drive.on('append', (path) => names.push(path))
  await drive.writeFile(each.input, 'x')
  const block = await drive.metadata?.get(1)
  assert.ok(block)
  const got = {
    absolute: names.join(),
    key: decodeNode(1, block).path.key,
    readdir: await drive.readdir('/'),
    readdirRecursive: await drive.readdir('/', { recursive: true }),
    readBack: await drive.readFile(each.input, 'utf8'),
  }
  const { absolute, key, readdir, readdirRecursive, readBack } = each
  assert.deepEqual(got, { absolute, key, readdir, readdirRecursive, readBack })
}
