/** A bench that somebody has by a live session: while its live step lasts, and no longer. */
import { readSessionHold } from '@fernlab/shared/contracts/session-hold'
import type { Bench } from '../../benches/bench.ts'
import type { Seat } from '../../engine/seat.ts'
import type { Queue } from '../../queue/queue.ts'
import type { Caller } from '../service-source.ts'

export interface SeatHolds {
  /** The session of the hold, where it has the bench and its person may drive; undefined for any other hold. */
  of(hold: Caller['hold']): Seat | undefined
}

export interface SeatHoldsOptions {
  readonly benches: ReadonlyMap<string, Pick<Bench, 'holder'>>
  readonly seat: Queue['seat']
  /** One of those that were found is over. */
  readonly onOver: () => void
}

export function createSeatHolds({ benches, seat, onOver }: SeatHoldsOptions): SeatHolds {
  const followed = new WeakSet<Seat>()
  return {
    of: (hold) => {
      const key = hold === undefined ? undefined : readSessionHold(hold.lease)
      if (hold === undefined || key === undefined) return undefined
      const holder = benches.get(hold.bench)?.holder
      const found = holder?.kind === 'run' && holder.id === key.runId ? seat(key) : undefined
      if (found?.secondsLeft === undefined) return undefined
      if (!followed.has(found)) found.onOver(onOver)
      followed.add(found)
      return found
    },
  }
}
