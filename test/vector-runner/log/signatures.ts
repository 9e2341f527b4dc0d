/** Vectors of what a log signs at every length: `log/signatures`. */
import assert from 'node:assert/strict'
import { copy, fromHex, toHex } from '../../../src/bytes.ts'
import { sign, signingKeyPair } from '../../../src/crypto.ts'
import { TreeBuilder, signable, treeHash, verifySignature } from '../../../src/merkle/index.ts'
import type { VectorKind } from '../vector.ts'
import { type KeyPairSpec, type NodeSpec, keyPairOf, nodeSpec } from './notation.ts'

type Candidate = 'signature' | 'legacySignature' | 'flipped' | 'otherKey' | 'wrongLength'

interface Case {
  readonly length: number
  readonly byteLength: number
  readonly roots: readonly NodeSpec[]
  readonly treeHash: string
  readonly signable: string
  readonly signature: string
  readonly legacySignature?: string
  /** `true` or a text of the reference. */
  readonly verify?: Readonly<Partial<Record<Candidate, true | string>>>
}

export const kind: VectorKind = {
  name: 'log/signatures',
  *cases(file) {
    const keyPair = file.json['keyPair'] as KeyPairSpec
    const blocks = (file.json['blocks'] as readonly string[]).map(fromHex)
    for (const each of file.json.cases as readonly Case[]) {
      yield { name: `length ${each.length}`, run: () => check(each, keyPair, blocks) }
    }
  },
}

function check(each: Case, keys: KeyPairSpec, blocks: readonly Uint8Array[]): void {
  const { publicKey, secretKey } = keyPairOf(keys)
  const { length, roots, byteLength } = new TreeBuilder().append(blocks.slice(0, each.length))
  assert.deepEqual(
    { length, byteLength, roots: roots.map(nodeSpec) },
    { length: each.length, byteLength: each.byteLength, roots: each.roots },
  )
  const hash = treeHash(roots)
  const message = signable(hash, length)
  assert.equal(toHex(hash), each.treeHash)
  assert.equal(toHex(message), each.signable)
  const signature = sign(message, secretKey)
  assert.equal(toHex(signature), each.signature)

  const candidates: Record<Candidate, Uint8Array> = {
    signature,
    legacySignature: sign(hash, secretKey),
    flipped: flipped(signature),
    otherKey: sign(message, signingKeyPair(new Uint8Array(32).fill(1)).secretKey),
    wrongLength: sign(signable(hash, length + 1), secretKey),
  }
  if (each.legacySignature !== undefined) {
    assert.equal(toHex(candidates.legacySignature), each.legacySignature)
  }
  for (const [name, expected] of Object.entries(each.verify ?? {})) {
    const candidate = candidates[name as Candidate]
    assert.equal(verifySignature(candidate, hash, length, publicKey), expected === true, name)
  }
}

function flipped(signature: Uint8Array): Uint8Array {
  const bytes = copy(signature)
  bytes[10] = (bytes[10] ?? 0) ^ 1
  return bytes
}
