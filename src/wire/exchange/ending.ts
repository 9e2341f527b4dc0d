/**
 * When a replication that is not live is over, for one peer. Completion is kept per peer, so that finishing
 * with one takes nothing from the others (quirk Q-8).
 *
 *     writer → reader   Status(up, !down)           at open
 *     reader → writer   Status(up, !down)           it has everything
 *     writer → reader   Status(!up, !down), Close
 *     reader → writer   Close
 *
 * @see spec/20-wire.md 3.10
 * @module
 */

/** What the rules look at. */
export interface EndState {
  readonly live: boolean
  readonly sparse: boolean
  readonly downloading: boolean
  readonly remoteDownloading: boolean
  readonly remoteUploading: boolean
  /** The log has downloads to do, whether or not they are complete. */
  readonly hasSelections: boolean
}

/** What a reader knows of its progress with one peer. */
export interface Progress extends EndState {
  /** No Want is unanswered, and no part is left to ask for. */
  readonly wantsAnswered: boolean
  /** Nothing is in flight or being stored. */
  readonly idle: boolean
  /** The peer has nothing that could be asked of it in addition. */
  readonly dry: boolean
  /** Everything is held, as far as the log and all its peers go. */
  readonly complete: () => boolean
}

/**
 * Whether the reader is done with this peer: all it offers is fetched, and either that is all there is, or the
 * peer gets no more itself. A peer that uploads nothing is never done with (it may begin to).
 */
export function isDone(progress: Progress): boolean {
  return (
    !progress.live &&
    !progress.sparse &&
    progress.downloading &&
    progress.remoteUploading &&
    progress.wantsAnswered &&
    progress.idle &&
    progress.dry &&
    (!progress.remoteDownloading || progress.complete())
  )
}

/** Whether a Status that says "not downloading" ends it from our side too. */
export function endsOnStatus(state: EndState): boolean {
  if (state.live || state.remoteDownloading) return false
  if (state.downloading) return !state.sparse && !state.hasSelections
  return !state.sparse || !state.remoteUploading
}

/** What to do when our side is at its end. */
export type EndStep =
  /** Say "not downloading", and stay for the remote. */
  | 'say-done'
  /** Say that we do nothing any more, and close. */
  | 'say-nothing-and-close'
  | 'close'

/** The step that `end()` of the specification takes. */
export function endStep(state: EndState, createdDownloading: boolean): EndStep {
  if (state.downloading) return 'say-done'
  return !state.remoteDownloading && !createdDownloading ? 'say-nothing-and-close' : 'close'
}
