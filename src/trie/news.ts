/**
 * What a reader asks before it looks at the newest version: whether there is a newer one, and, when nothing at all is
 * known of the log, anything.
 *
 * @module
 */
import type { HeadOptions } from './options.ts'
import type { TrieLog } from './trie-log.ts'

/**
 * Hear of a longer log, if a peer is there to tell; with `known`, wait for the first block of a log of which nothing is
 * known, as the options say.
 *
 * @param asksPeers - whether to ask for what is newer
 */
export async function hearOf(
  log: TrieLog,
  options: HeadOptions,
  asksPeers: boolean,
): Promise<void> {
  const { wait, timeout, signal, known } = options
  if (asksPeers && wait !== false) {
    try {
      await log.update({ ifAvailable: true, hash: false, timeout, signal })
    } catch {
      // Nobody there, or too slow: what is known has to do.
      signal?.throwIfAborted()
    }
  }
  if (!known || log.writable || log.length > 0) return
  signal?.throwIfAborted()
  await log.get(0, { wait, timeout, signal, valueEncoding: 'binary' })
}
