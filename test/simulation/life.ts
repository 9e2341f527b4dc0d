/**
 * The life of a world: step by step something happens, time passes, and who was away comes back.
 *
 * @module
 */
import type { Mesh } from './mesh.ts'

/** Somebody who may be away. */
export interface Mortal {
  /** Steps until it comes back; 0: it is here. */
  away: number
}

/** What is done in a world. */
export interface LifeOptions<Member extends Mortal> {
  readonly mesh: Mesh
  /** All there are; some may come while it goes on. */
  readonly members: readonly Member[]
  readonly steps: number
  /** Time between two steps, in milliseconds, at most. */
  readonly pauseMs: number
  /** Do the thing with this number, below 20. */
  readonly act: (action: number) => Promise<void>
  /** Somebody comes back. */
  readonly comeBack: (member: Member) => Promise<void>
}

/** Live it. */
export async function live<Member extends Mortal>(options: LifeOptions<Member>): Promise<void> {
  const { mesh, members, steps, pauseMs, act, comeBack } = options
  for (let step = 0; step < steps; step++) {
    const action = mesh.below(20)
    mesh.network.note(action)
    // oxlint-disable-next-line no-await-in-loop -- one thing after the other
    await act(action)
    // oxlint-disable-next-line no-await-in-loop
    await mesh.network.run(mesh.below(pauseMs))
    for (const member of members) {
      // oxlint-disable-next-line no-await-in-loop
      if (member.away > 0 && --member.away === 0) await comeBack(member)
    }
  }
}
