/** Vectors of capabilities. */
import { strict as assert } from 'node:assert'
import { fromHex, toHex } from '../../../src/bytes.ts'
import { discoveryKey } from '../../../src/crypto.ts'
import { ownCapability, provesKey, remoteCapability } from '../../../src/wire/capability.ts'
import { encode } from '../../../src/wire/encode.ts'
import type { VectorKind } from '../vector.ts'

interface CapabilityCase {
  readonly name: string
  readonly feedKey: string
  readonly discoveryKey: string
  /** Null, as the rest, without a handshake. */
  readonly localTx: string | null
  readonly localRx: string | null
  readonly sentByLocal: string | null
  readonly expectedFromRemote: string | null
  readonly openPayload: string
}

function run(each: CapabilityCase): void {
  const key = fromHex(each.feedKey)
  const { localTx, localRx, expectedFromRemote } = each
  assert.equal(toHex(discoveryKey(key)), each.discoveryKey)
  const open = { discoveryKey: fromHex(each.discoveryKey) }
  if (localTx === null || localRx === null || expectedFromRemote === null) {
    assert.equal(each.sentByLocal, null)
    assert.equal(toHex(encode.Open(open)), each.openPayload)
    return
  }
  const split = { tx: fromHex(localTx), rx: fromHex(localRx) }
  const mirror = { tx: split.rx, rx: split.tx }
  const own = ownCapability(split, key)
  const theirs = fromHex(expectedFromRemote)
  assert.equal(toHex(own), each.sentByLocal)
  assert.equal(toHex(remoteCapability(split, key)), expectedFromRemote)
  assert.equal(toHex(ownCapability(mirror, key)), expectedFromRemote)
  assert.ok(provesKey(split, key, theirs))
  assert.ok(!provesKey(mirror, key, theirs))
  assert.ok(!provesKey(split, key, theirs.subarray(1)))
  assert.ok(!provesKey(split, key, null))
  assert.equal(toHex(encode.Open({ ...open, capability: own })), each.openPayload)
}

/** The handler of `wire/capability`. */
export const kind: VectorKind = {
  name: 'wire/capability',
  *cases({ json }) {
    for (const each of json.cases as readonly CapabilityCase[]) {
      yield { name: each.name, run: () => run(each) }
    }
  },
}
