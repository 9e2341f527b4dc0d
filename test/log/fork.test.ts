/** What proves a fork, where it is kept, and what is not taken for one. */
import t from 'tap'
import { fromUtf8, toUtf8 } from '../../src/bytes.ts'
import { signingKeyPair } from '../../src/crypto.ts'
import { Log } from '../../src/log/index.ts'
import type { ForkEvidence } from '../../src/log/index.ts'
import { decodeFork, encodeFork } from '../../src/log/fork-file.ts'
import { commonLength, isFork, isSignedNode, SparseNodeSet } from '../../src/merkle/index.ts'
import type { SignedNode } from '../../src/merkle/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import { blocksOf, copyOf, message, Notes, writer } from './logs.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

interface Forked {
  readonly one: Log
  readonly two: Log
  readonly copy: Log
  readonly folder: MemoryFolder
  readonly heard: ForkEvidence[]
}

/** A copy of `one`, and `two` with the same key, which shares `common` blocks with it. */
async function forked(common: number, ours: number, theirs: number): Promise<Forked> {
  const { publicKey, secretKey } = signingKeyPair()
  const open = (): Log => new Log(new MemoryFolder().open, publicKey, { secretKey })
  const [one, two] = [open(), open()]
  await one.append(blocksOf(ours, 1))
  if (common > 0) await two.append(blocksOf(common, 1))
  await two.append(blocksOf(theirs - common, 100))
  const { copy, folder } = await copyOf(one)
  copy.attach(new Notes())
  for (let index = 0; index < ours; index++) {
    await copy.receive([await message(one, copy, index)], null)
  }
  const heard: ForkEvidence[] = []
  copy.on('fork', (evidence) => heard.push(evidence))
  return { one, two, copy, folder, heard }
}

async function close({ one, two, copy }: Forked): Promise<void> {
  await Promise.all([one.close(), two.close(), copy.close()])
}

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(
    () => undefined,
    (error: { code?: string }) => error.code,
  )
}

t.test(
  'evidence proves itself, is kept beside the log, and is there after reopening',
  async (t) => {
    const all = await forked(4, 6, 9)
    const { two, copy, folder, heard } = all
    const [error] = await copy.receive([await message(two, copy, 5, { digest: 0 })], null)
    t.equal(error?.code, 'LOG_FORK')
    const [evidence] = heard
    const { key } = copy
    if (!evidence || !key) throw new Error('no evidence')
    t.ok(isFork(evidence.ours, evidence.theirs, key))
    t.equal(evidence.commonLength, 4)
    t.equal(evidence.ours.length, 6)
    t.equal(evidence.theirs.length, 9)
    await copy.close()
    const again = new Log(folder.open, null, { sparse: true })
    await again.ready()
    t.same(again.fork, evidence)
    t.equal(again.length, 6)
    t.same(await again.audit(), { valid: 6, invalid: 0 })
    await again.clear(1)
    const waits = again.get(1, { timeout: 1 })
    t.equal(await codeOf(waits), 'ETIMEDOUT', 'what both share is waited for')
    await again.clear(5)
    t.equal(await codeOf(again.get(5)), 'LOG_FORK', 'what they do not share is not')
    t.equal(await codeOf(again.seek(1000)), 'LOG_FORK')
    t.equal(await codeOf(again.update()), 'LOG_FORK')
    t.equal(await codeOf(again.download({ start: 0, end: 6 }).done), 'LOG_FORK')
    t.equal(await codeOf(again.download({ start: 2, end: 4 }).done), undefined)
    t.equal(await codeOf(again.download([0, 2, 4]).done), undefined, 'unless it is here')
    await again.destroy()
    t.notOk([...folder.snapshot().values()].some((bytes) => bytes.length > 0))
    await close(all)
  },
)

t.test(
  'whoever waits when a fork is found hears of it, and common blocks still come',
  async (t) => {
    const all = await forked(4, 6, 9)
    const { one, two, copy, heard } = all
    await copy.clear(2)
    const outcomes = Promise.all([
      codeOf(copy.get(7)),
      codeOf(copy.update()),
      codeOf(copy.seek(10_000)),
      codeOf(copy.download().done),
    ])
    const common = copy.get(2)
    await new Promise((resolve) => setImmediate(resolve))
    await copy.receive([await message(two, copy, 5, { digest: 0 })], null)
    t.same(await outcomes, ['LOG_FORK', 'LOG_FORK', 'LOG_FORK', 'LOG_FORK'])
    t.same([...copy.wishes.waiting], [{ type: 'block', index: 2 }])
    t.same(await copy.receive([await message(one, copy, 2)], null), [null])
    t.same(await common, await one.get(2))
    await one.append(blocksOf(1))
    const [more] = await copy.receive([await message(one, copy, 6, { digest: 0 })], null)
    t.equal(more?.code, 'LOG_FORK', 'nor does our side grow')
    await copy.receive([await message(two, copy, 7, { digest: 0 })], null)
    t.equal(heard.length, 1)
    await close(all)
  },
)

t.test('a proof that leans on what is here is asked for again, standing alone', async (t) => {
  const all = await forked(2, 4, 6)
  const { two, copy, heard } = all
  const [unclear] = await copy.receive([await message(two, copy, 5)], null)
  t.equal(unclear?.code, 'LOG_CONTRADICTION')
  t.ok(copy.suspectsFork)
  t.equal(copy.digest(5), 0)
  t.same(heard, [])
  const [error] = await copy.receive([await message(two, copy, 5)], null)
  t.equal(error?.code, 'LOG_FORK')
  t.equal(heard.length, 1)
  await close(all)
})

t.test('what was asked for before a block came into doubt is no lie', async (t) => {
  const { log } = await writer(blocksOf(22, 1))
  const { copy } = await copyOf(log)
  copy.attach(new Notes())
  await copy.receive([await message(log, copy, 3)], null)
  await log.append(blocksOf(6, 50))
  const [head, beside] = [await message(log, copy, 27), await message(log, copy, 23)]
  // One after the other, as they come: the second is verified while the first is being stored.
  const stored = [copy.receive([head], null), copy.receive([beside], null)]
  const answer = await log.proof(22, { digest: copy.digest(22) })
  t.match(answer, { nodes: [], signature: null }, 'it leans on its hash, which came with block 23')
  t.strictSame(await Promise.all(stored), [[null], [null]])
  await turn() // the log has grown: the first new block has to show that it grew out of what is here
  const value = await log.get(22)
  const [early] = await copy.receive([{ index: 22, value, ...answer }], null)
  t.equal(early?.code, 'LOG_CONTRADICTION', 'it is asked for again')
  const [error] = await copy.receive([await message(log, copy, 22)], null)
  t.equal(error, null)
  t.strictSame(await copy.get(22), await log.get(22))
  t.equal(copy.fork, null)
  await Promise.all([copy.close(), log.close()])
})

t.test('a liar is no fork: an honest proof ends the suspicion', async (t) => {
  const all = await forked(4, 4, 5)
  const { one, copy, heard } = all
  await one.append(blocksOf(3, 7))
  const honest = await message(one, copy, 6)
  const lie = { ...honest, signature: new Uint8Array(64) }
  const [first] = await copy.receive([lie], null)
  t.equal(first?.code, 'LOG_CONTRADICTION')
  const whole = await message(one, copy, 6)
  const [second] = await copy.receive([{ ...whole, signature: new Uint8Array(64) }], null)
  t.equal(second?.code, 'LOG_BAD_PROOF', 'one that stands alone has no excuse')
  t.same(await copy.receive([whole], null), [null])
  t.notOk(copy.suspectsFork)
  t.same(heard, [])
  t.equal(copy.fork, null)
  await close(all)
})

t.test('a damaged tree is no fork', async (t) => {
  const all = await forked(8, 8, 9)
  const { one, copy, folder, heard } = all
  await copy.close()
  const tree = folder.open('tree')
  await tree.write(32 + 40 * 4, new Uint8Array(32).fill(7)) // the leaf of block 2
  const again = new Log(folder.open, null, { sparse: true })
  again.on('fork', (evidence) => heard.push(evidence))
  await again.ready()
  await one.append(blocksOf(1))
  const proof = await message(one, again, 2, { digest: 0 })
  const [error] = await again.receive([proof], null)
  if (error) t.same(await again.receive([proof], null), [null])
  t.same(heard, [])
  t.equal(again.fork, null)
  await again.close()
  await close(all)
})

t.test('a file that proves nothing is no evidence', async (t) => {
  const all = await forked(4, 6, 9)
  await all.copy.receive([await message(all.two, all.copy, 5, { digest: 0 })], null)
  const evidence = all.heard[0]
  const key = all.copy.key ?? new Uint8Array(32)
  if (!evidence) throw new Error('no evidence')
  const bytes = encodeFork(evidence)
  t.same(decodeFork(bytes, key), evidence)
  t.equal(decodeFork(bytes, new Uint8Array(32)), null, 'of another key')
  const text = toUtf8(bytes)
  const broken = [
    '',
    'null',
    '[]',
    text.slice(0, -20),
    text.replace('"commonLength": 4', '"commonLength": 99'),
    text.replace('"commonLength": 4', '"commonLength": -1'),
    text.replace('"index"', '"place"'),
    text.replace(/"hash": "../, '"hash": "zz'),
    text.replace(/"signature": "../, '"signature": "'),
    text.replace('"siblings": [', '"siblings": [7,'),
    text.replace('"roots": [', '"roots": 7, "x": ['),
    text.replace(/"size": \d+/, '"size": 1e300'),
  ]
  for (const each of broken) t.equal(decodeFork(fromUtf8(each), key), null, each.slice(0, 60))
  t.equal(decodeFork(encodeFork({ ...evidence, theirs: evidence.ours }), key), null)
  await all.copy.close()
  for (const content of ['{', 'x'.repeat(70_000)]) {
    const file = all.folder.open('fork')
    await file.truncate(0)
    await file.write(0, fromUtf8(content))
    const again = new Log(all.folder.open, null, { sparse: true })
    await again.ready()
    t.equal(again.fork, null)
    await again.close()
  }
  const fresh = new Log(all.folder.open, null, { overwrite: true })
  await fresh.ready()
  t.equal(fresh.fork, null)
  t.equal(await all.folder.open('fork').size(), 0)
  await fresh.close()
  await close(all)
})

t.test('a signed node that was changed in any part is none', async (t) => {
  const all = await forked(4, 6, 9)
  await all.copy.receive([await message(all.two, all.copy, 5, { digest: 0 })], null)
  const [evidence] = all.heard
  if (!evidence) throw new Error('no evidence')
  const { ours, theirs } = evidence
  const key = all.copy.key ?? new Uint8Array(32)
  t.ok(isSignedNode(ours, key) && isSignedNode(theirs, key))
  const [root] = theirs.roots
  if (!root) throw new Error('no root')
  const wrong: SignedNode[] = [
    { ...theirs, length: 0 },
    { ...theirs, length: theirs.length + 1 },
    { ...theirs, roots: theirs.roots.slice(1) },
    { ...theirs, roots: [{ ...root, size: root.size + 1 }, ...theirs.roots.slice(1)] },
    { ...theirs, roots: [{ ...root, index: root.index + 2 }, ...theirs.roots.slice(1)] },
    { ...theirs, siblings: [theirs.node, ...theirs.siblings] },
    { ...theirs, node: { ...theirs.node, size: theirs.node.size + 1 } },
    { ...theirs, node: { ...theirs.node, size: Number.MAX_SAFE_INTEGER } },
    { ...theirs, signature: ours.signature },
  ]
  for (const each of wrong) t.notOk(isFork(ours, each, key))
  t.notOk(isFork(ours, ours, key))
  const equal = new Set([0, 1, 3, 8])
  t.equal(commonLength(equal, 10), 5)
  t.equal(commonLength(equal, 3), 2)
  t.equal(commonLength(new Set([8]), 10), 0)
  await close(all)
})

t.test(
  'a remote that never sends again what it was told is here is believed at the second try',
  async (t) => {
    const { log } = await writer(blocksOf(5))
    const { copy } = await copyOf(log)
    for (let index = 0; index < 5; index++)
      await copy.receive([await message(log, copy, index)], null)
    await log.append(blocksOf(15, 5))
    // The log grows by a proof that shares no node with it, so block 5 has to be proven apart.
    t.same(await copy.receive([await message(log, copy, 10)], null), [null])
    t.equal(copy.digest(5), 0, 'everything is asked for')
    // A v10 leaves out the old roots all the same, once a digest has named them.
    const remoteTree = new SparseNodeSet()
    for (const treeIndex of [3, 8]) remoteTree.add(treeIndex)
    const { nodes, signature } = await log.proof(5, { digest: 0, remoteTree })
    t.notOk(nodes.some(({ index }) => index === 3 || index === 8))
    const answer = { index: 5, value: await log.readBlock(5), nodes, signature }
    const [refused] = await copy.receive([answer], null)
    t.match(refused, { code: 'LOG_CONTRADICTION' })
    t.same(await copy.receive([answer], null), [null])
    t.ok(copy.has(5))
    t.equal(copy.fork, null)
    await Promise.all([log.close(), copy.close()])
  },
)
