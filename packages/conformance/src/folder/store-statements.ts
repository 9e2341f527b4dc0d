/**
 * What the chapters say of the folder of a store.
 *
 * @see docs/protocol/40-drive.md 2.1 and 2.2
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { discoveryKey, signingKeyPair } from 'varve/crypto'
import { deriveSeed } from 'varve/store'
import { type Case, Refuted, Skip } from '../case.ts'
import { hex } from '../expect.ts'
import { varintAt } from '../protobuf-fields.ts'
import { eachDrive, eachLog, statement } from './statement.ts'
import type { StoredFolder } from './stored-folder.ts'
import type { StoredLog } from './stored-log.ts'

const named = ({ nameFile }: StoredLog): boolean => nameFile !== null && nameFile.length > 1
const inStore = ({ name }: StoredLog): boolean => name !== '.'

/** The statements. */
export function* storeStatements(): Iterable<Case<StoredFolder>> {
  yield statement(
    'store.master-key',
    '40-drive 2.2',
    'master_key holds 32 bytes',
    'MUST',
    (folder) => {
      if (!folder.masterKey) throw new Skip('the folder holds no master_key')
      if (folder.masterKey.length !== 32) throw new Refuted(`${folder.masterKey.length} bytes`)
    },
  )
  yield statement(
    'store.wanted',
    '40-drive 2.2',
    'the log of the named key is here',
    'MUST',
    (folder) => {
      const { wanted } = folder
      if (wanted === null) throw new Skip('no key was named')
      const some = folder.logs.some(({ key }) => key && hex(key) === wanted)
      if (!some) throw new Refuted(`there is no log of ${wanted}`)
    },
  )
  yield eachLog(
    'store.place',
    '40-drive 2.2',
    'a log lies in the folder of its discovery key, two times two digits above it',
    ({ key, name }) => {
      const digits = hex(discoveryKey(key ?? new Uint8Array(32)))
      const wanted = join(digits.slice(0, 2), digits.slice(2, 4), digits)
      return name.endsWith(wanted) ? null : `its place is ${wanted}`
    },
    inStore,
  )
  yield eachLog(
    'store.name-form',
    '40-drive 2.2',
    'the file name is the length of a name and the name, and nothing more',
    ({ nameFile }) => {
      const { value, end } = varintAt(nameFile ?? new Uint8Array(), 0)
      return end + value === nameFile?.length ? null : `${value} in ${nameFile?.length} bytes`
    },
    named,
  )
  yield eachLog(
    'store.name-key',
    '40-drive 2.1',
    'the key of a named log is derived from the master key and its name',
    ({ key, nameFile }, { masterKey }) => {
      if (!masterKey) throw new Skip('the folder holds no master_key')
      const file = nameFile ?? new Uint8Array()
      const { publicKey } = signingKeyPair(
        deriveSeed(masterKey.subarray(0, 32), file.subarray(varintAt(file, 0).end), 'corestore'),
      )
      const wanted = hex(publicKey)
      return hex(key ?? new Uint8Array()) === wanted ? null : `want the key ${wanted}`
    },
    named,
  )
  yield eachLog(
    'store.name-no-secret',
    '40-drive 2.2',
    'a named log stores no secret key',
    ({ secretKey }) => (secretKey ? 'there is one' : null),
    named,
  )
  yield eachLog(
    'store.headers',
    '10-log 2.5',
    'tree, signatures and bitfield are there from the first opening on',
    ({ folder }) =>
      ['tree', 'signatures', 'bitfield'].find((file) => !existsSync(join(folder, file))) ?? null,
  )
  yield eachDrive(
    'store.content-name',
    '40-drive 2.1',
    'the content log is named after the key of the metadata log, and -content',
    ({ metadata, content }) => {
      const file = content?.nameFile
      if (!content || !file || !named(content)) throw new Skip('the content log has no name')
      const name = Buffer.from(file.subarray(varintAt(file, 0).end)).toString('latin1')
      return name === `${hex(metadata.key ?? new Uint8Array())}-content` ? null : `it is ${name}`
    },
  )
}
