/**
 * Logs of Varve and of v10 on one connection, in both roles: sparse reads, seek, clear, update, extensions, several
 * logs on one stream, acknowledgements. Copies of whole logs are in transfers.ts.
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { Duplex } from 'node:stream'
import { blockOf, BLOCKS, join, openOriginal, openVarve, sourceOf, until } from './log-side.ts'
import type { Open, Side } from './log-side.ts'
import { transfers } from './transfers.ts'

/** Runs a case and prints its line. */
export type Check = (name: string, run: () => Promise<void>) => Promise<boolean>

/** One case between two implementations. */
export interface Case {
  readonly name: string
  readonly run: (source: Open, reader: Open, folder: string, isInitiator: boolean) => Promise<void>
}

const cases: readonly Case[] = [
  { name: 'sparse reads, seek, clear, update, a cut connection', run: sparse },
  { name: 'a block that was cleared is fetched again', run: cleared },
  { name: 'extensions, also registered late and destroyed', run: extensions },
  { name: 'several logs on one stream, added at any time by either side', run: several },
  { name: 'each block is acknowledged to who asks for it', run: acknowledged },
  ...transfers,
]

async function sparse(
  openSource: Open,
  openReader: Open,
  folder: string,
  isInitiator: boolean,
): Promise<void> {
  const source = await sourceOf(openSource, `${folder}-source`)
  const reader = await openReader(`${folder}-reader`, source.key, true)
  const ends = join(source, reader, isInitiator)
  assert.deepEqual(Buffer.from(await reader.get(150)), blockOf(150))
  assert.equal(reader.downloads(), 1)
  const before = Array.from({ length: 77 }, (_, index) => blockOf(index).length)
  const byteOffset = before.reduce((sum, length) => sum + length, 3)
  assert.deepEqual(await reader.seek(byteOffset), [77, 3])
  await source.append([blockOf(BLOCKS)])
  await reader.update(BLOCKS + 1)
  assert.equal(reader.length(), BLOCKS + 1)
  assert.ok(reader.downloads() <= 2, 'nothing but what was read')
  // Cut, and once more, with the roles turned round.
  for (const end of ends) end.destroy()
  const late = reader.get(3)
  join(source, reader, !isInitiator)
  assert.deepEqual(Buffer.from(await late), blockOf(3))
  await Promise.all([source.close(), reader.close()])
}

async function cleared(
  openSource: Open,
  openReader: Open,
  folder: string,
  isInitiator: boolean,
): Promise<void> {
  const source = await sourceOf(openSource, `${folder}-source`)
  const reader = await openReader(`${folder}-reader`, source.key, true)
  let ends = join(source, reader, isInitiator)
  await reader.get(150)
  await reader.clear(150, 151)
  assert.equal(reader.has(150), false)
  // v10 does not ask again on the connection that it got the block by (quirk Q-3).
  if (openReader === openOriginal) {
    for (const end of ends) end.destroy()
    ends = join(source, reader, isInitiator)
  }
  assert.deepEqual(Buffer.from(await reader.get(150)), blockOf(150))
  // Cleared at the source, it is nobody's; what is beside it still is.
  await source.clear(10, 12)
  await assert.rejects(reader.get(10, { ifAvailable: true }))
  assert.deepEqual(Buffer.from(await reader.get(12)), blockOf(12))
  await Promise.all([source.close(), reader.close()])
}

async function extensions(
  openSource: Open,
  openReader: Open,
  folder: string,
  isInitiator: boolean,
): Promise<void> {
  const source = await sourceOf(openSource, `${folder}-source`)
  const reader = await openReader(`${folder}-reader`, source.key, true)
  const heard: string[] = []
  const register = (side: Side, name: string): ReturnType<Side['extension']> =>
    side.extension(name, (text) => void heard.push(`${name}: ${text}`))
  const both = (name: string): ReturnType<typeof register>[] =>
    [source, reader].map((side) => register(side, name))
  const says = async (of: ReturnType<typeof both>, name: string): Promise<void> => {
    heard.length = 0
    for (const [place, said] of of.entries()) said.broadcast(`from ${place}`)
    await until(() => heard.length === of.length, `${name} passes`)
    assert.deepEqual(heard.toSorted(), [`${name}: from 0`, `${name}: from 1`])
  }
  const [m, x] = [both('m'), both('x')]
  join(source, reader, isInitiator)
  await reader.get(0)
  await says(m, 'm')
  await says(x, 'x')
  // Late: a name that comes before the others gives them other numbers.
  const a = both('a')
  await reader.get(1)
  await says(a, 'a')
  await says(x, 'x')
  // Destroyed. v10 only gives its others other numbers when one more is registered (quirk Q-15).
  for (const said of m) said.destroy()
  const z = both('z')
  await reader.get(2)
  await says(x, 'x')
  await says(z, 'z')
  await Promise.all([source.close(), reader.close()])
}

async function several(
  openSource: Open,
  openReader: Open,
  folder: string,
  isInitiator: boolean,
): Promise<void> {
  const sources: Side[] = []
  const readers: Side[] = []
  for (let place = 0; place < 3; place++) {
    const source = await sourceOf(openSource, `${folder}-source-${place}`)
    sources.push(source)
    readers.push(await openReader(`${folder}-reader-${place}`, source.key, true))
  }
  const [first, second, third] = readers
  assert.ok(first && second && third)
  const live = { live: true }
  const ends = join(at(sources, 0), first, isInitiator)
  // On the connection from the start.
  const early = second.get(7)
  at(sources, 1).replicate(ends[0], live)
  second.replicate(ends[1], live)
  assert.deepEqual(Buffer.from(await early), blockOf(7))
  assert.deepEqual(Buffer.from(await first.get(1)), blockOf(1))
  // Later, by one side alone; the other opens it when it hears its discovery key.
  const answers = answering(ends[0], at(sources, 2))
  third.replicate(ends[1], live)
  assert.deepEqual(Buffer.from(await third.get(199)), blockOf(199))
  assert.equal(answers(), 1)
  // One that is closed leaves the others alone.
  await second.close()
  assert.deepEqual(Buffer.from(await first.get(2)), blockOf(2))
  await Promise.all([...sources, first, third].map((side) => side.close()))
}

/** Put `log` on `connection` when the remote names it. Says how often it did. */
function answering(connection: Duplex, log: Side): () => number {
  let count = 0
  connection.on('discovery-key', (discoveryKey: Uint8Array) => {
    if (!Buffer.from(log.discoveryKey).equals(discoveryKey)) return
    count++
    log.replicate(connection, { live: true })
  })
  return () => count
}

async function acknowledged(
  openSource: Open,
  openReader: Open,
  folder: string,
  isInitiator: boolean,
): Promise<void> {
  const source = await sourceOf(openSource, `${folder}-source`)
  const reader = await openReader(`${folder}-reader`, source.key, false)
  const acks: number[] = []
  const [end] = join(source, reader, isInitiator, { ack: true })
  end.on('ack', ({ start }: { start: number }) => void acks.push(start))
  await until(() => acks.length >= BLOCKS, 'every block is acknowledged')
  assert.equal(new Set(acks).size, BLOCKS)
  await Promise.all([source.close(), reader.close()])
}

function at<T>(list: readonly T[], place: number): T {
  const found = list[place]
  assert.ok(found)
  return found
}

/** All cases; `folder` gives a fresh name. */
export async function logs(check: Check, folder: () => string): Promise<void> {
  for (const [names, source, reader] of [
    ['Varve reads from v10', openOriginal, openVarve],
    ['v10 reads from Varve', openVarve, openOriginal],
  ] as const) {
    for (const isInitiator of [true, false]) {
      for (const { name, run } of cases) {
        const role = isInitiator ? 'source' : 'reader'
        // oxlint-disable-next-line no-await-in-loop
        await check(`${names}, the ${role} initiates: ${name}`, () =>
          run(source, reader, folder(), isInitiator),
        )
      }
    }
  }
}
