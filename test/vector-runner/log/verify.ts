/** Vectors of messages that a replica accepts and refuses: `log/verify`. */
import assert from 'node:assert/strict'
import { copy, equals, fromHex } from '../../../src/bytes.ts'
import { type BlockProof, MerkleError, leafNode } from '../../../src/merkle/index.ts'
import { Replica, Source } from '../../merkle/models.ts'
import { differenceFor } from '../rules.ts'
import type { VectorKind } from '../vector.ts'
import { type KeyPairSpec, type MessageSpec, keyPairOf, messageOf } from './notation.ts'

type SourceName = 'three' | 'seven' | 'eleven' | 'fork'

interface Case {
  readonly name: string
  readonly pre: readonly {
    readonly source: SourceName
    readonly index: number
    readonly hash: boolean
  }[]
  readonly message: MessageSpec
  readonly before: { readonly length: number; readonly byteLength: number }
  readonly result: 'ok' | 'error'
  readonly after: {
    readonly length: number
    readonly byteLength: number
    readonly treeBits: readonly number[]
    readonly dataBits: readonly number[]
  }
}

export const kind: VectorKind = {
  name: 'log/verify',
  *cases(file) {
    const keyPair = keyPairOf(file.json['keyPair'] as KeyPairSpec)
    const blocks = (file.json['blocks'] as readonly string[]).map(fromHex)
    const forked = blocks.map((block) => {
      const bytes = copy(block)
      if (bytes.length > 0) bytes[0] = 255 - (bytes[0] ?? 0)
      return bytes
    })
    const sources: Record<SourceName, Source> = {
      three: new Source(blocks.slice(0, 3), keyPair),
      seven: new Source(blocks.slice(0, 7), keyPair),
      eleven: new Source(blocks, keyPair),
      fork: new Source(forked, keyPair),
    }
    for (const each of file.json.cases as readonly Case[]) {
      yield { name: each.name, run: () => check(each, sources, keyPair.publicKey) }
    }
  },
}

function check(each: Case, sources: Record<SourceName, Source>, key: Uint8Array): void {
  const replica = new Replica(key)
  for (const { source, index, hash } of each.pre) {
    replica.accept(sources[source].prove(index, { digest: replica.digest(index), hash }))
  }
  const { length, byteLength } = replica
  assert.deepEqual({ length, byteLength }, each.before)

  const message = messageOf(each.message)
  const before = stateOf(replica)
  const contradicted = contradicts(message, replica)
  const refusal = refusalOf(replica, message)
  if (each.result === 'ok' && refusal === 'MERKLE_FORK') {
    const rule = differenceFor({ op: 'accept', args: [{ contradicted }] })
    assert.deepEqual(rule?.answer, { type: 'error', code: refusal })
    assert.deepEqual(stateOf(replica), before, 'unchanged')
    return
  }
  assert.equal(refusal === null ? 'ok' : 'error', each.result, refusal ?? 'accepted')
  assert.deepEqual(stateOf(replica), each.after)
}

/** The code with which a message is refused, or `null`. */
function refusalOf(replica: Replica, message: BlockProof): string | null {
  try {
    replica.accept(message)
    return null
  } catch (error) {
    if (error instanceof MerkleError) return error.code
    throw error
  }
}

/** Whether a message holds a node, or its block a leaf, with another hash than the replica's. */
function contradicts(message: BlockProof, replica: Replica): boolean {
  const nodes = [...message.nodes]
  if (message.value) nodes.push(leafNode(message.index, message.value))
  return nodes.some((node) => {
    const known = replica.nodes.get(node.index)
    return known !== undefined && !equals(known.hash, node.hash)
  })
}

function stateOf({ length, byteLength, set, blocks }: Replica): Case['after'] {
  const treeBits = []
  const dataBits = []
  for (let i = 0; i < 30; i++) if (set.has(i)) treeBits.push(i)
  for (let i = 0; i < 15; i++) if (blocks.has(i)) dataBits.push(i)
  return { length, byteLength, treeBits, dataBits }
}
