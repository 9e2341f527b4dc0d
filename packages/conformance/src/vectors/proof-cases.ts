/**
 * Proofs: made by a whole log, taken or refused by a copy, and seeks.
 *
 * @see docs/protocol/10-log.md 3.3, 3.4 and 3.7
 * @module
 */
import type { BlockProof } from 'varve/merkle'
import { bytesOf, hex, holds, same } from '../expect.ts'
import type { DataJson, Hex, NodeJson } from '../operations.ts'
import { PartialLog, WholeLog } from '../reference-log.ts'
import { asks, recorded, refuses, slug, type VectorCase } from './vector-case.ts'

interface Keys {
  readonly publicKey: Hex
  readonly secretKey: Hex
}

/** A message as JSON. */
export function dataJson({ index, value, nodes, signature }: BlockProof): DataJson {
  return {
    index,
    value: value ? hex(value) : null,
    nodes: nodes.map((node) => ({ index: node.index, size: node.size, hash: hex(node.hash) })),
    signature: signature ? hex(signature) : null,
  }
}

/** Which nodes and which signature answer a request. */
export function* proveCases(): Iterable<VectorCase> {
  interface ProofCase {
    length: number
    index: number
    digest: number
    hash: boolean
    nodes?: number[]
    verifiedBy?: number
    error?: string
  }
  const json = recorded<ProofCase>('log/proofs')
  const { secretKey } = json['keyPair'] as Keys
  const blocks = json['blocks'] as Hex[]
  const nodes = new Map<number, NodeJson>(
    (json['nodes'] as [number, number, Hex][]).map(([index, size, hash]) => [
      index,
      { index, size, hash },
    ]),
  )
  const signatures = json['signatures'] as Record<string, Hex>
  const topic = { id: 'log.prove', section: '10-log 3.3' }
  for (const [i, each] of json.cases.entries()) {
    const { length, index, digest, hash } = each
    if (i % 5 !== 0) continue
    const args = { secretKey, blocks: blocks.slice(0, length), index, digest, hash }
    const what = `block ${index} of ${length}, digest ${digest}${hash ? ', hash alone' : ''}`
    const number = `${length}-${index}-${digest}${hash ? '-hash' : ''}`
    if (each.error !== undefined) {
      yield asks(topic, number, `${what}: there is no proof`, 'prove', args, null)
      continue
    }
    const wanted = each.nodes?.flatMap((at) => nodes.get(at) ?? []) ?? []
    const signature = each.verifiedBy ? (signatures[String(each.verifiedBy / 2)] ?? null) : null
    const title = `${what}: the proof holds the nodes that are not known, in order${signature ? ', and the signature' : ''}`
    yield asks(topic, number, title, 'prove', args, { nodes: wanted, signature })
  }
}

/** Messages that a copy takes and refuses. */
export function* verifyCases(): Iterable<VectorCase> {
  type SourceName = 'three' | 'seven' | 'eleven' | 'fork'
  interface VerifyCase {
    name: string
    note?: string
    pre: { source: SourceName; index: number; hash: boolean }[]
    message: DataJson
    result: 'ok' | 'error'
    thrown?: boolean
    after: { length: number; byteLength: number; dataBits: number[] }
  }
  const json = recorded<VerifyCase>('log/verify')
  const keys = json['keyPair'] as Keys
  const keyPair = { publicKey: bytesOf(keys.publicKey), secretKey: bytesOf(keys.secretKey) }
  const blocks = (json['blocks'] as Hex[]).map(bytesOf)
  const forked = blocks.map((block) => {
    const other = Uint8Array.from(block)
    if (other.length > 0) other[0] = 255 - (other[0] ?? 0)
    return other
  })
  const sources: Record<SourceName, WholeLog> = {
    three: new WholeLog(keyPair, blocks.slice(0, 3)),
    seven: new WholeLog(keyPair, blocks.slice(0, 7)),
    eleven: new WholeLog(keyPair, blocks),
    fork: new WholeLog(keyPair, forked),
  }
  for (const each of json.cases) {
    const copy = new PartialLog(keyPair.publicKey)
    const before: DataJson[] = []
    for (const { source, index, hash } of each.pre) {
      const message = sources[source].prove(index, { digest: copy.digest(index), hash })
      copy.accept(message)
      before.push(dataJson(message))
    }
    const fork = each.name.startsWith('forked source')
    // A signed history that contradicts what is held: whether to take it is left open (10-log 6, Q16).
    if (fork && each.result === 'ok') continue
    const takes = each.result === 'ok'
    yield {
      id: `log.verify.${slug(each.name)}`,
      title: `a copy ${takes ? 'takes' : 'refuses'} this message: ${each.name}`,
      section: '10-log 3.4',
      level: each.thrown ? 'project' : 'MUST',
      async run(subject) {
        const messages = [...before, each.message]
        const { steps } = await subject.ask('replica', { publicKey: keys.publicKey, messages })
        holds(
          steps.length === messages.length,
          `want ${messages.length} steps, got ${steps.length}`,
        )
        for (const step of steps.slice(0, -1)) holds(step.accepted, 'a genuine message was refused')
        const last = steps.at(-1)
        same(last?.accepted, takes, 'accepted')
        same(last?.length, each.after.length, 'length afterwards')
        same(last?.byteLength, each.after.byteLength, 'byteLength afterwards')
        same(last?.held, each.after.dataBits, 'blocks held afterwards')
      },
    }
  }
}

/** Copies built message by message. */
export function* replicaCases(): Iterable<VectorCase> {
  interface ReplicaCase {
    name: string
    publicKey: Hex
    steps: {
      digest: number
      message: DataJson
      result: string
      length: number
      byteLength: number
      dataBits?: number[]
    }[]
  }
  for (const { name, publicKey, steps } of recorded<ReplicaCase>('log/replica').cases) {
    if (steps.some(({ dataBits }) => dataBits === undefined)) continue
    yield {
      id: `log.replica.${slug(name)}`,
      title: `a copy built by ${steps.length} messages tells and holds the same at every step: ${name}`,
      section: '10-log 3.4',
      level: 'MUST',
      async run(subject) {
        const messages = steps.map(({ message }) => message)
        const answer = await subject.ask('replica', { publicKey, messages })
        for (const [i, want] of steps.entries()) {
          const { digest, length, byteLength, dataBits } = want
          const expected = {
            digest,
            accepted: want.result === 'ok',
            length,
            byteLength,
            held: dataBits,
          }
          same(answer.steps[i], expected, `step ${i}`)
        }
      },
    }
  }
}

/** Finding a byte in a whole log. */
export function* seekCases(): Iterable<VectorCase> {
  interface SeekCase {
    name: string
    kind: 'full' | 'replica'
    sizes: number[]
    queries: { bytes: number; index?: number; offset?: number; error?: string }[]
  }
  const topic = { id: 'log.seek', section: '10-log 3.7' }
  for (const each of recorded<SeekCase>('log/seek').cases) {
    if (each.kind !== 'full') continue
    for (const [i, { bytes, index, offset }] of each.queries.entries()) {
      if (i % 3 !== 0 && i !== each.queries.length - 1) continue
      const args = { sizes: each.sizes, bytes }
      const number = `${slug(each.name)}-${bytes}`
      if (index === undefined || offset === undefined) {
        if (bytes < 0) continue
        yield refuses(topic, number, `byte ${bytes} of ${each.name} is out of bounds`, 'seek', args)
      } else {
        const title = `byte ${bytes} of ${each.name} lies in block ${index} at ${offset}`
        yield asks(topic, number, title, 'seek', args, { index, offset })
      }
    }
  }
}
