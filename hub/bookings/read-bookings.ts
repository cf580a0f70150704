/** The bookings as they are told: one, lists of them, and the calendar of a lab. */
import { type Booking, type Calendar, LONGEST_BOOKING_S } from '@fernlab/shared/contracts/bookings'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Closure } from '../bench-care/closed-times.ts'
import type { KnownLabs } from '../runs/known-labs.ts'
import type { Delay } from '../scheduling/bumping.ts'
import type { Store } from '../store/store.ts'
import type { BookedFleet } from './booked-fleet.ts'
import type { BookingBook } from './booking-book.ts'
import type { BookingChecks } from './booking-checks.ts'
import { unknownBooking } from './booking-refusals.ts'
import type { Bookings, ListBookings } from './bookings.ts'
import { claimIds, freeBenches } from './free-times.ts'
import type { KeptPlan } from './kept-plan.ts'
import type { Span } from './placement.ts'
import { sessionNeeds } from './session-times.ts'
import type { BookingTable } from './tables.ts'

export interface ReadBookingsOptions {
  readonly store: Pick<Store, 'db'>
  readonly book: BookingBook
  readonly plan: KeptPlan
  readonly labs: Pick<KnownLabs, 'peek'>
  readonly fleet: BookedFleet
  readonly checks: Pick<BookingChecks, 'labOf' | 'servingBenches'>
  /** Why the place of a booking begins late. */
  readonly delayOf: (place: string) => Delay | undefined
  readonly clock: Clock
}

/** No booking is longer, and what a session adds is less than a day. */
const longestMs = (LONGEST_BOOKING_S + 86_400) * 1000
/** Bookings in one answer of a calendar. */
const mostShown = 1000
const iso = (ms: number): string => new Date(ms).toISOString()

/** Reads them from the database, and what is not on disk from the memory. */
export function readBookings(
  options: ReadBookingsOptions,
): Pick<Bookings, 'get' | 'list' | 'calendar' | 'seriesOwner'> & { existing(id: string): Promise<Booking> } {
  const { store, book, labs, fleet, clock } = options
  const { labOf, servingBenches } = options.checks
  const { benchesOf, now: planned } = options.plan

  const rows = () =>
    store.db
      .selectFrom('booking')
      .leftJoin('user', 'user.id', 'booking.person_id')
      .selectAll('booking')
      .leftJoin('people_group', 'people_group.id', 'booking.group_id')
      .select(['user.name as person_name', 'people_group.name as group_name'])
  type Row = BookingTable & { person_name: string | null; group_name: string | null }

  /** Of several places the one that begins last. */
  const delayed = (row: Row): Pick<Booking, 'waitReason' | 'estimatedStart'> => {
    const booking = book.byId.get(row.id)
    if (booking === undefined || booking.endsAt <= clock.now()) return {}
    const delays = claimIds(booking).flatMap((place) => options.delayOf(place) ?? [])
    const beginsMs = ({ beginsMs: ms }: Delay) => ms ?? Number.POSITIVE_INFINITY
    const last = delays.sort((a, b) => beginsMs(a) - beginsMs(b)).at(-1)
    if (last === undefined) return {}
    return { waitReason: last.reason, ...(last.beginsMs === null ? {} : { estimatedStart: iso(last.beginsMs) }) }
  }

  const view = (row: Row): Booking => {
    const title = labs.peek(row.lab)?.lab.title
    return {
      id: row.id,
      state: stateOf(row, clock.now()),
      lab: row.lab,
      ...(title === undefined ? {} : { labTitle: title }),
      start: iso(row.starts_at),
      end: iso(row.ends_at),
      seconds: (row.ends_at - row.starts_at) / 1000,
      places: row.places,
      ...(row.wanted_bench === null ? {} : { bench: row.wanted_bench }),
      person: { id: row.person_id, name: row.person_name ?? '' },
      ...(row.group_id === null ? {} : { group: { id: row.group_id, name: row.group_name ?? row.group_id } }),
      ...(row.run_id === null ? {} : { session: row.run_id }),
      ...(row.began_at === null ? {} : { beganAt: iso(row.began_at) }),
      ...(row.ended_at === null || row.ended_at >= row.ends_at ? {} : { endedAt: iso(row.ended_at) }),
      ...(row.note === null ? {} : { note: row.note }),
      ...(row.series_id === null ? {} : { series: row.series_id }),
      ...delayed(row),
      ...(book.unplaced.has(row.id) ? { trouble: 'no bench is left for it' } : {}),
      createdAt: iso(row.created_at),
      ...(row.cancelled_at === null ? {} : { cancelledAt: iso(row.cancelled_at) }),
      ...(row.cancel_reason === null ? {} : { cancelReason: row.cancel_reason }),
    }
  }

  const get = async (id: string): Promise<Booking | undefined> => {
    await planned()
    const row = await rows().where('booking.id', '=', id).executeTakeFirst()
    return row === undefined ? undefined : view(row)
  }
  const existing = async (id: string): Promise<Booking> => {
    const booking = await get(id)
    if (booking === undefined) throw unknownBooking(id)
    return booking
  }

  const list = async ({ person, groups = [], lab, series, when, to, limit, after, ...asked }: ListBookings) => {
    const now = clock.now()
    const isBack = when !== undefined && when !== 'to-come'
    const { from = isBack ? 0 : now, order = isBack ? 'latest' : 'soonest' } = asked
    const [direction, beyond] = order === 'soonest' ? (['asc', '>'] as const) : (['desc', '<'] as const)
    let query = rows()
      .where('booking.ends_at', '>', from)
      .orderBy('booking.starts_at', direction)
      .orderBy('booking.id', direction)
      .limit(limit + 1)
    // What begins earlier is over by then: nobody reads all of the past for what is to come.
    if (from > 0) query = query.where('booking.starts_at', '>', from - longestMs)
    if (when === 'to-come') query = query.where('booking.state', '=', 'booked').where('booking.ends_at', '>', now)
    else if (when === 'past') {
      query = query.where(({ eb, or, and }) =>
        or([
          eb('booking.state', '=', 'over'),
          and([eb('booking.state', '=', 'booked'), eb('booking.ends_at', '<=', now)]),
        ]),
      )
    } else if (when !== undefined) query = query.where('booking.state', '=', when)
    if (to !== undefined) query = query.where('booking.starts_at', '<', to)
    if (person !== undefined) {
      query = query.where(({ eb, or }) =>
        or([
          eb('booking.person_id', '=', person),
          ...(groups.length === 0 ? [] : [eb('booking.group_id', 'in', groups)]),
        ]),
      )
    }
    if (lab !== undefined) query = query.where('booking.lab', '=', lab)
    if (series !== undefined) query = query.where('booking.series_id', '=', series)
    if (after !== undefined) {
      query = query.where(({ eb, or, and }) =>
        or([
          eb('booking.starts_at', beyond, after.startsAt),
          and([eb('booking.starts_at', '=', after.startsAt), eb('booking.id', beyond, after.id)]),
        ]),
      )
    }
    await planned()
    const found = await query.execute()
    const last = found[limit - 1]
    return {
      items: found.slice(0, limit).map(view),
      ...(found.length > limit && last !== undefined ? { next: { startsAt: last.starts_at, id: last.id } } : {}),
    }
  }

  const calendar: Bookings['calendar'] = async (caller, id, { from, to, everybody, bench }) => {
    const lab = await labOf(id)
    const plan = await planned()
    const benches = bench === undefined ? benchesOf(lab, null) : servingBenches(lab, bench)
    const { prepareMs, cleanUpMs } = sessionNeeds(lab)
    const free = freeBenches(plan, benches, { from, until: to })
    const person = everybody ? {} : { person: caller.personId }
    const { items } = await list({ lab: id, from, to, limit: mostShown, ...person })
    return {
      lab: id,
      benches: benches.benches.length,
      prepareS: prepareMs / 1000,
      cleanUpS: cleanUpMs / 1000,
      closed: closures(fleet, benches.benches, { from, until: to }),
      free: free.map((stretch) => ({ start: iso(stretch.from), end: iso(stretch.until), benches: stretch.free })),
      bookings: items.filter(({ state }) => state !== 'cancelled'),
    }
  }

  return {
    get,
    existing,
    list,
    calendar,
    seriesOwner: async (id) =>
      (await store.db.selectFrom('booking_series').select('person_id').where('id', '=', id).executeTakeFirst())
        ?.person_id,
  }
}

/** Each time once: one that lasts for months comes up for each of them. */
function closures(fleet: BookedFleet, benches: readonly string[], span: Span): Calendar['closed'] {
  return benches.flatMap((bench) => {
    const seen = new Map<string, Closure>()
    for (const closure of fleet.closed(bench, span)) seen.set(`${closure.from} ${closure.reason}`, closure)
    return [...seen.values()].map(({ from, until, reason }) => ({
      bench,
      start: iso(from),
      ...(until === Number.POSITIVE_INFINITY ? {} : { end: iso(until) }),
      reason,
    }))
  })
}

function stateOf({ state, starts_at, ends_at }: BookingTable, now: number): Booking['state'] {
  if (state !== 'booked') return state
  return now >= ends_at ? 'over' : now >= starts_at ? 'now' : 'booked'
}
