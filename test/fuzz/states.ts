/**
 * Targets that are more than a call: what they give is held against what must be true of it.
 *
 * @module
 */
import { concat, equals, fromUtf8, toHex } from '../../src/bytes.ts'
import { exchangeKeyPair } from '../../src/crypto.ts'
import { decodeRle, encodeRle, Log } from '../../src/log/index.ts'
import {
  digest,
  planProof,
  planVerify,
  SparseNodeSet,
  verifyProof,
} from '../../src/merkle/index.ts'
import type { TreeNode } from '../../src/merkle/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import { varintLength } from '../../src/varint.ts'
import type { OutgoingMessages } from '../../src/wire/channel.ts'
import { decode } from '../../src/wire/decode.ts'
import { RemoteState } from '../../src/wire/exchange/remote-state.ts'
import { FrameParser } from '../../src/wire/frame.ts'
import { Handshake } from '../../src/wire/handshake.ts'
import { Outbox } from '../../src/wire/outbox.ts'
import { below } from './input.ts'
import { blockOf, Finding, KEYS, LENGTH, openLog, payloadOf, varint, varintAt } from './target.ts'
import type { Target } from './target.ts'

/** A value is what it was, in the shortest form too. */
export function varints(): Target {
  return {
    name: 'varint',
    valid: [0, 127, 128, 2 ** 32, 2 ** 53 - 1].map(varint),
    run(bytes) {
      const read = varintAt(bytes, 0)
      if (read === null) return
      if (!Number.isSafeInteger(read.value) || read.end > bytes.length)
        throw new Finding(`${read.value}`)
      const again = varint(read.value)
      if (varintAt(again, 0)?.value !== read.value) throw new Finding('another value')
      if (again.length !== varintLength(read.value)) throw new Finding('another length')
    },
  }
}

/** Chunks may end anywhere, and be read through a cipher: the frames are the same. */
export function frames(isLarge = false): Target {
  const outbox = new Outbox()
  outbox.message(1, 'Have', { start: 4 })
  outbox.message(200, 'Data', { index: 1, value: new Uint8Array(300) })
  outbox.ping()
  outbox.extension(0, 3, fromUtf8('hello'))
  const largest = isLarge ? 20_000 : 50
  for (let i = isLarge ? 2 : 0; i > 0; i--) {
    outbox.message(1, 'Data', { index: i, value: new Uint8Array(40_000) })
  }
  const write = (from: Uint8Array, to: Uint8Array): void => to.set(from)
  const parse = (chunks: readonly Uint8Array[]): { seen: string[]; error: unknown } => {
    const seen: string[] = []
    const parser = new FrameParser((channel, type, bytes, start, end) => {
      seen.push(`${channel} ${type} ${toHex(bytes.subarray(start, end))}`)
      return seen.length < 1000
    })
    try {
      for (const chunk of chunks) {
        if (chunks.length > 1) parser.receiveThrough(chunk, write)
        else parser.receive(chunk)
      }
    } catch (error) {
      return { seen, error }
    }
    return { seen, error: null }
  }
  return {
    name: isLarge ? 'large frame' : 'frame',
    valid: [outbox.take(null)],
    run(bytes, random) {
      const chunks: Uint8Array[] = []
      for (let at = 0; at < bytes.length;) {
        const end = Math.min(bytes.length, at + 1 + below(random, largest))
        chunks.push(bytes.subarray(at, end))
        at = end
      }
      const whole = parse([bytes])
      const split = parse(chunks)
      if (whole.seen.join() !== split.seen.join()) throw new Finding('other frames in chunks')
      if ((whole.error === null) !== (split.error === null))
        throw new Finding('another end in chunks')
      if (whole.error instanceof Error) throw whole.error
    },
  }
}

/** Nobody gets through it without a key. */
export function handshake(): Target {
  const begun = new Handshake({ ...setup(), initiator: true })
  begun.begin()
  return {
    name: 'handshake',
    valid: [concat([...begun.take()])],
    run(bytes) {
      const responder = new Handshake({ ...setup(), initiator: false })
      responder.receive(bytes)
      if (responder.result() !== null) throw new Finding('a handshake with nobody')
    },
  }
}

const pair = exchangeKeyPair(new Uint8Array(32).fill(5))

function setup(): Omit<ConstructorParameters<typeof Handshake>[0], 'initiator'> {
  return { keyPair: pair, ephemeral: pair, nonce: new Uint8Array(24), maxBytes: 65_535 }
}

/** Bits are bounded, and come back the same. */
export function rle(): Target {
  const mixed = Uint8Array.from({ length: 400 }, (_, i) => (i % 50 < 30 ? 0xff : i % 7))
  return {
    name: 'RLE bitfield',
    valid: [encodeRle(mixed), encodeRle(new Uint8Array(1000).fill(0xff)), Uint8Array.of(4, 1, 2)],
    run(bytes) {
      const bits = decodeRle(bytes, 131_072)
      if (bits.length > 131_072) throw new Finding(`${bits.length} bytes`)
      const again = decodeRle(encodeRle(bits), 131_072)
      if (!equals(again, bits.subarray(0, again.length))) throw new Finding('another bitfield')
    },
  }
}

/** A remote that says what it likes: the state stays small, and true to itself. */
export function have(): Target {
  return {
    name: 'Have and Unhave, many',
    valid: [concat([varint(3), varint(8192), varint(2 ** 40), varint(5)])],
    run(bytes, random) {
      const state = new RemoteState()
      for (let at = 0; at < bytes.length;) {
        const start = varintAt(bytes, at)
        const length = start && varintAt(bytes, start.end)
        if (!start || !length) return
        at = length.end
        const kind = below(random, 3)
        const span = { start: start.value, length: length.value }
        if (kind === 0) state.have({ ...span, bitfield: null, ack: false })
        else if (kind === 1) state.unhave(span)
        else state.have({ ...span, bitfield: bytes.subarray(at, at + 9), ack: false })
        const first = state.blocks.next(0, 2 ** 53)
        if (first >= 0 && !state.blocks.has(first)) throw new Finding(`block ${first}`)
        if (first >= state.length && first >= 0) throw new Finding('a block beyond its length')
      }
    },
  }
}

/** Digests of anything end, and name nodes that are there. */
export function digests(): Target {
  const set = new SparseNodeSet()
  for (let index = 0; index < LENGTH; index++) set.add(2 * index)
  return {
    name: 'digest and proof plan',
    valid: [concat([varint(3), varint(0)]), concat([varint(8), varint(2 ** 53 - 1)])],
    run(bytes, random) {
      const remoteTree = new SparseNodeSet()
      for (let at = 0; at < bytes.length;) {
        const index = varintAt(bytes, at)
        const told = index && varintAt(bytes, index.end)
        if (!index || !told) return
        at = told.end
        const plan = planProof(set, index.value, {
          digest: told.value,
          hash: random() < 0.5,
          remoteTree,
        })
        for (const node of plan?.indices ?? [])
          if (!set.has(node)) throw new Finding(`node ${node}`)
        const mine = digest(set, 2 * Math.min(index.value, 2 ** 51), 2 * LENGTH)
        if (!Number.isSafeInteger(mine)) throw new Finding(`digest ${mine}`)
      }
    },
  }
}

/** What verifies is what was signed, whatever is known already. */
export function proofs(
  genuine: readonly OutgoingMessages['Data'][],
  roots: readonly TreeNode[],
): Target {
  const known = new Map<number, TreeNode>(roots.map((node) => [node.index, node]))
  for (const { nodes } of genuine.slice(0, 9))
    for (const node of nodes ?? []) known.set(node.index, node)
  const full = new SparseNodeSet()
  for (const index of known.keys()) full.set(index)
  return {
    name: 'proof verification',
    valid: genuine.map((message) => payloadOf('Data', message)),
    run(bytes, random) {
      const proof = decode.Data(bytes)
      const isKnown = random() < 0.5
      const set = isKnown ? full : new SparseNodeSet()
      const trust = random() < 0.7
      planVerify(set, proof, { trust })
      const log = {
        key: KEYS.publicKey,
        live: true,
        length: isKnown ? LENGTH : 0,
        set,
        stored: (index: number) => known.get(index),
      }
      const { head } = verifyProof(proof, log, { trust })
      if (head && head.length !== LENGTH) throw new Finding(`a head of ${head.length}`)
      if (!proof.value) return
      const right = proof.index < LENGTH && equals(proof.value, blockOf(proof.index))
      if (!right) throw new Finding(`forged block ${proof.index}`)
    },
  }
}

/** A log whose files were written by somebody else: it opens or not, and gives no wrong byte. */
export async function folders(): Promise<Target> {
  const folder = new MemoryFolder()
  await (await openLog(folder, LENGTH)).close()
  const files = [...folder.snapshot()].filter(([, content]) => content.length > 0)
  return {
    name: 'files of a log',
    // The fault goes where the first byte says.
    valid: files.map(([, content], place) => concat([Uint8Array.of(place), content])),
    async run(bytes) {
      const place = (bytes[0] ?? 0) % files.length
      const changed = files.map(([name, content], i): [string, Uint8Array] => {
        return [name, i === place ? bytes.slice(1) : content.slice()]
      })
      const log = new Log(new MemoryFolder(changed).open, null, { durability: 'none' })
      await log.ready()
      try {
        // Another key is another log.
        const isOurs = log.key !== null && equals(log.key, KEYS.publicKey)
        const end = isOurs ? Math.min(log.length, LENGTH) : 0
        for (let index = 0; index < end; index++) {
          const block = await log.get(index, { wait: false }).catch(refusedOrThrow)
          if (block && !equals(block, blockOf(index))) throw new Finding(`wrong bytes in ${index}`)
        }
      } finally {
        await log.close()
      }
    },
  }
}

function refusedOrThrow(error: unknown): null {
  if (error instanceof Error && 'code' in error) return null
  throw error
}
