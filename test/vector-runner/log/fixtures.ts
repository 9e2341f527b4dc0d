/**
 * `log/fixtures.json`: real folders that v10 wrote, to open, check and extend.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fromUtf8, toHex, toUtf8 } from '../../../src/bytes.ts'
import { Log } from '../../../src/log/log.ts'
import { MemoryFolder } from '../../../src/storage/memory-storage.ts'
import type { VectorCase, VectorFile, VectorKind } from '../vector.ts'
import { sha256 } from './dump.ts'

interface FixtureCase {
  readonly name: string
  readonly key: string
  readonly files: Readonly<Record<string, { readonly length: number; readonly sha256: string }>>
}

/** Handler of the file. */
export const kind: VectorKind = {
  name: 'log/fixtures',
  *cases(file: VectorFile): Iterable<VectorCase> {
    for (const each of file.json.cases as readonly FixtureCase[]) {
      const folder = join(file.folder, 'fixtures', each.name)
      yield { name: each.name, run: () => runCase(each, folder) }
    }
  },
}

async function runCase(each: FixtureCase, path: string): Promise<void> {
  const folder = new MemoryFolder(
    readdirSync(path).map((name) => [name, readFileSync(join(path, name))] as const),
  )
  assertFiles(folder, each.files)
  const log = new Log(folder.open)
  await log.ready()
  assert.equal(log.key && toHex(log.key), each.key)
  const held = log.downloaded()
  const found = await log.audit()
  assert.deepEqual(found, { valid: held, invalid: 0 }, 'audit')
  await log.close()
  // Opening and looking leaves every byte as it was.
  assertFiles(folder, each.files)

  const again = new Log(folder.open)
  await again.ready()
  const { length } = again
  if (again.writable && again.live) {
    assert.equal(await again.append(fromUtf8('one more')), length)
    assert.equal((await again.signature()).index, length)
    await again.close()
    const extended = new Log(folder.open)
    assert.equal(toUtf8(await extended.get(length)), 'one more')
    assert.equal(extended.length, length + 1)
    await extended.close()
    return
  }
  await assert.rejects(again.append(fromUtf8('one more')))
  await again.close()
}

function assertFiles(folder: MemoryFolder, files: FixtureCase['files']): void {
  const stored = folder.snapshot()
  for (const [name, { length, sha256: hash }] of Object.entries(files)) {
    const bytes = stored.get(name) ?? new Uint8Array(0)
    assert.equal(bytes.length, length, `bytes of ${name}`)
    assert.equal(sha256(bytes), hash, `hash of ${name}`)
  }
}
