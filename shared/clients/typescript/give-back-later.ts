/** Giving back what may be held, until whoever it is held at has answered. */
import type { Clock } from '../../primitives/clock.ts'

const EACH_MS = 2000

export interface GiveBackLater {
  /** Under way; rejects where nobody answered. */
  readonly first: Promise<unknown>
  /** The same, begun anew; it is to resolve also once there is nothing left to give back. */
  readonly again: () => Promise<unknown>
  readonly clock: Clock
  /** Ends it, after the try that is under way. */
  readonly signal: AbortSignal
}

/** Tries every two seconds until it resolves. Never rejects. */
export async function giveBackLater({ first, again, clock, signal }: GiveBackLater): Promise<void> {
  const isDone = (one: Promise<unknown>) =>
    one.then(
      () => true,
      () => false, // tried again
    )
  for (let one = first; !(await isDone(one)) && !signal.aborted; one = again()) {
    await clock.sleep(EACH_MS, signal).catch(() => {}) // one more try
  }
}
