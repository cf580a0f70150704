/** What must hold before a booking is made or changed. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Caller } from '../accounts/caller.ts'
import type { CatalogueLab } from '../catalogue/catalogue.ts'
import type { Groups } from '../groups/groups.ts'
import { reservationsFull, type Standings } from '../permissions/standings.ts'
import type { KnownLabs } from '../runs/known-labs.ts'
import type { BookedFleet } from './booked-fleet.ts'
import { type BookingBenches, type BookingBook, type KnownBooking, wantedOf } from './booking-book.ts'
import { refuse, timeTaken } from './booking-refusals.ts'
import { type BookingRules, bookingRules } from './booking-rules.ts'
import type { NewBooking } from './bookings.ts'
import { claimIds, type Nearest, nearestFree } from './free-times.ts'
import type { KeptPlan } from './kept-plan.ts'

export interface BookingChecksOptions {
  readonly book: BookingBook
  readonly plan: Pick<KeptPlan, 'benchesOf'>
  readonly labs: KnownLabs
  readonly fleet: BookedFleet
  readonly standings: Standings
  readonly groups: Pick<Groups, 'known'>
  readonly clock: Clock
}

/** Each throws what it finds. Those that answer at once look at the memory as it is: nothing is awaited between them and the write. */
export type BookingChecks = ReturnType<typeof createBookingChecks>

/** A caller's clock may be behind the hub's. */
const lateMs = 60_000
const iso = (ms: number): string => new Date(ms).toISOString()

/** Over the bookings in memory. */
export function createBookingChecks(options: BookingChecksOptions) {
  const { book, labs, fleet, clock } = options
  const { benchesOf } = options.plan

  const labOf = async (id: string): Promise<CatalogueLab> => {
    const lab = labs.peek(id) ?? (await labs.lab(id))
    if (lab === undefined) throw refuse('lab-unknown', `there is no lab ${id}`, 'lab', 'There is no such lab.')
    return lab
  }

  const mayBook = async (caller: Caller, lab: CatalogueLab): Promise<BookingRules> => {
    const rules = await bookingRules(options.standings, caller, lab, () => clock.now())
    if (rules.mayBook) return rules
    const words = 'You may not book this lab. Its page says what you may, and whom to ask.'
    throw refuse('not-permitted', `no permission lets this person book ${lab.id}`, 'lab', words)
  }

  const checkGroup = async ({ group }: Pick<NewBooking, 'group'>) => {
    if (group === undefined || (await options.groups.known([group])).has(group)) return
    throw refuse('group-unknown', `there is no group ${group}`, 'group', 'There is no such group.')
  }

  const servingBenches = (lab: CatalogueLab, wanted: string | undefined): BookingBenches => {
    const serving = benchesOf(lab, wanted ?? null)
    if (serving.benches.length > 0) return serving
    if (wanted === undefined) {
      throw refuse(
        'no-bench',
        `no bench serves ${lab.id}`,
        'lab',
        'No bench can do this lab at present. Ask the staff.',
      )
    }
    if (!fleet.has(wanted)) throw refuse('bench-unknown', `there is no bench ${wanted}`, 'bench')
    throw refuse('no-bench', `${wanted} does not serve ${lab.id}`, 'bench')
  }

  const checkTime = ({ aheadS }: BookingRules, startsAt: number, now: number, path = 'start') => {
    if (startsAt < now - lateMs) {
      throw refuse('booking-in-past', `${iso(startsAt)} is over`, path, 'This time is over. Choose one to come.')
    }
    if (startsAt <= now + aheadS * 1000) return
    const days = Math.floor(aheadS / 86_400)
    const message = `you may book at most ${aheadS} s ahead, to ${iso(now + aheadS * 1000)}`
    throw refuse('booking-too-far', message, path, `You can book up to ${days} days ahead.`)
  }

  /** Bookings of the person that are not over, but for the one that is changed. */
  const openOf = (personId: string, now: number, but?: string) =>
    [...book.byId.values()].filter((one) => one.personId === personId && one.endsAt > now && one.id !== but)

  const checkCount = ({ mostBookings, mostOpen, openRuns }: BookingRules, { personId }: Caller, lab: string) => {
    const bookings = openOf(personId, clock.now()).filter((one) => one.lab === lab)
    if (bookings.length >= mostBookings) {
      const message = `you have ${bookings.length} bookings of ${lab} to come; ${mostBookings} is the most`
      throw refuse('bookings-too-many', message, 'lab', `${message}. Cancel one, or wait until one is over.`)
    }
    const runs = openRuns()
    // The session of one that has begun is among the runs.
    const others = bookings.filter(({ runId }) => runId === null || !runs.includes(runId))
    if (runs.length + others.length < mostOpen) return
    throw reservationsFull(lab, mostOpen, { runs, bookings: others }, 'bookings-too-many')
  }

  const checkOverlap = ({ mayOverlap }: BookingRules, wanted: KnownBooking, now: number) => {
    if (mayOverlap) return
    const other = openOf(wanted.personId, now, wanted.id).find(
      ({ startsAt, endsAt }) => startsAt < wanted.endsAt && wanted.startsAt < endsAt,
    )
    if (other === undefined) return
    const message = `you have booked ${other.lab} from ${iso(other.startsAt)} to ${iso(other.endsAt)}`
    throw refuse('booking-overlaps-own', message, 'start', 'You have another booking at that time.')
  }

  /** Not where the person has others, nor beside these. */
  const nearest = (
    wanted: KnownBooking,
    benches: BookingBenches,
    { aheadS, mayOverlap }: BookingRules,
    beside: readonly KnownBooking[] = [],
  ): Nearest => {
    const now = clock.now()
    const own = mayOverlap ? beside : [...openOf(wanted.personId, now, wanted.id), ...beside]
    const found = nearestFree({
      plan: book.plan,
      wanted: wantedOf(wanted, benches),
      start: wanted.startsAt,
      earliest: now,
      latest: now + aheadS * 1000,
      leaving: new Set(claimIds(wanted)),
    })
    const lengthMs = wanted.endsAt - wanted.startsAt
    const isFree = (from: number | undefined): from is number =>
      from !== undefined && !own.some(({ startsAt, endsAt }) => startsAt < from + lengthMs && from < endsAt)
    return {
      ...(isFree(found.before) ? { before: found.before } : {}),
      ...(isFree(found.after) ? { after: found.after } : {}),
    }
  }

  const conflict = (wanted: KnownBooking, benches: BookingBenches, rules: BookingRules): LabError =>
    timeTaken(wanted, nearest(wanted, benches, rules))

  return {
    labOf,
    mayBook,
    checkGroup,
    servingBenches,
    checkTime,
    openOf,
    checkCount,
    checkOverlap,
    nearest,
    conflict,
    checkPlaces,
  }
}

function checkPlaces({ mostPlaces, forGroups }: BookingRules, { places, group }: Pick<NewBooking, 'places' | 'group'>) {
  if (group !== undefined && !forGroups) throw refuse('booking-invalid', 'only staff book for a group', 'group')
  if (places <= mostPlaces) return
  throw refuse('booking-invalid', `you may book ${mostPlaces} bench at once`, 'places')
}
