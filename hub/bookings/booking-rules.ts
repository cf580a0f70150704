/** What a person may book of a lab: staff are not limited, others by the lab and by their permissions. */

import { isStaff } from '@fernlab/shared/contracts/people'
import type { BookingAllowance } from '@fernlab/shared/contracts/permissions'
import { sessionTimes } from '@fernlab/shared/contracts/sessions'
import { SESSION_PROTOCOL } from '@fernlab/shared/protocol/session-protocol'
import type { Caller } from '../accounts/caller.ts'
import type { CatalogueLab } from '../catalogue/catalogue.ts'
import { dayOf } from '../permissions/bench-use.ts'
import { bookedS, requireQuota } from '../permissions/quotas.ts'
import type { Standing, Standings } from '../permissions/standings.ts'
import type { KnownBooking } from './booking-book.ts'
import { refuse } from './booking-refusals.ts'

export interface BookingRules {
  readonly mayBook: boolean
  /** A booking begins at most so many seconds from now. */
  readonly aheadS: number
  /** Bookings of the lab that are not over. */
  readonly mostBookings: number
  /** Those and runs that wait or run. */
  readonly mostOpen: number
  /** Ids of the person's runs of the lab that wait or run at the moment. */
  readonly openRuns: () => readonly string[]
  /** Benches at once in one booking. */
  readonly mostPlaces: number
  /** For the people of a group. */
  readonly forGroups: boolean
  /** Bookings of one person may lie at the same time: staff book for others. */
  readonly mayOverlap: boolean
  /**
   * Throws `not-permitted`, `booking-too-long` or `quota-used` unless the bench may be kept for that time, or for as much
   * longer than it was until now. Nothing may be awaited between this and taking it.
   */
  readonly requireTime: (wanted: KnownBooking, instead?: KnownBooking) => void
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
  openRuns: () => [],
  mostPlaces: 50,
  forGroups: true,
  mayOverlap: true,
  requireTime: () => {},
}

/** What a booking of the lab is used for: its sessions where it offers any, else whatever is submitted. */
const protocolOf = ({ session }: CatalogueLab): string | undefined =>
  session === undefined ? undefined : SESSION_PROTOCOL

type Person = Pick<Caller, 'personId' | 'role'>

/** The rules that hold now for somebody in a lab. */
export async function bookingRules(
  standings: Standings,
  caller: Person,
  lab: CatalogueLab,
  now: () => number,
): Promise<BookingRules> {
  if (isStaff(caller.role)) return ofStaff
  const standing = await standings.of(caller, lab.id)
  const { mayBook, bookAheadS, mostBookings, mostOpen } = standing.effective(protocolOf(lab)).gives
  return {
    mayBook,
    aheadS: Math.min(bookAheadS ?? furthestS, furthestS),
    mostBookings: Math.min(mostBookings ?? mostOfAll, mostOfAll),
    mostOpen: mostOpen ?? Number.POSITIVE_INFINITY,
    openRuns: standing.openRuns,
    mostPlaces: 1,
    forGroups: false,
    mayOverlap: false,
    requireTime: (wanted, instead) => requireTime(standing, lab, wanted, { instead, nowMs: now() }),
  }
}

/** How long one booking of the lab may be; null: as long as the calendar allows. */
function longestS(standing: Standing, lab: CatalogueLab, atMs?: number): number | null {
  if (lab.session === undefined) return null
  const { mostSeconds } = sessionTimes(lab.lab.session ?? {})
  const { sessionS } = standing.effective(SESSION_PROTOCOL, atMs).gives
  return Math.min(mostSeconds, sessionS ?? mostSeconds)
}

/** Whether somebody without staff's rights may have a bench of the lab by a booking at that time. */
export function mayBookAt(standing: Standing, lab: CatalogueLab, atMs: number): boolean {
  return standing.effective(protocolOf(lab), atMs).gives.mayBook && longestS(standing, lab, atMs) !== 0
}

function requireTime(
  standing: Standing,
  lab: CatalogueLab,
  wanted: KnownBooking,
  { instead, nowMs }: { readonly instead: KnownBooking | undefined; readonly nowMs: number },
): void {
  const protocol = protocolOf(lab)
  const moments = [Math.max(wanted.startsAt, nowMs), wanted.endsAt - 1]
  for (const at of moments) {
    if (standing.effective(protocol, at).gives.mayBook) continue
    const message = `no permission lets this person book ${lab.id} at ${new Date(at).toISOString()}`
    throw refuse('not-permitted', message, 'start', 'Your permission for this lab does not hold for all of that time.')
  }
  const lengthS = (wanted.endsAt - wanted.startsAt) / 1000
  const isLonger = instead === undefined || wanted.endsAt - wanted.startsAt > instead.endsAt - instead.startsAt
  for (const at of moments) {
    const most = longestS(standing, lab, at)
    if (!isLonger || most === null || lengthS <= most) continue
    const message = `a booking of ${lab.id} may last ${most} s at most`
    const words =
      most === 0
        ? 'Your permissions give no time for sessions of this lab. Its page says whom to ask.'
        : `You can book this lab for ${most} s at most.`
    throw refuse('booking-too-long', message, 'seconds', words)
  }
  if (!isLonger && dayOf(wanted.endsAt) === dayOf(instead.endsAt)) return
  // The session of one that has begun is among what is used, until its end of now.
  const hasBegun = instead !== undefined && instead.startsAt <= nowMs
  const wantedS = hasBegun ? (wanted.endsAt - instead.endsAt) / 1000 : bookedS(wanted)
  const { gives } = standing.effective(protocol, moments[0])
  const taken = standing.taken(wanted.endsAt, gives.countsSetup, wanted.id)
  requireQuota(gives, taken, { lab: lab.id, atMs: wanted.endsAt, nowMs, wantedS })
}

/** What is left for somebody to book; `open`: their bookings of the lab that are not over. */
export async function bookingAllowance(
  standings: Standings,
  person: Person,
  lab: CatalogueLab,
  { open, nowMs }: { readonly open: number; readonly nowMs: number },
): Promise<BookingAllowance> {
  if (isStaff(person.role)) {
    return { may: true, longestS: null, aheadS: null, most: null, left: null, dayLeftS: null, weekLeftS: null }
  }
  const standing = await standings.of(person, lab.id)
  const { mayBook, bookAheadS, mostBookings, dayS, weekS, countsSetup } = standing.effective(protocolOf(lab)).gives
  const taken = standing.taken(nowMs, countsSetup)
  const rest = (most: number | null, used: number) => (most === null ? null : Math.max(0, most - Math.ceil(used)))
  return {
    may: mayBook,
    longestS: longestS(standing, lab),
    aheadS: bookAheadS,
    most: mostBookings,
    left: rest(mostBookings, open),
    dayLeftS: rest(dayS, taken.dayS),
    weekLeftS: rest(weekS, taken.weekS),
  }
}
