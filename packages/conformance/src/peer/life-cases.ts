/**
 * Keepalives and timeouts, extensions, several logs on one connection, the extension of the trie.
 *
 * @see docs/protocol/20-wire.md 2.8, 3.3, 3.11 and 3.12, and 30-trie.md 3.12
 * @module
 */
import { discoveryKey } from 'varve/crypto'
import { decodeExtensionMessage, decodeHeader, encodeExtensionMessage } from 'varve/trie'
import { Refuted } from '../case.ts'
import { hex, holds, same } from '../expect.ts'
import { StoredFolder } from '../folder/stored-folder.ts'
import { nodesOf } from '../folder/trie-statements.ts'
import { PartialLog } from '../reference-log.ts'
import { FIXTURE_DRIVE } from './fixture.ts'
import { peerCase, type PeerCase } from './peer-case.ts'
import type { Remote } from './remote.ts'
import type { Stage } from './stage.ts'

const LIFE = '20-wire 3.3'
const EXTENSIONS = '20-wire 3.11'
const NUMBERS = '20-wire 2.8'
const MULTIPLEX = '20-wire 3.12'
const TRIE = '30-trie 3.12'

/** All of them. */
export function* lifeCases(): Iterable<PeerCase> {
  yield* timerCases()
  yield* extensionCases()
  yield* driveCases()
}

function* timerCases(): Iterable<PeerCase> {
  yield peerCase(
    'life.keepalive',
    LIFE,
    'who has nothing to say sends a zero byte after half of the timeout',
    async (stage) => {
      await stage.source({ timeout: 600 })
      const remote = await stage.entered()
      await remote.heard()
      const beat = setInterval(() => remote.write(Uint8Array.of(0)), 100)
      try {
        await remote.until(() => remote.keepalives >= 2, 'two keepalives')
      } finally {
        clearInterval(beat)
      }
    },
  )
  yield peerCase(
    'life.kept',
    LIFE,
    'keepalives keep a connection that says nothing else',
    async (stage) => {
      await stage.source({ timeout: 400 })
      const remote = await stage.entered()
      await remote.heard()
      const beat = setInterval(() => remote.write(Uint8Array.of(0)), 100)
      await new Promise((resolve) => setTimeout(resolve, 900))
      clearInterval(beat)
      holds(!remote.closed, 'the subject ended the connection')
      await remote.heard()
    },
  )
  yield peerCase(
    'life.timeout',
    LIFE,
    'a peer that says nothing for the timeout is given up',
    async (stage) => {
      await stage.source({ timeout: 400 })
      const remote = await stage.entered()
      await remote.heard()
      await remote.ends()
    },
  )
  yield peerCase(
    'life.request-timeout',
    '20-wire 3.7',
    'a peer that does not answer a request is given up',
    async (stage) => {
      await stage.reader({ timeout: 500 })
      const remote = await stage.met()
      await remote.message('Open')
      remote.say(1, 'Have', { start: 1 })
      await remote.message('Request')
      const beat = setInterval(() => remote.write(Uint8Array.of(0)), 100)
      try {
        await remote.ends()
      } finally {
        clearInterval(beat)
      }
    },
    'SHOULD',
  )
  yield peerCase(
    'life.half-closed',
    LIFE,
    'when our half of the stream ends, the subject ends its own',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      await remote.heard()
      remote.socket.end()
      await remote.ends()
    },
  )
}

function* extensionCases(): Iterable<PeerCase> {
  const names = ['second', 'first']
  const ready = async (stage: Stage, ours: readonly string[]): Promise<Remote> => {
    await stage.source({ extensions: names }, true)
    const remote = await stage.entered()
    await remote.message('Options')
    remote.say(1, 'Options', { extensions: [...ours], ack: false })
    return remote
  }
  const got = async (
    stage: Stage,
    remote: Remote,
  ): Promise<readonly (readonly [string, string])[]> => {
    await remote.heard()
    return (await stage.ask('state', {})).messages
  }
  yield peerCase(
    'extension.received',
    EXTENSIONS,
    'a message is numbered by the list that its sender told',
    async (stage) => {
      const remote = await ready(stage, ['another', 'first', 'second'])
      remote.extension(1, 2, Uint8Array.of(7))
      remote.extension(1, 1, Uint8Array.of(8, 9))
      same(
        await got(stage, remote),
        [
          ['second', '07'],
          ['first', '0809'],
        ],
        'messages',
      )
    },
  )
  yield peerCase(
    'extension.unknown',
    EXTENSIONS,
    'a message of an extension that the subject lacks is passed over',
    async (stage) => {
      const remote = await ready(stage, ['another', 'first'])
      remote.extension(1, 0, Uint8Array.of(1))
      remote.extension(1, 77, Uint8Array.of(1))
      same(await got(stage, remote), [], 'messages')
    },
  )
  yield peerCase(
    'extension.before-options',
    EXTENSIONS,
    'a message before any list is lost',
    async (stage) => {
      await stage.source({ extensions: names }, true)
      const remote = await stage.entered()
      remote.extension(1, 0, Uint8Array.of(1))
      same(await got(stage, remote), [], 'messages')
    },
  )
  yield peerCase('extension.empty', EXTENSIONS, 'a message may be empty', async (stage) => {
    const remote = await ready(stage, ['first'])
    remote.extension(1, 0, new Uint8Array(0))
    same(await got(stage, remote), [['first', '']], 'messages')
  })
  yield peerCase(
    'extension.new-list',
    EXTENSIONS,
    'a later list replaces the earlier one',
    async (stage) => {
      const remote = await ready(stage, ['first', 'second'])
      remote.say(1, 'Options', { extensions: ['second'], ack: false })
      remote.extension(1, 0, Uint8Array.of(3))
      same(await got(stage, remote), [['second', '03']], 'messages')
    },
  )
  yield peerCase(
    'extension.sent',
    NUMBERS,
    'the subject numbers its messages by its own list',
    async (stage) => {
      const remote = await ready(stage, names)
      await remote.heard()
      await stage.ask('broadcast', { name: 'second', message: '010203' })
      const message = await remote.until(() => remote.extensions[0], 'a message')
      same([message.id, message.message], [1, Uint8Array.of(1, 2, 3)], 'number and bytes')
    },
  )
}

interface Known {
  readonly folder: StoredFolder
  readonly metadata: Uint8Array
  readonly content: Uint8Array
}

let known: Known | null = null
/** The drive of the fixtures, as the kit reads it itself. */
function fixtureDrive(): Known {
  if (known) return known
  const folder = new StoredFolder(FIXTURE_DRIVE)
  const [drive] = folder.drives
  const metadata = drive?.metadata.key
  if (!drive || !metadata || !drive.contentKey) throw new Error('the kit lacks its drive')
  known = { folder, metadata, content: drive.contentKey }
  return known
}

function* driveCases(): Iterable<PeerCase> {
  const served = async (stage: Stage): Promise<Remote> => {
    await stage.drive(FIXTURE_DRIVE)
    const remote = await (await stage.connect()).greet()
    return remote.open(fixtureDrive().metadata)
  }
  const blockOf = async (
    remote: Remote,
    channel: number,
    key: Uint8Array,
    index: number,
  ): Promise<Uint8Array> => {
    const before = remote.all('Data').length
    remote.say(channel, 'Request', { index, bytes: 0, hash: false, nodes: 0 })
    const data = await remote.until(() => remote.all('Data')[before], `block ${index}`)
    new PartialLog(key).accept(data)
    return data.value ?? new Uint8Array()
  }
  yield peerCase(
    'drive.metadata',
    MULTIPLEX,
    'a drive opens its metadata log on a connection',
    async (stage) => {
      const remote = await served(stage)
      const wanted = hex(discoveryKey(fixtureDrive().metadata))
      await remote.message('Open', (open) => hex(open.discoveryKey) === wanted)
    },
  )
  yield peerCase(
    'drive.header',
    '40-drive 2.3',
    'block 0 of the metadata log is the header, which names the content log',
    async (stage) => {
      const remote = await served(stage)
      const block = await blockOf(remote, 1, fixtureDrive().metadata, 0)
      same(decodeHeader(block).metadata, fixtureDrive().content, 'content key')
    },
  )
  yield peerCase(
    'drive.two-logs',
    MULTIPLEX,
    'the content log is served on the same connection, on a channel of its own',
    async (stage) => {
      const remote = await served(stage)
      const { content } = fixtureDrive()
      remote.open(content, 2)
      const wanted = hex(discoveryKey(content))
      await remote.until(
        () => remote.all('Open').some((open) => hex(open.discoveryKey) === wanted),
        'Open of the content log',
      )
      same(Buffer.from(await blockOf(remote, 2, content, 0)).toString(), 'world', 'block 0')
    },
  )
  yield peerCase(
    'drive.independent',
    MULTIPLEX,
    'a channel that is closed leaves the other alone',
    async (stage) => {
      const remote = await served(stage)
      const { content } = fixtureDrive()
      remote.open(content, 2)
      const wanted = hex(discoveryKey(content))
      await remote.until(
        () => remote.all('Open').some((open) => hex(open.discoveryKey) === wanted),
        'Open of the content log',
      )
      remote.say(1, 'Close', {})
      await remote.message('Close')
      await blockOf(remote, 2, content, 1)
    },
  )
  yield peerCase(
    'trie.advertised',
    TRIE,
    'a trie tells the extension hypertrie in its Options',
    async (stage) => {
      const remote = await served(stage)
      const options = await remote.message('Options')
      holds(options.extensions.includes('hypertrie'), `extensions: ${options.extensions.join()}`)
    },
  )
  const asks = async (stage: Stage, message: Parameters<typeof encodeExtensionMessage>[0]) => {
    const remote = await served(stage)
    await remote.message('Options')
    remote.say(1, 'Options', { extensions: ['hypertrie'], ack: false })
    remote.extension(1, 0, encodeExtensionMessage(message))
    const { message: bytes } = await remote.until(
      () => remote.extensions[0],
      'an answer of the extension',
    )
    const { cache } = decodeExtensionMessage(bytes)
    if (!cache) throw new Refuted('the answer holds no blocks')
    return cache
  }
  yield peerCase(
    'trie.get',
    TRIE,
    'a lookup is answered by the blocks that lead to the key',
    async (stage) => {
      const head = (fixtureDrive().folder.drives[0]?.metadata.length ?? 0) - 1
      const cache = await asks(stage, { get: { head, key: 'dir/ünï.bin' } })
      const wanted = newest('dir/ünï.bin')
      holds(cache.blocks.includes(wanted), `blocks ${cache.blocks.join()} lack ${wanted}`)
    },
  )
  yield peerCase(
    'trie.iterate',
    TRIE,
    'a listing is answered by the blocks of the entries',
    async (stage) => {
      const head = (fixtureDrive().folder.drives[0]?.metadata.length ?? 0) - 1
      const cache = await asks(stage, { iterator: { head, key: '', flags: 1, checkpoint: null } })
      for (const key of ['hello.txt', 'link', 'dir/ünï.bin']) {
        holds(
          cache.blocks.includes(newest(key)),
          `blocks ${cache.blocks.join()} lack that of ${key}`,
        )
      }
    },
  )
  yield peerCase(
    'trie.garbage',
    '30-trie 5',
    'a message of the extension that is none harms nobody',
    async (stage) => {
      const remote = await served(stage)
      await remote.message('Options')
      remote.say(1, 'Options', { extensions: ['hypertrie'], ack: false })
      remote.extension(1, 0, Uint8Array.of(0x1a, 0x7f, 0x01))
      await remote.heard()
    },
  )
}

/** The newest block of a key in the fixture drive. */
function newest(key: string): number {
  const [drive] = fixtureDrive().folder.drives
  const node = drive && nodesOf(drive).findLast(({ path }) => path.key === key && !path.hidden)
  if (!node) throw new Error(`the fixture has no ${key}`)
  return node.seq
}
