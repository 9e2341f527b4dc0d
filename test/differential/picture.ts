/**
 * What the generator of the differential run believes to be there.
 *
 * @module
 */
import type { DriveName } from './step.ts'

/** What the generator believes of one drive. */
export interface Picture {
  readonly files: Map<string, number>
  readonly folders: Set<string>
  readonly links: Map<number, string>
  readonly tags: Set<string>
  readonly mounts: Map<string, DriveName>
}

/** The name of a link. */
export function linkName(number: number): string {
  return `l${number}`
}

/** Nothing is there. */
export function emptyPicture(): Picture {
  return {
    files: new Map(),
    folders: new Set(),
    links: new Map(),
    tags: new Set(),
    mounts: new Map(),
  }
}
