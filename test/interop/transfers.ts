/**
 * Whole logs between Varve and v10: how connections that are not live end, several sources, connections that are cut
 * at any byte, switches, and readers that have a part already.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { Transform } from 'node:stream'
import type { Duplex } from 'node:stream'
import { seeded } from '../simulation/link.ts'
import {
  blockOf,
  BLOCKS,
  closed,
  connect,
  holdsAll,
  join,
  openOriginal,
  openVarve,
  sourceOf,
  until,
} from './log-side.ts'
import type { Ends, Open, Side } from './log-side.ts'
import type { Case } from './logs.ts'

/** Decides where connections are cut. */
const SEED = 20_261_125
/** Connections that are cut before one is left whole. */
const CUTS = 8

/** The cases. */
export const transfers: readonly Case[] = [
  { name: 'not live: both ends end when everything is copied', run: ends },
  { name: 'live: both ends stay, and what is appended comes', run: lasts },
  { name: 'not live, and only the tail is here: the rest comes before the end', run: tail },
  { name: 'three sources: none sends a block twice', run: sources },
  { name: `cut at a random byte ${CUTS} times, then whole`, run: cut },
  { name: 'a source that does not upload gives nothing, and says so', run: noUpload },
  { name: 'a reader that does not download takes nothing', run: noDownload },
]

async function ends(
  openSource: Open,
  openReader: Open,
  folder: string,
  isInitiator: boolean,
): Promise<void> {
  const source = await sourceOf(openSource, `${folder}-source`)
  const reader = await openReader(`${folder}-reader`, source.key, false)
  await closed(join(source, reader, isInitiator, { live: false }))
  await holdsAll(reader)
  assert.deepEqual([source.uploads(), reader.downloads()], [BLOCKS, BLOCKS])
  // With nothing left to copy it is over at once.
  await closed(join(source, reader, !isInitiator, { live: false }))
  await Promise.all([source.close(), reader.close()])
}

async function lasts(
  openSource: Open,
  openReader: Open,
  folder: string,
  isInitiator: boolean,
): Promise<void> {
  const source = await sourceOf(openSource, `${folder}-source`)
  const reader = await openReader(`${folder}-reader`, source.key, false)
  const both = join(source, reader, isInitiator)
  await until(() => reader.downloads() === BLOCKS, 'everything is copied')
  await source.append([blockOf(BLOCKS)])
  await until(() => reader.downloads() === BLOCKS + 1, 'what is appended is copied')
  assert.deepEqual(Buffer.from(await reader.get(BLOCKS)), blockOf(BLOCKS))
  assert.deepEqual(
    both.map((end) => end.destroyed),
    [false, false],
  )
  await Promise.all([source.close(), reader.close()])
}

async function tail(
  openSource: Open,
  openReader: Open,
  folder: string,
  isInitiator: boolean,
): Promise<void> {
  const source = await sourceOf(openSource, `${folder}-source`)
  const some = await openReader(`${folder}-reader`, source.key, true)
  for (const end of join(source, some, isInitiator)) end.on('close', () => undefined)
  for (let index = BLOCKS - 5; index < BLOCKS; index++) await some.get(index)
  await some.close()
  const reader = await openReader(`${folder}-reader`, source.key, false)
  assert.equal(reader.has(BLOCKS - 1), true)
  await closed(join(source, reader, isInitiator, { live: false }))
  if (openReader === openOriginal) {
    // v10 thinks that it has everything, and ends: with anybody (quirk Q-1). Both ends end all the same.
    assert.equal(reader.downloads(), 0)
  } else {
    await holdsAll(reader)
    assert.equal(reader.downloads(), BLOCKS - 5)
  }
  await Promise.all([source.close(), reader.close()])
}

async function sources(
  openSource: Open,
  openReader: Open,
  folder: string,
  isInitiator: boolean,
): Promise<void> {
  const first = await sourceOf(openSource, `${folder}-source`)
  const all = [first]
  for (const name of ['second', 'third']) {
    const mirror = await openSource(`${folder}-${name}`, first.key, false)
    await closed(join(first, mirror, true, { live: false }))
    all.push(mirror)
  }
  const before = all.map((source) => source.uploads())
  const reader = await openReader(`${folder}-reader`, first.key, false)
  // Not live, a v10 that reads from several never ends with them, whoever they are.
  const live = openReader === openOriginal
  const connections = all.map((source) => join(source, reader, isInitiator, { live }))
  if (live) await until(() => reader.downloads() >= BLOCKS, 'everything is copied')
  else await Promise.all(connections.map((each) => closed(each)))
  await holdsAll(reader)
  const sent = all.map((source, place) => source.uploads() - (before[place] ?? 0))
  const total = sent.reduce((sum, count) => sum + count, 0)
  if (openReader === openVarve) assert.equal(total, BLOCKS, 'the sources share the work')
  // v10 asks all of its sources for every block; none of ours sends it one twice.
  else for (const count of sent) assert.ok(count <= BLOCKS, `a source sent ${count} of ${BLOCKS}`)
  await Promise.all([...all, reader].map((side) => side.close()))
}

async function cut(
  openSource: Open,
  openReader: Open,
  folder: string,
  isInitiator: boolean,
): Promise<void> {
  const random = seeded(SEED)
  const source = await sourceOf(openSource, `${folder}-source`)
  const reader = await openReader(`${folder}-reader`, source.key, false)
  for (let time = 0; time < CUTS; time++) {
    const bytes = 1 + Math.floor(random() * 3000)
    await closed(cutAfter(bytes, source, reader, isInitiator === (time % 2 === 0)))
  }
  // Not live, a v10 that has the last block ends at once (quirk Q-1).
  const live = openReader === openOriginal
  const last = join(source, reader, isInitiator, { live })
  if (live) await until(() => hasAll(reader), 'the rest is copied')
  else await closed(last)
  await holdsAll(reader)
  await Promise.all([source.close(), reader.close()])
}

function hasAll(side: Side): boolean {
  return Array.from({ length: BLOCKS }, (_, index) => side.has(index)).every(Boolean)
}

/** A connection that is lost once the source has sent so many bytes. */
function cutAfter(bytes: number, source: Side, reader: Side, isInitiator: boolean): Ends {
  const [first, second] = connectThrough(
    source.replicate(isInitiator, { live: true }),
    reader.replicate(!isInitiator, { live: true }),
    (chunk) => {
      const passes = chunk.subarray(0, bytes)
      bytes -= passes.length
      if (bytes > 0) return passes
      setImmediate(() => {
        first.destroy()
        second.destroy()
      })
      return passes
    },
  )
  return [first, second]
}

function connectThrough(
  first: Duplex,
  second: Duplex,
  pass: (chunk: Uint8Array) => Uint8Array,
): Ends {
  for (const end of [first, second]) end.on('error', () => undefined)
  const line = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      done(null, pass(chunk))
    },
  })
  first.pipe(line).pipe(second).pipe(first)
  return [first, second]
}

async function noUpload(
  openSource: Open,
  openReader: Open,
  folder: string,
  isInitiator: boolean,
): Promise<void> {
  const source = await sourceOf(openSource, `${folder}-source`)
  const reader = await openReader(`${folder}-reader`, source.key, true)
  const both = connect(
    source.replicate(isInitiator, { live: true, upload: false }),
    reader.replicate(!isInitiator, { live: true }),
  )
  await assert.rejects(reader.get(0, { ifAvailable: true }))
  assert.deepEqual([source.uploads(), reader.downloads()], [0, 0])
  for (const end of both) end.destroy()
  join(source, reader, isInitiator)
  assert.deepEqual(Buffer.from(await reader.get(0)), blockOf(0))
  await Promise.all([source.close(), reader.close()])
}

async function noDownload(
  openSource: Open,
  openReader: Open,
  folder: string,
  isInitiator: boolean,
): Promise<void> {
  const source = await sourceOf(openSource, `${folder}-source`)
  const reader = await openReader(`${folder}-reader`, source.key, false)
  // With nothing to do on either side it is over, and both ends end.
  await closed(
    connect(
      source.replicate(isInitiator, { live: false }),
      reader.replicate(!isInitiator, { live: false, download: false }),
    ),
  )
  assert.deepEqual([source.uploads(), reader.downloads()], [0, 0])
  await closed(join(source, reader, isInitiator, { live: false }))
  await holdsAll(reader)
  await Promise.all([source.close(), reader.close()])
}
