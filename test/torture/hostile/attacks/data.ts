/**
 * Attacks with Data: what was not asked for, and what does not verify.
 *
 * @module
 */
import { concat, fromUtf8 } from '../../../../src/bytes.ts'
import { sign } from '../../../../src/crypto.ts'
import { Log } from '../../../../src/log/index.ts'
import type { Proof, TreeNode } from '../../../../src/merkle/index.ts'
import { MemoryFolder } from '../../../../src/storage/index.ts'
import { ProtobufWriter } from '../../../../src/protobuf.ts'
import { MessageType } from '../../../../src/wire/messages.ts'
import { blockOf, BLOCKS, KEYS } from '../protocol.ts'
import { frame, many, said } from '../scripted-peer.ts'
import type { ScriptedPeer } from '../scripted-peer.ts'
import type { Attack, Stage } from '../stage.ts'

const INDEX = 2
const MIB = 1_048_576

interface Answer extends Proof {
  readonly index: number
  readonly value: Uint8Array | null
}

export const dataAttacks: readonly Attack[] = [
  answered('Data: another block', (right) => ({ ...right, value: blockOf(3) })),
  answered('Data: another block of the same size', (right) => ({
    ...right,
    value: flipped(right),
  })),
  answered('Data: a block that is longer', (right) => ({
    ...right,
    value: concat([blockOf(INDEX), Uint8Array.of(0)]),
  })),
  answered('Data: no block at all, but its proof', async (_right, stage) => ({
    index: INDEX,
    value: new Uint8Array(0),
    ...(await stage.writer.proof(INDEX, {})),
  })),
  answered('Data: without proof', (right) => ({ ...right, nodes: [], signature: null })),
  answered('Data: without signature', (right) => ({ ...right, signature: null })),
  answered('Data: a node less', (right) => ({ ...right, nodes: right.nodes.slice(1) })),
  answered('Data: the last node less', (right) => ({ ...right, nodes: right.nodes.slice(0, -1) })),
  answered('Data: a node more', (right) => ({
    ...right,
    nodes: [...right.nodes, { index: 2 ** 40, hash: new Uint8Array(32), size: 1 }],
  })),
  answered('Data: every node twice', (right) => ({
    ...right,
    nodes: right.nodes.flatMap((node) => [node, node]),
  })),
  answered('Data: nodes in another order', (right) => ({
    ...right,
    nodes: right.nodes.toReversed(),
  })),
  answered('Data: a size that is not', (right) => ({
    ...right,
    nodes: right.nodes.map((node, i) => (i === 0 ? { ...node, size: node.size + 1 } : node)),
  })),
  answered('Data: a size of 2 ** 53 - 1', (right) => ({
    ...right,
    nodes: right.nodes.map((node, i) => (i === 0 ? { ...node, size: 2 ** 53 - 1 } : node)),
  })),
  answered('Data: a hash that is not', (right) => ({
    ...right,
    nodes: right.nodes.map((node, i) => (i === 0 ? { ...node, hash: new Uint8Array(32) } : node)),
  })),
  answered('Data: signed by somebody else', (right) => ({
    ...right,
    signature: sign(new Uint8Array(40), KEYS.secretKey),
  })),
  answered('Data: a longer log than was signed', (right) => ({
    ...right,
    nodes: [...right.nodes, { index: 14, hash: new Uint8Array(32), size: 10 }],
  })),
  answered('Data: a log of 2 ** 50 blocks', (right) => ({
    ...right,
    nodes: [...right.nodes, { index: 2 ** 51 - 2, hash: new Uint8Array(32), size: 10 }],
  })),
  {
    // Nobody asked for that one: it is dropped, whatever it is.
    name: 'Data: the right answer under another index',
    role: 'reader',
    ends: 'open',
    async play(stage) {
      const { peer, right } = await asked(stage)
      const nodes = right.nodes.map((node) => (node.index === 6 ? { ...node, index: 4 } : node))
      peer.say(1, 'Data', { ...right, index: INDEX + 1, nodes })
      await peer.heard()
    },
  },
  {
    name: 'Data: hashes of 40 and 24 bytes',
    role: 'reader',
    ends: 'WIRE_BAD_MESSAGE',
    async play(stage) {
      const { peer, right } = await asked(stage)
      const [first, second, ...rest] = right.nodes
      const writer = new ProtobufWriter().uintField(1, INDEX).bytesField(2, right.value)
      const both = concat([first?.hash ?? new Uint8Array(0), second?.hash ?? new Uint8Array(0)])
      const nodes = [
        { index: first?.index ?? 0, hash: both.subarray(0, 40), size: first?.size ?? 0 },
        { index: second?.index ?? 0, hash: both.subarray(40), size: second?.size ?? 0 },
        ...rest,
      ]
      for (const { index, hash, size } of nodes) {
        const node = new ProtobufWriter().uintField(1, index).bytesField(2, hash).uintField(3, size)
        writer.bytesField(3, node.finish())
      }
      peer.write(frame(1, MessageType.Data, writer.bytesField(4, right.signature).finish()))
      await peer.closed
    },
  },
  {
    name: 'Data: a forged block under genuine roots (Q38)',
    role: 'waiting',
    ends: 'WIRE_BAD_DATA',
    async play(stage) {
      const { peer } = await asked(stage)
      await insist(peer, await underRoots(stage, flipped({ value: blockOf(INDEX) })))
    },
  },
  {
    name: 'Data: a forged hash under genuine roots (Q38)',
    role: 'waiting',
    ends: 'WIRE_BAD_DATA',
    async play(stage) {
      const { peer } = await asked(stage)
      const forged = await underRoots(stage, null)
      const leaf: TreeNode = { index: 2 * INDEX, hash: new Uint8Array(32).fill(1), size: 5 }
      await insist(peer, { ...forged, nodes: [leaf, ...forged.nodes] })
    },
  },
  {
    name: 'Data: sizes of two leaves shifted',
    role: 'reader',
    ends: 'open',
    async play(stage) {
      const { peer } = await asked(stage)
      const { nodes, signature } = await stage.writer.proof(INDEX, { hash: true })
      const shifted = nodes.map((node, i) => {
        return i < 2 ? { ...node, size: node.size + (i === 0 ? 3 : -3) } : node
      })
      peer.say(1, 'Data', { index: INDEX, nodes: shifted, signature })
      await peer.heard()
    },
  },
  {
    name: 'Data: the hash of one block for another',
    role: 'reader',
    ends: 'WIRE_BAD_DATA',
    async play(stage) {
      const { peer } = await asked(stage)
      const proof = await stage.writer.proof(5, { hash: true })
      peer.say(1, 'Data', { index: INDEX, ...proof })
      await peer.closed
    },
  },
  {
    name: 'Data: an older signature, replayed',
    role: 'waiting',
    ends: ['WIRE_BAD_DATA', 'open'],
    async play(stage) {
      const { peer } = await asked(stage)
      const old = await logOf(allOf(4))
      peer.say(1, 'Data', { index: INDEX, value: blockOf(INDEX), ...(await old.proof(INDEX, {})) })
      await old.close()
      await peer.heard()
    },
  },
  {
    name: 'Data: another history, signed with the same key',
    role: 'waiting',
    // Whoever holds the other copy may be honest: the log says what it saw, and stays as it was.
    ends: 'open',
    forksAt: INDEX,
    async play(stage) {
      const { peer } = await asked(stage)
      const fork = await logOf(
        allOf(BLOCKS + 1).map((block, i) => (i === INDEX ? flipped({ value: block }) : block)),
      )
      const value = flipped({ value: blockOf(INDEX) })
      const answer = { index: INDEX, value, ...(await fork.proof(INDEX, {})) }
      await fork.close()
      const before = peer.frames
      peer.say(1, 'Data', answer)
      // It says that it gives nothing any more.
      await peer.until(() => peer.frames > before)
    },
  },
  {
    name: 'Data that nobody asked for, 20 000 times',
    role: 'reader',
    ends: 'WIRE_LIMIT',
    async play(stage) {
      const peer = await stage.entered()
      const data = said(1, 'Data', {
        index: 4,
        value: blockOf(4),
        ...(await stage.writer.proof(4, {})),
      })
      peer.write(many(20_000, () => data))
      await peer.closed
    },
  },
  {
    name: 'Data that nobody asked for, 8 MiB each',
    role: 'reader',
    ends: ['WIRE_LIMIT', 'open'],
    async play(stage) {
      const peer = await stage.entered()
      for (let i = 0; i < 4; i++) {
        peer.say(1, 'Data', { index: 4, value: new Uint8Array(8 * MIB - 100) })
        await peer.flushed()
      }
      await peer.heard()
    },
  },
  {
    name: 'Data with 100 000 nodes',
    role: 'reader',
    ends: ['WIRE_LIMIT', 'WIRE_BAD_MESSAGE', 'WIRE_BAD_DATA'],
    async play(stage) {
      const { peer } = await asked(stage)
      const nodes = Array.from({ length: 100_000 }, (_, i) => ({
        index: i,
        hash: new Uint8Array(32),
        size: 1,
      }))
      peer.say(1, 'Data', { index: INDEX, value: blockOf(INDEX), nodes })
      await peer.closed
    },
  },
  {
    name: 'proofs that nobody asked for, 20 000 times',
    role: 'reader',
    ends: 'WIRE_LIMIT',
    async play(stage) {
      const peer = await stage.entered()
      const proofs: Uint8Array[] = []
      for (let index = 0; index < BLOCKS; index++) {
        proofs.push(
          said(1, 'Data', { index, ...(await stage.writer.proof(index, { hash: true })) }),
        )
      }
      peer.write(many(20_000, (i) => proofs[i % BLOCKS] ?? new Uint8Array(0)))
      await peer.closed
    },
  },
  {
    name: 'blocks pushed with proofs that do not verify',
    role: 'pushed',
    ends: 'WIRE_BAD_DATA',
    async play(stage) {
      const peer = await stage.entered()
      const proof = await stage.writer.proof(4, {})
      peer.say(1, 'Data', { index: 4, value: blockOf(3), ...proof })
      await peer.closed
    },
  },
]

/** The victim asks for a block, and gets what `forge` makes of the right answer. */
function answered(
  name: string,
  forge: (right: Answer, stage: Stage) => Answer | Promise<Answer>,
): Attack {
  return {
    name,
    role: 'reader',
    ends: 'WIRE_BAD_DATA',
    async play(stage) {
      const { peer, right } = await asked(stage)
      peer.say(1, 'Data', await forge(right, stage))
      await peer.closed
    },
  }
}

/** A peer that was asked for the block which the victim waits for, and the right answer. */
async function asked(stage: Stage): Promise<{ peer: ScriptedPeer; right: Answer }> {
  const peer = await stage.entered()
  peer.say(1, 'Have', { start: INDEX })
  await peer.until(() => peer.requests.some(({ index }) => index === INDEX))
  const proof = await stage.writer.proof(INDEX, {})
  return { peer, right: { index: INDEX, value: blockOf(INDEX), ...proof } }
}

/**
 * Give this answer as often as it is asked for: the first time the victim may think that its own disk is at fault, and
 * asks anew.
 */
async function insist(peer: ScriptedPeer, answer: Answer): Promise<void> {
  for (let told = 0; peer.isOpen;) {
    while (told < peer.requests.length) {
      peer.say(1, 'Data', answer)
      told++
    }
    // oxlint-disable-next-line no-await-in-loop
    await peer.until(() => peer.requests.length > told)
  }
}

/** The roots of the log, genuinely signed, as the proof of any block. */
async function underRoots(stage: Stage, value: Uint8Array | null): Promise<Answer> {
  const nodes = await stage.writer.rootHashes(BLOCKS - 1)
  const { signature } = await stage.writer.signature(BLOCKS - 1)
  return { index: INDEX, value, nodes, signature }
}

function flipped({ value }: { readonly value: Uint8Array | null }): Uint8Array {
  const bytes = Uint8Array.from(value ?? fromUtf8('?'))
  bytes[0] = (bytes[0] ?? 0) ^ 1
  return bytes
}

function allOf(length: number): Uint8Array[] {
  return Array.from({ length }, (_, index) => blockOf(index))
}

/** A log with the victim's key and other blocks. */
async function logOf(blocks: readonly Uint8Array[]): Promise<Log> {
  const { publicKey, secretKey } = KEYS
  const log = new Log(new MemoryFolder().open, publicKey, { secretKey, durability: 'none' })
  await log.append(blocks)
  return log
}
