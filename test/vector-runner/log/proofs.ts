/** Vectors of the proofs that a growing log gives: `log/proofs`. */
import assert from 'node:assert/strict'
import { fromHex, toHex } from '../../../src/bytes.ts'
import { isKeyPair } from '../../../src/crypto.ts'
import { planProof } from '../../../src/merkle/index.ts'
import { Source } from '../../merkle/models.ts'
import type { VectorKind } from '../vector.ts'
import { type KeyPairSpec, type NodeSpec, keyPairOf, nodeSpec } from './notation.ts'

interface Case {
  readonly length: number
  readonly index: number
  readonly digest: number
  readonly hash: boolean
  readonly nodes?: readonly number[]
  readonly verifiedBy?: number
  readonly signed?: boolean
  readonly error?: string
}

interface Sample {
  readonly length: number
  readonly index: number
  readonly digest: number
  readonly nodes: readonly NodeSpec[]
  readonly signature: string
}

export const kind: VectorKind = {
  name: 'log/proofs',
  *cases(file) {
    const { json } = file
    const keyPair = keyPairOf(json['keyPair'] as KeyPairSpec)
    const blocks = (json['blocks'] as readonly string[]).map(fromHex)
    const sources = new Map<number, Source>()
    const sourceOf = (length: number): Source => {
      const source = sources.get(length) ?? new Source(blocks.slice(0, length), keyPair)
      sources.set(length, source)
      return source
    }

    const nodes = json['nodes'] as readonly [number, number, string][]
    const signatures = Object.entries(json['signatures'] as Record<string, string>)
    yield {
      name: 'the log itself',
      run() {
        assert.ok(isKeyPair(keyPair.publicKey, keyPair.secretKey))
        checkLog(sourceOf(blocks.length), nodes, signatures)
      },
    }
    const sample = json['sample'] as Sample
    yield { name: 'sample', run: () => checkSample(sourceOf(sample.length), sample) }
    for (const each of json.cases as readonly Case[]) {
      const { length, index, digest, hash } = each
      yield {
        name: `block ${index} of ${length}, digest ${digest}${hash ? ', hash' : ''}`,
        run: () => checkCase(sourceOf(length), each),
      }
    }
  },
}

function checkLog(
  source: Source,
  nodes: readonly [number, number, string][],
  signatures: readonly [string, string][],
): void {
  for (const [index, size, hash] of nodes) {
    const node = source.nodes.get(index)
    assert.deepEqual(node && nodeSpec(node), { index, size, hash })
  }
  for (const [length, signature] of signatures) {
    assert.equal(toHex(source.signatures.get(Number(length)) ?? new Uint8Array(0)), signature)
  }
}

function checkSample(source: Source, { index, digest, nodes, signature }: Sample): void {
  const proof = source.prove(index, { digest })
  assert.deepEqual(proof.nodes.map(nodeSpec), nodes)
  assert.equal(proof.signature && toHex(proof.signature), signature)
}

function checkCase(source: Source, each: Case): void {
  const { index, digest, hash } = each
  const plan = planProof(source.set, 2 * index, { digest, hash })
  if (each.error !== undefined) {
    assert.equal(plan, null)
    return
  }
  assert.deepEqual(plan, { indices: each.nodes, verifiedBy: each.verifiedBy })
  assert.equal(source.prove(index, { digest, hash }).signature !== null, each.signed)
}
