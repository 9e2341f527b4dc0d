/** Vectors of key pairs and what is derived from them: `log/keys`. */
import assert from 'node:assert/strict'
import { fromHex, toHex } from '../../../src/bytes.ts'
import { discoveryKey, isKeyPair, signingKeyPair } from '../../../src/crypto.ts'
import { deriveSeed } from '../../../src/store/keys.ts'
import type { VectorKind } from '../vector.ts'
import { type BlockSpec, type KeyPairSpec, blockOf } from './notation.ts'

interface Derived extends KeyPairSpec {
  readonly discoveryKey: string
}

type Case =
  | ({ readonly op: 'keyPair'; readonly seed: string } & Derived)
  | { readonly op: 'discoveryKey'; readonly publicKey: string; readonly discoveryKey: string }
  | ({
      readonly op: 'derive'
      readonly namespace: string
      readonly masterKey: string
      readonly name: BlockSpec
      readonly derivedSeed: string
    } & Derived)
  | ({ readonly op: 'validateKeyPair'; readonly valid: boolean } & KeyPairSpec)

export const kind: VectorKind = {
  name: 'log/keys',
  *cases(file) {
    for (const [i, each] of (file.json.cases as readonly Case[]).entries()) {
      yield { name: `${i} ${each.op}`, run: () => check(each) }
    }
  },
}

function check(each: Case): void {
  switch (each.op) {
    case 'keyPair':
      checkDerived(fromHex(each.seed), each)
      break
    case 'discoveryKey':
      assert.equal(toHex(discoveryKey(fromHex(each.publicKey))), each.discoveryKey)
      break
    case 'derive': {
      const seed = deriveSeed(fromHex(each.masterKey), blockOf(each.name), each.namespace)
      assert.equal(toHex(seed), each.derivedSeed)
      checkDerived(seed, each)
      break
    }
    case 'validateKeyPair':
      assert.equal(isKeyPair(fromHex(each.publicKey), fromHex(each.secretKey)), each.valid)
      break
    default:
      assert.fail(`unknown operation ${JSON.stringify(each)}`)
  }
}

function checkDerived(seed: Uint8Array, expected: Derived): void {
  const { publicKey, secretKey } = signingKeyPair(seed)
  assert.equal(toHex(publicKey), expected.publicKey)
  assert.equal(toHex(secretKey), expected.secretKey)
  assert.equal(toHex(discoveryKey(publicKey)), expected.discoveryKey)
}
