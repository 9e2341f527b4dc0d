/**
 * Attacks with Requests: floods, digests that lie, answers that are never read.
 *
 * @module
 */
import { concat } from '../../../../src/bytes.ts'
import { many, said } from '../scripted-peer.ts'
import type { ScriptedPeer } from '../scripted-peer.ts'
import type { Attack, Stage } from '../stage.ts'
import { BLOCKS, LARGE_BLOCKS } from '../protocol.ts'

export const requestAttacks: readonly Attack[] = [
  asked('Request beyond the log', 'WIRE_BAD_REQUEST', (peer) => {
    peer.say(1, 'Request', { index: BLOCKS })
  }),
  asked('Request of block 2 ** 53 - 1 by its hash', 'WIRE_BAD_REQUEST', (peer) => {
    peer.say(1, 'Request', { index: 2 ** 53 - 1, hash: true })
  }),
  asked('Request, 100 000 times at once', 'WIRE_TOO_MANY_REQUESTS', (peer) => {
    peer.write(many(100_000, (i) => said(1, 'Request', { index: i % BLOCKS })))
  }),
  asked('Request and Cancel, 100 000 times', ['WIRE_LIMIT', 'WIRE_TOO_MANY_REQUESTS'], (peer) => {
    const pair = concat([said(1, 'Request', { index: 1 }), said(1, 'Cancel', { index: 1 })])
    peer.write(many(100_000, () => pair))
  }),
  asked('Cancel of what was never asked, 200 000 times', 'WIRE_LIMIT', (peer) => {
    peer.write(many(200_000, (i) => said(1, 'Cancel', { index: i })))
  }),
  asked('2 000 Requests with digests that lie', 'open', (peer, stage) => {
    peer.write(
      many(2000, (i) =>
        said(1, 'Request', {
          index: i % BLOCKS,
          nodes: Math.floor(stage.random() * 2 ** 53),
          hash: i % 2 === 0,
        }),
      ),
    )
  }),
  asked('4 000 Requests by byte', ['open'], (peer, stage) => {
    peer.write(
      many(4000, () =>
        said(1, 'Request', { index: 0, bytes: Math.floor(stage.random() * 200), hash: true }),
      ),
    )
  }),
  unread('4 000 Requests of 1 MiB, and no answer is read', 'large', 'open', (peer) => {
    peer.write(many(4000, (i) => said(1, 'Request', { index: i % LARGE_BLOCKS })))
  }),
  unread(
    'Requests until it is too much, and no answer is read',
    'large',
    'WIRE_TOO_MANY_REQUESTS',
    (peer) => {
      peer.write(many(5000, (i) => said(1, 'Request', { index: i % LARGE_BLOCKS })))
    },
  ),
  unread(
    'Wants, and no answer is read',
    'large',
    ['WIRE_LIMIT', 'WIRE_TOO_MANY_REQUESTS'],
    (peer) => {
      peer.write(many(100_000, (i) => said(1, 'Want', { start: i * 8192, length: 8192 })))
    },
  ),
]

function asked(
  name: string,
  ends: string | readonly string[],
  say: (peer: ScriptedPeer, stage: Stage) => void,
): Attack {
  return {
    name,
    role: 'writer',
    ends,
    async play(stage) {
      const peer = await stage.entered()
      say(peer, stage)
      if (ends === 'open' || ends.includes('open')) await peer.heard()
      else await peer.closed
    },
  }
}

/** Say it, and read nothing from then on. */
function unread(
  name: string,
  role: Attack['role'],
  ends: string | readonly string[],
  say: (peer: ScriptedPeer) => void,
): Attack {
  return {
    name,
    role,
    // The second one stays.
    ends: [...(typeof ends === 'string' ? [ends] : ends), 'open'],
    async play(stage) {
      const peer = await stage.entered()
      await peer.heard()
      peer.socket.pause()
      say(peer)
      await peer.flushed()
      // A second connection is served meanwhile, and gives the victim the time to read the first.
      const second = await stage.entered()
      const before = second.frames
      second.say(1, 'Request', { index: 0 })
      await second.until(() => second.frames > before + 1)
      await second.heard()
      if (ends.includes('open')) return
      peer.socket.resume()
      await peer.closed
    },
  }
}
