/**
 * The figures of logs as OpenMetrics text, to be served to whoever collects them.
 *
 *     # TYPE varve_log_length_blocks gauge
 *     varve_log_length_blocks{log="3f…"} 7
 *
 * A log is labelled by its discovery key, never by its key; a peer by its place among the log's peers, and its address.
 *
 * @see https://openmetrics.io
 * @module
 */
import type { LogMetrics, PeerMetrics } from './metrics.ts'

/** Which log, and where it matters which of its peers, or what kind. */
export type MetricLabels = Readonly<Record<string, string>>

/** One figure. */
export interface MetricSample {
  /** As in the text, without `varve_` and `_total`. */
  readonly name: string
  /** A counter only grows; a gauge goes up and down. */
  readonly type: 'counter' | 'gauge'
  readonly labels: MetricLabels
  readonly value: number
}

type Labels = MetricLabels

interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly samples: (logs: readonly LogMetrics[]) => (readonly [Labels, number])[]
}

/** Text of all these logs; it ends as the format wants, so give all logs at once. */
export function toOpenMetrics(logs: readonly LogMetrics[]): string {
  const lines: string[] = []
  for (const { name, help, type, samples } of FAMILIES) {
    lines.push(`# TYPE varve_${name} ${type}`, `# HELP varve_${name} ${help}`)
    const suffix = type === 'counter' ? '_total' : ''
    for (const [labels, value] of samples(logs)) {
      lines.push(`varve_${name}${suffix}{${textOf(labels)}} ${value}`)
    }
  }
  lines.push('# EOF')
  return `${lines.join('\n')}\n`
}

/** Every figure of these logs, one by one. */
export function samplesOf(logs: readonly LogMetrics[]): MetricSample[] {
  return FAMILIES.flatMap(({ name, type, samples }) =>
    samples(logs).map(([labels, value]) => ({ name, type, labels, value })),
  )
}

const FAMILIES: readonly Family[] = [
  ofLog('log_length_blocks', 'gauge', 'Blocks of the log.', (log) => log.length),
  ofLog('log_size_bytes', 'gauge', 'Bytes of all blocks.', (log) => log.byteLength),
  ofLog('log_remote_length_blocks', 'gauge', 'Longest log of a peer.', (log) => log.remoteLength),
  ofLog('log_peers', 'gauge', 'Peers that are connected.', (log) => log.peers.length),
  ofLog('log_selections', 'gauge', 'Downloads that are on.', (log) => log.selections),
  ofLog('log_uploaded_blocks', 'counter', 'Blocks sent.', (log) => log.uploadedBlocks),
  ofLog('log_uploaded_bytes', 'counter', 'Bytes of them.', (log) => log.uploadedBytes),
  ofLog('log_downloaded_blocks', 'counter', 'Blocks stored.', (log) => log.downloadedBlocks),
  ofLog('log_downloaded_bytes', 'counter', 'Bytes of them.', (log) => log.downloadedBytes),
  ofLog('log_requests_sent', 'counter', 'Requests sent.', (log) => log.requestsSent),
  ofLog('log_requests_received', 'counter', 'Requests taken.', (log) => log.requestsReceived),
  {
    name: 'log_waits',
    type: 'gauge',
    help: 'What readers stand still for.',
    samples: (logs) => logs.flatMap((log) => WAITS.map((wait) => waitsOf(log, wait))),
  },
  {
    name: 'log_longest_wait_seconds',
    type: 'gauge',
    help: 'How long the first of them has waited.',
    samples: (logs) => logs.map((log) => [labelsOf(log), longestWait(log) / 1000]),
  },
  {
    name: 'log_endings',
    type: 'counter',
    help: 'Peers that are gone, by the code of the error that ended them.',
    samples: (logs) =>
      logs.flatMap((log) =>
        Object.entries(log.endings).map(
          ([reason, count]) => [{ ...labelsOf(log), reason }, count] as const,
        ),
      ),
  },
  ofPeer('peer_remote_length_blocks', 'gauge', 'Its log.', (peer) => peer.remoteLength),
  ofPeer('peer_requests_in_flight', 'gauge', 'Not answered by it.', (p) => p.requestsInFlight),
  ofPeer('peer_requests_queued', 'gauge', 'Not answered to it.', (peer) => peer.requestsQueued),
  ofPeer('peer_uploaded_bytes', 'counter', 'Blocks sent to it.', (peer) => peer.uploadedBytes),
  ofPeer('peer_downloaded_bytes', 'counter', 'Blocks from it.', (peer) => peer.downloadedBytes),
  ofPeer('connection_sent_bytes', 'counter', 'Its connection.', (p) => p.connection.bytesSent),
  ofPeer(
    'connection_received_bytes',
    'counter',
    'Its connection.',
    (peer) => peer.connection.bytesReceived,
  ),
  {
    name: 'connection_charged_messages',
    type: 'counter',
    help: 'Messages charged to its allowance, by reason.',
    samples: (logs) =>
      everyPeer(logs).flatMap(([labels, peer]) =>
        Object.entries(peer.connection.charged).map(
          ([reason, count]) => [{ ...labels, reason }, count] as const,
        ),
      ),
  },
]

const WAITS = ['block', 'length', 'seek'] as const

function ofLog(
  name: string,
  type: Family['type'],
  help: string,
  value: (log: LogMetrics) => number,
): Family {
  return { name, type, help, samples: (logs) => logs.map((log) => [labelsOf(log), value(log)]) }
}

function ofPeer(
  name: string,
  type: Family['type'],
  help: string,
  value: (peer: PeerMetrics) => number,
): Family {
  const samples: Family['samples'] = (logs) =>
    everyPeer(logs).map(([labels, peer]) => [labels, value(peer)])
  return { name, type, help, samples }
}

function everyPeer(logs: readonly LogMetrics[]): (readonly [Labels, PeerMetrics])[] {
  return logs.flatMap((log) =>
    log.peers.map((peer, place) => {
      const address = peer.remoteAddress ?? ''
      return [{ ...labelsOf(log), peer: String(place), address }, peer] as const
    }),
  )
}

function labelsOf(log: LogMetrics): Labels {
  return { log: log.discoveryKey }
}

function waitsOf(log: LogMetrics, type: (typeof WAITS)[number]): readonly [Labels, number] {
  return [{ ...labelsOf(log), type }, log.waiting.filter((wait) => wait.type === type).length]
}

function longestWait({ waiting }: LogMetrics): number {
  return waiting.reduce((longest, { waitedMs }) => Math.max(longest, waitedMs ?? 0), 0)
}

function textOf(labels: Labels): string {
  return Object.entries(labels)
    .map(
      ([name, value]) => `${name}="${value.replaceAll(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`,
    )
    .join(',')
}
