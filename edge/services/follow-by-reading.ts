import type { Clock } from '@fernlab/shared/primitives/clock'

export interface FollowByReading {
  readonly read: () => Promise<unknown>
  readonly rateHz: number
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Reads again and again; who takes readings slowly gets the newest ones, not those that were due. */
export async function* followByReading({ read, rateHz, clock, signal }: FollowByReading): AsyncGenerator<unknown> {
  const everyMs = 1000 / rateHz
  let due = clock.monotonic()
  for (;;) {
    yield await read()
    due = Math.max(due + everyMs, clock.monotonic())
    await clock.sleep(due - clock.monotonic(), signal)
  }
}
