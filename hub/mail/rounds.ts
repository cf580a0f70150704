/** Work in the background, such as letters that are due, one round at a time. */
import type { Clock } from '@fernlab/shared/primitives/clock'

export interface Rounds {
  /** Begins a round; while one is under way, another follows it. */
  look(): void
  /** True once it is closed: a round that is under way ends where it can. */
  readonly closed: boolean
  /** Begins no more; resolves when the round that is under way has ended. */
  close(): Promise<void>
}

export interface CreateRoundsOptions {
  readonly work: () => Promise<void>
  /** A round begins by itself so often. */
  readonly everyMs: number
  readonly onFailure: (error: unknown) => void
  readonly clock: Pick<Clock, 'after'>
}

/** Rounds until they are closed. */
export function createRounds({ work, everyMs, onFailure, clock }: CreateRoundsOptions): Rounds {
  let closed = false
  let working: Promise<void> | undefined
  let again = false
  const look = () => {
    if (closed) return
    again = working !== undefined
    working ??= work()
      .catch(onFailure)
      .finally(() => {
        working = undefined
        if (again) look()
      })
  }
  const tick = () => {
    look()
    cancelTick = clock.after(everyMs, tick)
  }
  let cancelTick = clock.after(everyMs, tick)
  return {
    look,
    get closed() {
      return closed
    },
    close: async () => {
      closed = true
      cancelTick()
      await working
    },
  }
}
