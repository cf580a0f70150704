/** Giving back what may be held, as soon as whoever it is held at is there. */
import type { Clock } from '../../primitives/clock.ts'

export const GIVE_BACK_EACH_MS = 2000

/**
 * Tries until it resolves, which it is to do also once there is nothing left to give back; ends with the signal, after one
 * try. Never rejects.
 */
export async function giveBackLater(
  giveBack: () => Promise<unknown>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const isDone = () =>
    giveBack().then(
      () => true,
      () => false, // tried again
    )
  while (!(await isDone()) && !signal.aborted) {
    await clock.sleep(GIVE_BACK_EACH_MS, signal).catch(() => {}) // one more try
  }
}
