/**
 * The log: hashes, keys, signatures, numbering, run-length coding.
 *
 * @see docs/protocol/10-log.md 2
 * @module
 */
import type { Hex, NodeJson, Operations } from '../operations.ts'
import { asks, recorded, refuses, slug, type VectorCase } from './vector-case.ts'

type BlockSpec =
  | { readonly hex: string }
  | { readonly utf8: string }
  | { readonly fill: number; readonly length: number }

function blockHex(spec: BlockSpec): Hex {
  if ('hex' in spec) return spec.hex
  if ('utf8' in spec) return Buffer.from(spec.utf8).toString('hex')
  return Buffer.alloc(spec.length, spec.fill).toString('hex')
}

/** The hashes of leaves, parents and roots. */
export function* hashCases(): Iterable<VectorCase> {
  type HashCase =
    | { op: 'leaf'; data: BlockSpec; size: number; hash: Hex }
    | { op: 'parent'; first: NodeJson; second: NodeJson; size: number; hash: Hex }
    | { op: 'tree'; length: number; roots: NodeJson[]; hash: Hex; signable: Hex }
  const topic = { id: 'log.hash', section: '10-log 2.2' }
  for (const [i, each] of recorded<HashCase>('log/hashes').cases.entries()) {
    if (each.op === 'leaf') {
      const { size, hash } = each
      const title = `a leaf of ${size} bytes is hashed as 00, its size, the block`
      yield asks(topic, i, title, 'leaf', { data: blockHex(each.data) }, { hash, size })
    } else if (each.op === 'parent') {
      const { first, second, size, hash } = each
      const title = `a parent of ${size} bytes is hashed as 01, the sum of sizes, left, right`
      yield asks(topic, i, title, 'parent', { first, second }, { hash, size })
    } else {
      const { roots, length, hash } = each
      const title = `the tree hash of ${length} blocks goes over ${roots.length} roots as 02, hash, index, size`
      yield asks(topic, i, title, 'tree', { roots }, { hash })
      const signed = { id: 'log.signable', section: '10-log 2.4' }
      const bytes = each.signable
      const text = `what is signed at ${length} blocks is the tree hash and the length, 40 bytes`
      yield asks(signed, i, text, 'signable', { hash, length }, { bytes })
    }
  }
}

/** Key pairs and what is derived. */
export function* keyCases(): Iterable<VectorCase> {
  type KeyCase =
    | { op: 'keyPair'; seed: Hex; publicKey: Hex; secretKey: Hex; discoveryKey: Hex }
    | { op: 'discoveryKey'; publicKey: Hex; discoveryKey: Hex }
    | { op: 'derive'; namespace: string; masterKey: Hex; name: BlockSpec; derivedSeed: Hex }
    | { op: 'validateKeyPair' }
  const topic = { id: 'log.key', section: '10-log 2.3' }
  for (const [i, each] of recorded<KeyCase>('log/keys').cases.entries()) {
    if (each.op === 'keyPair') {
      const { publicKey, secretKey, discoveryKey, seed } = each
      const title =
        'a seed of 32 bytes gives the Ed25519 pair, the secret key ending in the public one'
      yield asks(topic, i, title, 'keyPair', { seed }, { publicKey, secretKey })
      const text = 'the discovery key is the hash of "hypercore" keyed by the public key'
      yield asks(topic, `${i}-dk`, text, 'discoveryKey', { publicKey }, { discoveryKey })
    } else if (each.op === 'discoveryKey') {
      const { publicKey, discoveryKey } = each
      const title = 'the discovery key is the hash of "hypercore" keyed by the public key'
      yield asks(topic, i, title, 'discoveryKey', { publicKey }, { discoveryKey })
    } else if (each.op === 'derive') {
      const { masterKey, namespace, derivedSeed } = each
      const args = { masterKey, namespace, name: blockHex(each.name) }
      const title = 'a name in a namespace gives the seed that the master key says'
      yield asks(topic, i, title, 'deriveSeed', args, { seed: derivedSeed })
    }
  }
}

/** Signatures of every length. */
export function* signatureCases(): Iterable<VectorCase> {
  interface SignatureCase {
    length: number
    treeHash: Hex
    signable: Hex
    signature: Hex
    legacySignature?: Hex
  }
  const topic = { id: 'log.signature', section: '10-log 2.4' }
  const json = recorded<SignatureCase>('log/signatures')
  const { publicKey, secretKey } = json['keyPair'] as { publicKey: Hex; secretKey: Hex }
  for (const [i, each] of json.cases.entries()) {
    const { length, treeHash: hash, signature, legacySignature } = each
    const args = { secretKey, message: each.signable }
    yield asks(
      topic,
      `${length}-sign`,
      `the head at ${length} blocks is signed by Ed25519`,
      'sign',
      args,
      {
        signature,
      },
    )
    if (i % 4 !== 0) continue
    const verify = (
      signed: Hex,
      at = length,
      key = publicKey,
    ): Operations['verifyHead']['args'] => ({
      publicKey: key,
      hash,
      length: at,
      signature: signed,
    })
    const flipped = `${signature.slice(0, 21)}${(Number.parseInt(signature.slice(21, 22), 16) ^ 1).toString(16)}${signature.slice(22)}`
    for (const [name, text, question, valid] of [
      ['good', 'is accepted', verify(signature), true],
      ['flipped', 'with one bit flipped is refused', verify(flipped), false],
      ['longer', 'is refused for another length', verify(signature, length + 1), false],
      ['key', 'is refused for another key', verify(signature, length, '01'.repeat(32)), false],
      ['short', 'of 63 bytes is refused', verify(signature.slice(2)), false],
    ] as const) {
      const title = `the signature of ${length} blocks ${text}`
      yield asks(topic, `${length}-${name}`, title, 'verifyHead', question, { valid })
    }
    if (legacySignature === undefined) continue
    const title = `a signature of the bare tree hash at ${length} blocks is accepted, as old logs have it`
    yield asks(topic, `${length}-bare`, title, 'verifyHead', verify(legacySignature), {
      valid: true,
    })
  }
}

/** The numbering of tree nodes. */
export function* flatTreeCases(): Iterable<VectorCase> {
  type TreeCase =
    | ({ op: 'node'; index: number } & Operations['flatTree']['result'])
    | { op: 'fullRoots'; index: number; roots?: number[] }
    | { op: 'index' | 'iterator' }
  const topic = { id: 'log.tree', section: '10-log 2.1' }
  for (const [i, each] of recorded<TreeCase>('log/flat-tree').cases.entries()) {
    if (each.op === 'node') {
      const { index, depth, offset, parent, sibling, children, leftSpan, rightSpan, count } = each
      const result = { depth, offset, parent, sibling, children, leftSpan, rightSpan, count }
      const title = `node ${index} has its depth, offset, relatives and spans`
      yield asks(topic, i, title, 'flatTree', { index }, result)
    } else if (each.op === 'fullRoots') {
      const { index, roots } = each
      const title = `the full roots before node ${index} are ${roots ? 'found' : 'refused'}`
      if (roots) yield asks(topic, i, title, 'fullRoots', { index }, { roots })
      else yield refuses(topic, i, title, 'fullRoots', { index })
    }
  }
}

/** Run-length coded bitfields, from both chapters. */
export function* bitfieldCases(): Iterable<VectorCase> {
  type RleCase =
    | { op: 'encode'; input: Hex; output: Hex }
    | { op: 'decode'; align: number; input: Hex; output?: Hex; error?: string }
  const topic = { id: 'log.rle', section: '10-log 2.7' }
  const maxBytes = 2 ** 20
  for (const [i, each] of recorded<RleCase>('log/rle').cases.entries()) {
    if (each.op === 'encode') {
      if (i % 2 === 1) continue
      const title = `${each.input.length / 2} bytes of bits are coded as the encoder rule says`
      yield asks(topic, i, title, 'encodeBitfield', { bits: each.input }, { bytes: each.output })
    } else if (each.error !== undefined) {
      const args = { bytes: each.input, maxBytes }
      yield refuses(topic, i, 'a cut or overlong coding is refused', 'decodeBitfield', args)
    } else if (each.output !== undefined && each.align === 1) {
      const args = { bytes: each.input, maxBytes }
      const title = 'a coding gives back its bytes, whatever chunks it is made of'
      yield asks(topic, i, title, 'decodeBitfield', args, { bits: each.output })
    }
  }
  type WireCase =
    | { kind: 'rle'; name: string; bitfield: Hex; encoded: Hex }
    | {
        kind: 'rle-decode'
        name: string
        encoded: Hex
        required: string
        reference: { ok: boolean }
      }
    | { kind: 'want-reply' }
  const wire = { id: 'wire.rle', section: '20-wire 2.7' }
  for (const [i, each] of recorded<WireCase>('wire/bitfield-rle').cases.entries()) {
    if (each.kind === 'rle') {
      const args = { bits: each.bitfield }
      const title = `a bitfield is coded exactly: ${each.name}`
      yield asks(wire, i, title, 'encodeBitfield', args, { bytes: each.encoded })
    } else if (each.kind === 'rle-decode' && each.required === 'reject') {
      const level = each.reference.ok ? 'project' : 'MUST'
      const args = { bytes: each.encoded, maxBytes }
      yield refuses(
        wire,
        i,
        `a broken bitfield is refused: ${each.name}`,
        'decodeBitfield',
        args,
        level,
      )
    }
  }
}

/** What a copy tells of its nodes, and which nodes answer it. */
export function* nodeSetCases(): Iterable<VectorCase> {
  interface SetCase {
    name: string
    sets: number[]
    bits: number[]
    queries: {
      index: number
      digest: number
      proofs: {
        digest: number
        hash: boolean
        nodes?: number[]
        verifiedBy?: number
        none?: true
      }[]
    }[]
  }
  const digests = { id: 'log.digest', section: '10-log 3.2' }
  const plans = { id: 'log.plan', section: '10-log 3.3' }
  // The recorder asked some nodes twice.
  const asked = new Set<string>()
  for (const [i, { name, sets: nodes, queries }] of recorded<SetCase>(
    'log/tree-index',
  ).cases.entries()) {
    for (const { index, digest, proofs } of queries) {
      const id = `${slug(name)}-${index}`
      if (index % 2 === 1 || asked.has(id)) continue
      asked.add(id)
      const title = `the digest of node ${index}, when ${name} is known, is ${digest}`
      if (index % 4 === 0) yield asks(digests, id, title, 'digest', { nodes, index }, { digest })
      for (const [k, each] of proofs.entries()) {
        if ((i + k + index / 2) % 6 !== 0) continue
        const args = { nodes, index, digest: each.digest, hash: each.hash }
        const result = each.none
          ? null
          : { nodes: each.nodes ?? [], verifiedBy: each.verifiedBy ?? 0 }
        const text = `the proof of node ${index} of ${name} for digest ${each.digest} names these nodes in this order`
        const number = `${id}-${each.digest}${each.hash ? '-hash' : ''}`
        yield asks(plans, number, text, 'planProof', args, result)
      }
    }
  }
}
