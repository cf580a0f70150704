/** Which places the bookings of these hours need, and which benches would do for each. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { CatalogueLab } from '../catalogue/catalogue.ts'
import type { FleetBook } from '../fleet/fleet-book.ts'
import type { KnownLabs } from '../runs/known-labs.ts'
import type { Ledger } from '../runs/ledger.ts'
import type { OpenRun } from '../runs/open-runs.ts'
import type { BookedPlace } from '../scheduling/reserved.ts'
import type { BookedFleet } from './booked-fleet.ts'
import { opensItself, secondsLeft } from './booked-session.ts'
import { type BookingBook, bookingClaims, inOrderOf, type KnownBooking } from './booking-book.ts'
import type { BookingPermits } from './booking-permits.ts'
import type { Claim } from './placement.ts'
import { AHEAD_MS } from './session-times.ts'

export interface BookedPlaces {
  /** Bookings that are under way, or to come soon enough to matter, in the order in which they were booked. */
  nearby(): readonly KnownBooking[]
  /** Their places, in the same order. */
  places(): readonly BookedPlace[]
  /** What the booking needs of the benches that serve the lab. */
  claimsOf(booking: KnownBooking, lab: CatalogueLab): readonly Claim[]
  /** Whether there is another bench for the rest of the booking whose bench the run has. */
  hasOtherBench(run: OpenRun): boolean
}

export interface BookedPlacesOptions {
  readonly book: BookingBook
  readonly fleet: BookedFleet
  readonly benches: FleetBook
  readonly runs: Ledger['runs']
  readonly labs: Pick<KnownLabs, 'peek'>
  readonly permits: BookingPermits
  readonly clock: Clock
}

const LOOK_MS = 1000

interface Near {
  readonly version: number
  readonly at: number
  readonly bookings: readonly KnownBooking[]
}

/** Over the bookings and the fleet in memory. */
export function createBookedPlaces(options: BookedPlacesOptions): BookedPlaces {
  const { book, fleet, benches, runs, labs, permits, clock } = options
  let near: Near = { version: -1, at: 0, bookings: [] }
  let claims = new WeakMap<KnownBooking, { readonly lab: CatalogueLab; readonly claims: readonly Claim[] }>()
  let shape = -1

  /** Looked for once a second, and when one changes. */
  const nearby = (): readonly KnownBooking[] => {
    const now = clock.now()
    const { version } = book
    const isKnown = near.version === version && now >= near.at && now < near.at + LOOK_MS
    if (!isKnown) {
      const isNear = ({ startsAt, endsAt, cleanUpMs }: KnownBooking) =>
        startsAt < now + AHEAD_MS && endsAt + cleanUpMs > now
      const bookings = inOrderOf([...book.byId.values()].filter(isNear))
      near = { version, at: now, bookings }
    }
    return near.bookings
  }

  const claimsOf = (booking: KnownBooking, lab: CatalogueLab): readonly Claim[] => {
    const known = claims.get(booking)
    if (known?.lab === lab) return known.claims
    const serving = [...fleet.benchesFor(lab)].sort()
    const wanted = booking.wantedBench === null ? serving : serving.filter((id) => id === booking.wantedBench)
    const made = bookingClaims(booking, { benches: wanted, closed: fleet.closed })
    claims.set(booking, { lab, claims: made })
    return made
  }

  /** Without the benches that could not be made ready for its session. */
  const readyFor = ({ runId }: KnownBooking, all: readonly Claim[]): readonly Claim[] => {
    const { unready = [] } = (runId === null ? undefined : runs.get(runId)) ?? {}
    if (unready.length === 0) return all
    return all.map((claim) => ({ ...claim, benches: claim.benches.filter((id) => !unready.includes(id)) }))
  }

  /** By booking: the benches that are used for it. */
  const inUse = (): Map<string, string[]> => {
    const used = new Map<string, string[]>()
    for (const { runId } of benches.benches.values()) {
      const run = runId === null ? undefined : runs.get(runId)
      if (run?.hold === undefined || run.booking === null) continue
      used.set(run.booking, [...(used.get(run.booking) ?? []), run.hold.bench])
    }
    return used
  }

  return {
    nearby,
    claimsOf,
    places: () => {
      const bookings = nearby()
      if (bookings.length === 0) return []
      const shapeNow = fleet.shape()
      if (shape !== shapeNow) {
        shape = shapeNow
        claims = new WeakMap()
      }
      const used = inUse()
      return bookings.flatMap((booking) => {
        const lab = labs.peek(booking.lab)
        if (lab === undefined) return []
        const held = used.get(booking.id) ?? []
        const isDue = booking.startsAt <= clock.now()
        const opensOnce = opensItself(booking, lab) && booking.runId === null
        if (opensOnce && isDue && secondsLeft(booking, lab, clock.now()) === 0) return []
        const opens = opensOnce && (!isDue || permits.may(booking, lab) === true)
        return readyFor(booking, claimsOf(booking, lab)).map((claim, at) => {
          const bench = held[at]
          const own = booking.runId === null ? {} : { own: booking.runId }
          return bench === undefined ? { ...claim, ...own, opens } : { ...claim, ...own, opens, held: bench }
        })
      })
    },
    hasOtherBench: (run) => {
      const booking = run.booking === null ? undefined : book.byId.get(run.booking)
      const lab = booking === undefined ? undefined : labs.peek(booking.lab)
      if (booking === undefined || lab === undefined || secondsLeft(booking, lab, clock.now()) === 0) return false
      return claimsOf(booking, lab).some((claim) =>
        claim.benches.some((id) => {
          if (id === run.hold?.bench || run.unready.includes(id)) return false
          if (run.wantedBench !== null && run.wantedBench !== id) return false
          const bench = benches.benches.get(id)
          return bench !== undefined && !bench.gone && bench.out === undefined
        }),
      )
    },
  }
}
