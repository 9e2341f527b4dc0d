/**
 * The drive: entries, names, link targets; the keys of a store.
 *
 * @see docs/protocol/40-drive.md 2
 * @module
 */
import { same } from '../expect.ts'
import type { Hex, StatJson } from '../operations.ts'
import { asks, recorded, refuses, slug, type VectorCase } from './vector-case.ts'

/** Entries to bytes and back. */
export function* statCases(): Iterable<VectorCase> {
  interface StatCase {
    op: 'encode' | 'decode'
    label?: string
    now: number
    hex: Hex
    decoded?: StatJson
    error?: string
    quirk?: string
  }
  const topic = { id: 'drive.stat', section: '40-drive 2.4' }
  for (const [i, each] of recorded<StatCase>('drive/stat').cases.entries()) {
    const { op, label = 'damaged', now, hex: bytes, decoded, error, quirk } = each
    const number = `${i}-${slug(label)}`
    const args = { bytes, now }
    if (quirk !== undefined) {
      const title = `bytes that v10 wrongly takes are refused (${quirk})`
      yield refuses(topic, i, title, 'decodeStat', args, 'project')
    } else if (error !== undefined) {
      yield refuses(topic, i, 'a damaged entry is refused', 'decodeStat', args)
    } else if (decoded) {
      const stat = { ...decoded, metadata: decoded.metadata ?? {} }
      const title = `an entry is read: ${op === 'encode' ? label : bytes.slice(0, 20)}`
      yield asks(topic, `${number}-read`, title, 'decodeStat', args, { stat })
      // What a decoder fills in is written where the encoder was given nothing.
      if (op === 'encode' && !decoded.mount) {
        const text = `an entry is written, zeros included: ${label}`
        yield asks(topic, number, text, 'encodeStat', { stat }, { bytes })
      }
    }
  }
}

/** Names as keys of the trie, and targets of links. */
export function* nameCases(): Iterable<VectorCase> {
  type PathCase = { input: string; quirk?: string } & (
    { op: 'write'; key: string } | { op: 'linkTarget'; stored: string | null }
  )
  const topic = { id: 'drive.path', section: '40-drive 2.5' }
  for (const [i, each] of recorded<PathCase>('drive/paths').cases.entries()) {
    if (each.quirk !== undefined) continue
    if (each.op === 'write') {
      const { input: name, key } = each
      const title = `a file written at ${JSON.stringify(name)} lies at the key ${JSON.stringify(key)}`
      yield asks(topic, i, title, 'drivePath', { name }, { key })
    } else {
      const { input: target, stored } = each
      const title = `a link to ${JSON.stringify(target)} keeps ${JSON.stringify(stored)}`
      yield asks(topic, i, title, 'linkTarget', { target }, { stored })
    }
  }
}

/** Keys of named logs. */
export function* storeCases(): Iterable<VectorCase> {
  interface StoreCase {
    op: string
    masterKey: Hex
    name: { utf8: string } | { hex: Hex }
    seed: Hex
    publicKey: Hex
    secretKey: Hex
    discoveryKey: Hex
  }
  const section = '40-drive 2.1'
  for (const [i, each] of recorded<StoreCase>('drive/corestore').cases.entries()) {
    if (each.op !== 'named') continue
    const { masterKey, name, seed, publicKey, secretKey, discoveryKey } = each
    yield {
      id: `drive.key.${i}`,
      title: 'the log of a name has the key pair of the seed that the master key and the name give',
      section,
      level: 'MUST',
      async run(subject) {
        const bytes = 'utf8' in name ? Buffer.from(name.utf8).toString('hex') : name.hex
        const args = { masterKey, namespace: 'corestore', name: bytes }
        same(await subject.ask('deriveSeed', args), { seed }, 'seed')
        same(await subject.ask('keyPair', { seed }), { publicKey, secretKey }, 'key pair')
        same(await subject.ask('discoveryKey', { publicKey }), { discoveryKey }, 'discovery key')
      },
    }
  }
}
