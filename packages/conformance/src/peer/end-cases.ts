/**
 * How a connection that is not live is found to be done.
 *
 * @see docs/protocol/20-wire.md 3.10
 * @module
 */
import { hex, holds, same } from '../expect.ts'
import { blockOf, KEYS } from './fixture.ts'
import { peerCase, type PeerCase } from './peer-case.ts'
import { Source, reader, complete } from './source.ts'

const END = '20-wire 3.10'

/** How connections that are not live end. */
export function* endCases(): Iterable<PeerCase> {
  yield peerCase(
    'end.reader',
    END,
    'a reader that has everything says that it downloads no more',
    async (stage) => {
      const remote = await reader(stage, { live: false })
      new Source(remote).offer()
      same(
        await remote.message('Status', ({ downloading }) => !downloading),
        { uploading: true, downloading: false },
        'Status',
      )
    },
  )
  yield peerCase(
    'end.both',
    END,
    'when neither side downloads, the channel is closed and the connection ends',
    async (stage) => {
      const remote = await reader(stage, { live: false })
      new Source(remote).offer()
      await remote.message('Status', ({ downloading }) => !downloading)
      remote.say(1, 'Status', { uploading: false, downloading: false })
      await remote
        .until(() => remote.all('Close').length > 0 || remote.closed, 'Close of the subject')
        .catch(() => undefined)
      await remote.ends()
    },
  )
  yield peerCase('end.live', END, 'a live reader that has everything stays', async (stage) => {
    const remote = await reader(stage)
    const source = new Source(remote).offer()
    await complete(stage, source)
    await remote.quiet(120)
    holds(
      !remote.all('Status').some(({ downloading }) => !downloading),
      'it said that it downloads no more',
    )
  })
  yield peerCase(
    'end.writer',
    END,
    'a writer that is not live ends when its reader downloads no more',
    async (stage) => {
      await stage.source({
        folder: null,
        secretKey: hex(KEYS.secretKey),
        blocks: [hex(blockOf(0))],
        live: false,
      })
      const remote = await stage.entered()
      await remote.heard()
      remote.say(1, 'Status', { uploading: true, downloading: false })
      await remote.ends()
      holds(remote.all('Close').length > 0, 'the channel was closed')
    },
  )
  yield peerCase(
    'end.writer-status',
    END,
    'before its Close a writer says that it neither uploads nor downloads',
    async (stage) => {
      await stage.source({
        folder: null,
        secretKey: hex(KEYS.secretKey),
        blocks: [hex(blockOf(0))],
        live: false,
      })
      const remote = await stage.entered()
      await remote.heard()
      remote.say(1, 'Status', { uploading: true, downloading: false })
      await remote.ends()
      same(remote.all('Status').at(-1), { uploading: false, downloading: false }, 'last Status')
    },
  )
  yield peerCase(
    'end.waits',
    END,
    'a writer that is not live stays as long as its reader downloads',
    async (stage) => {
      await stage.source({
        folder: null,
        secretKey: hex(KEYS.secretKey),
        blocks: [hex(blockOf(0))],
        live: false,
      })
      const remote = await stage.entered()
      await remote.heard()
      await remote.quiet(120)
    },
  )
}
