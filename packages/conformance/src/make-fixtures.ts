/**
 * Writes the folders that the kit ships: `node dist/make-fixtures.js`, part of its build.
 *
 * @module
 */
import { cpSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Log } from 'varve/log'
import {
  blockOf,
  FIXTURE_DRIVE,
  FIXTURE_LOG,
  FIXTURE_PARTIAL,
  FIXTURES,
  fixtureLog,
  KEYS,
  LENGTH,
  PARTIAL_BLOCKS,
} from './peer/fixture.ts'
import { PartialLog } from './reference-log.ts'
import { VECTORS } from './vectors/vector-case.ts'

rmSync(FIXTURES, { recursive: true, force: true })
const { publicKey, secretKey } = KEYS
const options = { durability: 'none', exact: true } as const
const log = new Log(FIXTURE_LOG, publicKey, { ...options, secretKey, storeSecretKey: false })
for (let index = 0; index < LENGTH; index++) await log.append(blockOf(index))
await log.close()

const whole = fixtureLog()
const copy = new PartialLog(publicKey)
const partial = new Log(FIXTURE_PARTIAL, publicKey, { ...options, sparse: true })
for (const index of PARTIAL_BLOCKS) {
  const message = whole.prove(index, { digest: copy.digest(index) })
  copy.accept(message)
  const [error] = await partial.receive([message], null)
  if (error) throw error
}
await partial.close()

cpSync(join(VECTORS, 'drive/disk/plain'), FIXTURE_DRIVE, { recursive: true })
for (const folder of [FIXTURE_LOG, FIXTURE_PARTIAL]) {
  if (!existsSync(join(folder, 'tree'))) throw new Error(`${folder} was not written`)
}
