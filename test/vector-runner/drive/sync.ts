/** Handler of `drive/sync.json`: what a fresh clone fetches by itself. @module */
import assert from 'node:assert/strict'
import { Drive } from '../../../src/drive/index.ts'
import { MemoryFolder } from '../../../src/storage/index.ts'
import type { VectorKind } from '../vector.ts'
import { connect, until } from './connect.ts'
import { present } from './disk.ts'

interface SyncCase {
  readonly cloneOptions: { readonly sparse?: boolean; readonly sparseMetadata?: boolean }
  readonly live: boolean
  readonly before: {
    readonly version: number
    readonly writable: boolean
    readonly contentWritable: boolean
  }
  readonly metadataLength: number
  readonly metadataPresent: readonly number[]
  readonly contentKnown: boolean
  readonly contentPresent: readonly number[]
}

/** A writer with one file a block of metadata after the header, and its clone. */
export const kind: VectorKind = {
  name: 'drive/sync',
  *cases({ json }) {
    for (const each of json.cases as readonly SyncCase[]) {
      const name = `${JSON.stringify(each.cloneOptions)}${each.live ? ' live' : ''}`
      yield { name, run: () => runCase(each) }
    }
  },
}

async function runCase(each: SyncCase): Promise<void> {
  const writer = new Drive(new MemoryFolder().open, { exact: true })
  for (let i = 1; i < each.metadataLength; i++) await writer.writeFile(`f${i}`, `content ${i}`)
  const clone = new Drive(new MemoryFolder().open, writer.key, {
    exact: true,
    ...each.cloneOptions,
  })
  await clone.ready()
  const { version, writable, contentWritable } = clone
  assert.deepEqual({ version, writable, contentWritable }, each.before)
  const end = connect(writer, clone, each.live)
  const { metadataLength, metadataPresent, contentKnown, contentPresent } = each
  const want = { metadataLength, metadataPresent, contentKnown, contentPresent }
  try {
    await until(() => JSON.stringify(stateOf(clone)) === JSON.stringify(want))
    assert.deepEqual(stateOf(clone), want)
  } finally {
    end()
    await clone.close()
    await writer.close()
  }
}

function stateOf(clone: Drive): unknown {
  const { metadata, content } = clone
  assert.ok(metadata)
  return {
    metadataLength: metadata.length,
    metadataPresent: present(metadata),
    contentKnown: content !== null,
    contentPresent: content ? present(content) : [],
  }
}
