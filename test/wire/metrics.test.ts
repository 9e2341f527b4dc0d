import t from 'tap'
import { toHex } from '../../src/bytes.ts'
import { connectionMetrics, explain, metrics, toOpenMetrics } from '../../src/wire/index.ts'
import { World } from './exchange/world.ts'

t.test('figures of a log, its peers and their connections add up', async (t) => {
  const world = new World()
  const writer = await world.writer(30)
  const reader = await world.reader()
  const pair = world.join(writer, reader, { live: true })
  await world.network.settle()
  const [ours, theirs] = [metrics(writer), metrics(reader)]
  t.equal(ours.discoveryKey, toHex(writer.discoveryKey ?? new Uint8Array(0)))
  t.equal(ours.length, 30)
  t.equal(theirs.remoteLength, 30)
  t.equal(ours.uploadedBlocks, 30)
  t.equal(theirs.downloadedBytes, writer.byteLength)
  t.equal(theirs.requestsSent, 30)
  t.equal(ours.requestsReceived, 30)
  t.equal(theirs.selections, 1)
  t.same(theirs.waiting, [])
  const [peer] = theirs.peers
  t.equal(peer?.downloadedBlocks, 30)
  t.equal(peer?.open, true)
  t.equal(peer?.requestsInFlight, 0)
  t.equal(peer?.oldestRequestMs, null)
  t.equal(peer?.connection.bytesSent, ours.peers[0]?.connection.bytesReceived)
  t.same(peer?.connection.charged, { status: 1 })
  t.same(peer?.connection, connectionMetrics(pair.second))
  t.same(await world.close(), [])
  const after = metrics(writer)
  t.same(after.peers, [])
  t.equal(after.requestsReceived, 30, 'what peers did that are gone still counts')
  t.same(after.endings, { none: 1 })
})

t.test('how a peer ended, and what it said that meant nothing, is counted by reason', async (t) => {
  const world = new World()
  const writer = await world.writer(3)
  const pair = world.join(writer, await world.reader({ sparse: true }), { live: true })
  await world.network.settle()
  const [channel] = pair.second.channels
  channel?.cancel({ index: 1 })
  channel?.unwant({ start: 0 })
  channel?.have({ start: 1 })
  channel?.have({ start: 1 })
  await world.network.settle()
  t.same(metrics(writer).peers[0]?.connection.charged, { cancel: 2, have: 1 })
  channel?.request({ index: 99 })
  await world.network.settle()
  t.same(metrics(writer).endings, { WIRE_BAD_REQUEST: 1 })
  t.equal(connectionMetrics(pair.first).failure, 'WIRE_BAD_REQUEST')
  t.same(await world.close(), [])
})

t.test('a log without peers has figures too', async (t) => {
  const world = new World()
  const log = await world.reader({ stats: false })
  t.match(metrics(log), { peers: [], uploadedBlocks: 0, requestsSent: 0, endings: {} })
  const waits: Promise<unknown>[] = [log.get(3), log.update(9), log.seek(100)]
  const refused = waits.map((wait) => t.rejects(wait, { code: 'LOG_CLOSED' }))
  await world.network.settle()
  t.match(metrics(log).waiting, [
    { type: 'block', wanted: 3 },
    { type: 'length', wanted: 9 },
    { type: 'seek', wanted: 100 },
  ])
  t.same(await world.close(), [])
  await Promise.all(refused)
})

t.test(
  'the same as text: one type line a family, counters with their suffix, one end',
  async (t) => {
    const world = new World()
    const writer = await world.writer(4)
    const reader = await world.reader()
    const pair = world.join(writer, reader, { live: true })
    await world.network.settle()
    pair.second.channels[0]?.unwant({ start: 0 })
    await world.network.settle()
    const text = toOpenMetrics([metrics(writer), metrics(reader)])
    const lines = text.split('\n')
    const types = lines.filter((line) => line.startsWith('# TYPE '))
    t.equal(new Set(types).size, types.length)
    const name = toHex(writer.discoveryKey ?? new Uint8Array(0))
    t.ok(lines.includes(`varve_log_uploaded_blocks_total{log="${name}"} 4`))
    t.ok(lines.includes(`varve_log_length_blocks{log="${name}"} 4`))
    t.ok(
      lines.includes(
        `varve_connection_charged_messages_total{log="${name}",peer="0",address="",reason="cancel"} 1`,
      ),
    )
    t.ok(text.endsWith('# EOF\n'))
    t.equal(text.split('# EOF').length, 2)
    const counters = new Set(
      types.filter((l) => l.endsWith(' counter')).map((l) => l.split(' ')[2]),
    )
    for (const line of lines) {
      if (line === '' || line.startsWith('#')) continue
      const family = line.slice(0, line.indexOf('{')).replace(/_total$/, '')
      t.equal(/_total\{/.test(line), counters.has(family), line)
      t.ok(Number.isFinite(Number(line.slice(line.lastIndexOf(' ')))), line)
    }
    t.same(await world.close(), [])
  },
)

t.test('why a read waits is told from what is nearest to an answer', async (t) => {
  const world = new World()
  const writer = await world.writer(10)
  const reader = await world.reader({ sparse: true })
  const block = { type: 'block', index: 7 } as const
  const why = (): string => explain(reader, block).reason
  const read = reader.get(7)
  t.equal(why(), 'no-peers')
  const pair = world.join(writer, reader, { live: true }, { delay: [10, 10] })
  const seen = new Set<string>()
  for (let i = 0; i < 200 && !reader.has(7); i++) {
    seen.add(why())
    await world.network.run(1)
  }
  t.same([...seen].slice(0, 3), ['opening', 'asked-what-it-has', 'requested'])
  await read
  t.equal(why(), 'met')
  const later = explain(reader, { type: 'block', index: 20 })
  t.equal(later.reason, 'without')
  t.equal(later.waitedMs, null)
  t.match(later.peers, [{ reason: 'without', sinceMs: null }])
  writer.setUploading(false)
  await world.network.settle()
  t.equal(explain(reader, { type: 'length', minLength: 11, hash: true }).reason, 'uploading-off')
  reader.setDownloading(false)
  t.equal(
    explain(reader, { type: 'seek', byteOffset: 9, start: 0, end: 9, hash: true }).reason,
    'downloading-off',
  )
  pair.cut()
  await world.close()
  t.equal(explain(reader, { type: 'blocks', blocks: [1] }).reason, 'closed')
})

t.test('each kind of wish is explained in words', async (t) => {
  const world = new World()
  const writer = await world.writer(10)
  const reader = await world.reader({ sparse: true })
  const silent = world.join(writer, reader, { live: true }, {})
  await world.network.settle()
  silent.swallow()
  const waits = [reader.get(3), reader.update(12), reader.seek(40)]
  for (const wait of waits) wait.catch(() => undefined)
  const download = reader.download({ start: 5, end: 7 })
  const list = reader.download([8])
  await world.network.run(30)
  const reasons = [...reader.wishes.waiting, ...reader.wishes.selections].map((wish) => {
    const { reason, text } = explain(reader, wish)
    return [wish.type, reason, text.replace(/\d+ ms/, 'n ms')]
  })
  t.same(reasons, [
    ['block', 'requested', 'block 3: asked of a peer n ms ago'],
    ['length', 'without', 'a log of 12 blocks: none of 1 peers has it'],
    ['seek', 'requested', 'byte 40: asked of a peer n ms ago'],
    ['range', 'requested', 'blocks 5 to 7: asked of a peer n ms ago'],
    ['blocks', 'requested', '1 blocks: asked of a peer n ms ago'],
  ])
  t.equal(explain(reader, { type: 'block', index: 9 }).reason, 'busy')
  download.destroy()
  list.destroy()
  t.same(await world.close(), [])
})
