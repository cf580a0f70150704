/** What a person may book of a lab: staff are not limited, others by their permissions. */
import { isStaff } from '@fernlab/shared/contracts/people'
import type { Caller } from '../accounts/caller.ts'
import type { Standings } from '../permissions/standings.ts'

export interface BookingRules {
  readonly mayBook: boolean
  /** A booking begins at most so many seconds from now. */
  readonly aheadS: number
  /** Bookings of the lab that are not over. */
  readonly mostBookings: number
  /** Those and runs that wait or run; `openRuns` are counted already. */
  readonly mostOpen: number
  readonly openRuns: number
  /** Benches at once in one booking. */
  readonly mostPlaces: number
  /** For the people of a group. */
  readonly forGroups: boolean
  /** Bookings of one person may lie at the same time: staff book for others. */
  readonly mayOverlap: boolean
}

/** Nobody books later than in so many days, and nobody has more bookings of a lab. */
const furthestS = 400 * 86_400
const mostOfAll = 2000

/** What limits the calendar alone. */
export const ofStaff: BookingRules = {
  mayBook: true,
  aheadS: furthestS,
  mostBookings: mostOfAll,
  mostOpen: Number.POSITIVE_INFINITY,
  openRuns: 0,
  mostPlaces: 50,
  forGroups: true,
  mayOverlap: true,
}

/** The rules that hold now for somebody in a lab. */
export async function bookingRules(standings: Standings, caller: Caller, lab: string): Promise<BookingRules> {
  if (isStaff(caller.role)) return ofStaff
  const standing = await standings.of(caller, lab)
  const { mayBook, bookAheadS, mostBookings, mostOpen, countsSetup } = standing.effective().gives
  return {
    mayBook,
    aheadS: Math.min(bookAheadS ?? furthestS, furthestS),
    mostBookings: Math.min(mostBookings ?? mostOfAll, mostOfAll),
    mostOpen: mostOpen ?? Number.POSITIVE_INFINITY,
    openRuns: standing.used(countsSetup).open,
    mostPlaces: 1,
    forGroups: false,
    mayOverlap: false,
  }
}
