/** Whether the time of day is to be believed, by how it moves beside the steady clock, which never jumps. */
import type { Clock } from '@fernlab/shared/primitives/clock'

export interface ClockTrust {
  /** To be called every minute or so: a jump since the last call is a reason to doubt the time. */
  look(): void
  /** There is another reason to. */
  doubt(): void
  /** False for a few hours after each doubt: somebody, or the network's time, has set a wrong clock right by then. */
  readonly isGiven: boolean
}

/** What the clocks may drift apart between two looks. */
const JUMP_MS = 5 * 60_000
const STEADY_MS = 4 * 3_600_000

/** Trusts the clock from the start on. */
export function createClockTrust(clock: Pick<Clock, 'now' | 'monotonic'>): ClockTrust {
  /** The time of day when the steady clock was at its start. */
  let origin: number | undefined
  let doubtedAt = Number.NEGATIVE_INFINITY

  const doubt = () => {
    doubtedAt = clock.monotonic()
  }
  return {
    look: () => {
      const seen = clock.now() - clock.monotonic()
      if (origin !== undefined && Math.abs(seen - origin) > JUMP_MS) doubt()
      origin = seen
    },
    doubt,
    get isGiven() {
      return clock.monotonic() - doubtedAt >= STEADY_MS
    },
  }
}
