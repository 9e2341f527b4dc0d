/** Handler of `drive/corestore.json`: keys and files of a store's logs, and the header of drives. @module */
import assert from 'node:assert/strict'
import { signingKeyPair } from '../../../src/crypto.ts'
import { Drive, type DriveOptions } from '../../../src/drive/index.ts'
import type { Log } from '../../../src/log/index.ts'
import { MemoryFolder } from '../../../src/storage/index.ts'
import { Store, deriveSeed, folderOf } from '../../../src/store/index.ts'
import type { VectorKind } from '../vector.ts'

type Files = Readonly<Record<string, string | null>>

interface LogKeys {
  readonly publicKey: string
  readonly secretKey: string | null
  readonly discoveryKey: string
  readonly files: Files
}

interface DriveKeys {
  readonly metadataKey: string
  readonly contentKey: string
  readonly header: string
}

type StoreCase = { readonly masterKey: string } & (
  | ({
      readonly op: 'named'
      readonly name: { readonly utf8: string } | { readonly hex: string }
      readonly seed: string
      readonly directory: string
    } & LogKeys)
  | {
      readonly op: 'namespace'
      readonly chain: readonly (string | { readonly hex: string })[]
      readonly name: string
      readonly publicKey: string
      readonly discoveryKey: string
    }
  | ({ readonly op: 'keyPair' | 'key' | 'keyString'; readonly writable: boolean } & LogKeys)
  | ({ readonly op: 'drive'; readonly namespace: string | null } & DriveKeys)
  | ({ readonly op: 'driveFromKeyPair'; readonly keyPairSeed: string } & DriveKeys)
  | { readonly op: 'subtype'; readonly subtype: string; readonly header: string }
)

/** A fresh store in memory for each case. */
export const kind: VectorKind = {
  name: 'drive/corestore',
  *cases({ json }) {
    for (const [i, each] of (json.cases as readonly StoreCase[]).entries()) {
      yield { name: `${i} ${each.op}`, run: () => runCase(each) }
    }
  },
}

async function runCase(each: StoreCase): Promise<void> {
  const folder = new MemoryFolder()
  const masterKey = Buffer.from(each.masterKey, 'hex')
  const store = new Store(folder.open, { masterKey })
  await store.ready()
  try {
    await check(each, store, folder, masterKey)
  } finally {
    await store.close()
  }
}

async function check(
  each: StoreCase,
  store: Store,
  folder: MemoryFolder,
  masterKey: Buffer,
): Promise<void> {
  switch (each.op) {
    case 'named': {
      const name = 'utf8' in each.name ? each.name.utf8 : Buffer.from(each.name.hex, 'hex')
      assert.equal(hex(deriveSeed(masterKey, name)), each.seed)
      const log = store.get({ name })
      await checkKeys(log, each)
      assert.equal(folderOf(log.discoveryKey ?? new Uint8Array()), each.directory)
      const within = Object.entries(each.files).map(([file, bytes]) => [
        `${each.directory}/${file}`,
        bytes,
      ])
      await checkFiles(folder, Object.fromEntries(within) as Files)
      return
    }
    case 'namespace': {
      let at = store
      for (const part of each.chain) {
        at = at.namespace(typeof part === 'string' ? part : Buffer.from(part.hex, 'hex'))
      }
      assert.equal(at.name, each.name)
      const log = at.default()
      await log.ready()
      assert.equal(hex(log.key), each.publicKey)
      assert.equal(hex(log.discoveryKey), each.discoveryKey)
      return
    }
    case 'keyPair':
    case 'key':
    case 'keyString': {
      const publicKey = Buffer.from(each.publicKey, 'hex')
      const log = store.get(
        each.op === 'keyPair'
          ? { keyPair: { publicKey, secretKey: Buffer.from(each.secretKey ?? '', 'hex') } }
          : { key: each.op === 'key' ? publicKey : each.publicKey },
      )
      await checkKeys(log, each)
      assert.equal(log.writable, each.writable)
      await checkFiles(folder, each.files)
      return
    }
    case 'drive':
      return checkDrive(store, each.namespace === null ? {} : { namespace: each.namespace }, each)
    case 'driveFromKeyPair':
      return checkDrive(
        store,
        { keyPair: signingKeyPair(Buffer.from(each.keyPairSeed, 'hex')) },
        each,
      )
    case 'subtype':
      return checkDrive(store, { subtype: each.subtype }, each)
  }
}

async function checkKeys(log: Log, want: LogKeys): Promise<void> {
  await log.ready()
  assert.equal(hex(log.key), want.publicKey)
  assert.equal(hex(log.discoveryKey), want.discoveryKey)
  assert.equal(log.secretKey && hex(log.secretKey), want.secretKey)
}

/** What is named holds these bytes (nothing: empty or absent; null: absent), and nothing else is there. */
async function checkFiles(folder: MemoryFolder, want: Files): Promise<void> {
  const stored = Object.fromEntries(
    [...folder.snapshot()].map(([name, bytes]) => [name, hex(bytes)]),
  )
  for (const [name, bytes] of Object.entries(want))
    assert.equal(stored[name] ?? '', bytes ?? '', name)
  for (const name of Object.keys(stored)) assert.ok(stored[name] === '' || name in want, name)
}

async function checkDrive(
  store: Store,
  options: DriveOptions,
  want: Partial<DriveKeys>,
): Promise<void> {
  const drive = new Drive(store, options)
  await drive.ready()
  const content = await drive.getContent()
  const header = await drive.metadata?.get(0)
  assert.equal(hex(header), want.header)
  if (want.metadataKey !== undefined) assert.equal(hex(drive.key), want.metadataKey)
  if (want.contentKey !== undefined) assert.equal(hex(content.key), want.contentKey)
  await drive.close()
}

function hex(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex')
}
