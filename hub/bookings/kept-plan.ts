/** The plan of the benches that stand for bookings, found anew whenever benches, their closures or labs have changed. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { CatalogueLab } from '../catalogue/catalogue.ts'
import type { KnownLabs } from '../runs/known-labs.ts'
import type { BookedFleet } from './booked-fleet.ts'
import type { BookingBenches, BookingBook } from './booking-book.ts'
import type { Plan } from './plan.ts'

export interface KeptPlan {
  /** Resolves with a plan of the benches and labs as they are now; what follows at once can rely on it. */
  now(): Promise<Plan>
  /** The benches that would do, or the one that is wanted where it does. */
  benchesOf(lab: CatalogueLab | undefined, wanted: string | null): BookingBenches
  /** Somebody without a bench may get one now. */
  renew(): void
  close(): void
}

export interface KeptPlanOptions {
  readonly book: BookingBook
  readonly labs: KnownLabs
  readonly catalogue: { onChange(listener: (lab: string) => void): () => void }
  readonly fleet: BookedFleet
  readonly clock: Clock
}

/** Keeps the plan of the book. */
export function createKeptPlan({ book, labs, catalogue, fleet, clock }: KeptPlanOptions): KeptPlan {
  let plannedShape = -1
  let labChanges = 0
  let plannedChanges = -1
  const stop = catalogue.onChange(() => {
    labChanges++
  })

  const benchesOf: KeptPlan['benchesOf'] = (lab, wanted) => {
    const serving = lab === undefined ? [] : [...fleet.benchesFor(lab)].sort()
    return { benches: wanted === null ? serving : serving.filter((id) => id === wanted), closed: fleet.closed }
  }
  /** Memory that was read again has no plan yet. */
  const isWhole = () => book.plan.size > 0 || book.unplaced.size > 0 || book.byId.size === 0

  return {
    now: async () => {
      while (plannedShape !== fleet.shape() || plannedChanges !== labChanges || !isWhole()) {
        const changes = labChanges
        const found = new Map<string, CatalogueLab | undefined>()
        for (const { lab } of book.byId.values()) if (!found.has(lab)) found.set(lab, await labs.lab(lab))
        if (changes !== labChanges) continue
        if ([...book.byId.values()].some(({ lab }) => !found.has(lab))) continue
        plannedShape = fleet.shape()
        plannedChanges = changes
        book.replan(({ lab, wantedBench }) => benchesOf(found.get(lab), wantedBench))
      }
      book.forget(clock.now())
      return book.plan
    },
    benchesOf,
    renew: () => {
      plannedChanges = -1
    },
    close: stop,
  }
}
