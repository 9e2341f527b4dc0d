/**
 * What the tests behind the transcripts did, by the first field of the recorded action.
 *
 * @module
 */
import { fromHex } from '../../../src/bytes.ts'
import type { Extension } from '../../../src/log/extensions.ts'
import type { Log } from '../../../src/log/index.ts'
import type { Connection } from '../../../src/wire/connection.ts'
import { replicate } from '../../../src/wire/replicate.ts'
import type { ReplicateOptions } from '../../../src/wire/replicate.ts'
import type { StreamExtension } from '../../../src/wire/stream-extension.ts'
import type { Listener } from './transcript.ts'
import type { Witness } from './witness.ts'

/** A stream of our side. */
export interface Link {
  readonly connection: Connection
  readonly listener: Listener
  readonly options: ReplicateOptions
  readonly initiator: boolean
  ended: boolean
  /** Frames of the next turn that were written by hand, past the protocol. */
  byHand: boolean
}

/** The side that performs. */
export interface Stage {
  readonly side: string
  /** The log of a label, when it is on our side. */
  own(label: unknown): Log | null
  /** A stream by its name, else the only one. */
  link(name: unknown): Link | undefined
  extension(name: string): Extension | StreamExtension | undefined
  register(name: string, extension: Extension | StreamExtension): void
  readonly witness: Witness
  /** Blocks are gone, and may be asked for again. */
  forget(start: number, end: number): void
}

/** Do it, as far as it is our side's to do. */
export type Action = (action: Readonly<Record<string, unknown>>, stage: Stage) => void

/** All actions there are. */
export const actions: Readonly<Record<string, Action>> = {
  append: (action, stage) => {
    const blocks = (action['blocks'] as readonly string[]).map(fromHex)
    void stage.own(action['append'])?.append(blocks)
  },
  update: (action, stage) => {
    const ifAvailable = action['ifAvailable'] === true
    const log = stage.own(action['update'])
    const done = log?.update({ ifAvailable }).then(() => log.length)
    void stage.witness.result('update-done', done)
  },
  get: (action, stage) => {
    const log = stage.own(action['get'])
    for (const block of [action['block']].flat()) {
      const got = log?.get(Number(block), { ifAvailable: action['ifAvailable'] === true })
      void stage.witness.result('got', got)
    }
  },
  seek: (action, stage) => {
    const found = stage.own(action['seek'])?.seek(Number(action['bytes']))
    void stage.witness.result('seek-done', found)
  },
  download: (action, stage) => {
    const range = action['range'] as { readonly start: number }
    const done = stage.own(action['download'])?.download(range).done
    void stage.witness.result(
      'download-done',
      done?.then(() => null),
    )
  },
  clear: (action, stage) => {
    const start = Number(action['start'])
    const end = Number(action['end'] ?? start + 1)
    quiet(stage.own(action['clear'])?.clear(start, end))
    if (stage.own(action['clear'])) stage.forget(start, end)
  },
  setUploading: (action, stage) => {
    stage.own(action['setUploading'])?.setUploading(action['value'] === true)
  },
  setDownloading: (action, stage) => {
    stage.own(action['setDownloading'])?.setDownloading(action['value'] === true)
  },
  set: (action, stage) => {
    const [label] = String(action['set']).split('.')
    const log = stage.own(label)
    if (log) Object.defineProperty(log, 'allowPush', { value: action['value'], configurable: true })
  },
  // Whichever side does it, the other sees its transport die.
  destroyStream: (action, stage) => stage.link(action['on'])?.connection.destroy(),
  replicate: (action, stage) => {
    const log = stage.own(action['replicate'])
    const link = stage.link(action['on'])
    if (log && link && action['side'] === stage.side) replicate(log, link.connection, link.options)
  },
  closeFeed: (action, stage) => {
    if (action['side'] === stage.side) quiet(stage.own(action['closeFeed'])?.close())
  },
  rawRequest: (action, stage) => byHand(String(action['note']), stage),
  raw: (action, stage) => byHand(String(action['raw']), stage),
  push: (action, stage) => byHandOf(action['push'], stage),
  pushProof: (action, stage) => byHandOf(action['pushProof'], stage),
  register: (action, stage) => {
    const encoding = action['encoding'] as 'json' | undefined
    const target = String(action['register'])
    if (target === `stream ${stage.side}`) {
      const connection = stage.link(undefined)?.connection
      for (const name of action['names'] as readonly string[]) {
        const extension = connection?.registerExtension(name, {
          encoding: 'json',
          onmessage: (message: unknown) => stage.witness.note(`stream extension ${name}`, message),
        })
        if (extension) stage.register(name, extension)
      }
      return
    }
    const log = stage.own(target)
    const name = String(action['name'])
    if (log) stage.register(name, registerOn(log, name, stage.witness, encoding))
  },
  broadcast: (action, stage) => {
    const extension = stage.own(action['broadcast']) && stage.extension(String(action['name']))
    if (extension && 'broadcast' in extension) extension.broadcast(action['message'])
  },
  send: (action, stage) => {
    const target = String(action['send'])
    const log = stage.own(target)
    if (!log && target !== `stream ${stage.side}`) return
    const extension = stage.extension(String(action['name']))
    if (!extension) return
    const peer = log?.replicator?.peers[0]
    if ('broadcast' in extension) {
      if (peer) extension.send(action['message'], peer)
    } else extension.send(action['message'])
  },
}

/** Something is written past the protocol, by the side that the note begins with. */
function byHand(note: string, stage: Stage): void {
  const link = stage.link(undefined)
  if (link && note.startsWith(`${stage.side} `)) link.byHand = true
}

function byHandOf(label: unknown, stage: Stage): void {
  const link = stage.link(undefined)
  if (link && stage.own(label)) link.byHand = true
}

/** What becomes of it is seen in the frames and in the end state. */
function quiet(work: Promise<unknown> | undefined): void {
  work?.catch(() => undefined)
}

/** Register an extension whose messages are noted. */
export function registerOn(log: Log, name: string, witness: Witness, encoding?: 'json'): Extension {
  return log.extensions.register(name, {
    ...(encoding && { encoding }),
    onmessage: (message: unknown) => witness.note(`extension ${name}`, message),
    onerror: () => witness.note(`extension ${name} decode error`),
  })
}
