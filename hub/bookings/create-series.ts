/**
 * The same time every week, as bookings that stand or fall together when they are made.
 *
 * INVARIANTS: nothing is awaited between the look at the benches and their taking; what was only tried out is gone from the
 * plan before anybody else looks at it; what was cancelled is taken back once: it is marked in the write of what is made
 * in its place.
 */
import { SHORTEST_BOOKING_S } from '@fernlab/shared/contracts/bookable-times'
import type { SeriesTime } from '@fernlab/shared/contracts/bookings'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import type { FaultHook } from '../fault-point.ts'
import type { Store } from '../store/store.ts'
import type { Turn } from '../store/turn.ts'
import { type BookingBenches, type BookingBook, bookingClaims, type KnownBooking } from './booking-book.ts'
import type { BookingChecks } from './booking-checks.ts'
import { isoOf, refuse, seriesConflict } from './booking-refusals.ts'
import type { BookingRules } from './booking-rules.ts'
import type { BookingWrites } from './booking-writes.ts'
import type { Bookings } from './bookings.ts'
import { claimIds } from './free-times.ts'
import { newBooking } from './new-booking.ts'
import { checkSeries, isApart, movesOf, seriesTimes } from './series.ts'
import type { BookingTable } from './tables.ts'

export interface CreateSeriesOptions {
  readonly store: Store
  readonly turn: Turn
  readonly book: BookingBook
  readonly checks: BookingChecks
  readonly writes: BookingWrites
  readonly clock: Clock
  readonly faultPoint?: FaultHook | undefined
}

interface ToldSeries {
  readonly taken: readonly KnownBooking[]
  readonly conflicts: readonly KnownBooking[]
  /** By booking, when it would begin by the series. */
  readonly movedFrom?: ReadonlyMap<string, number>
  readonly benches: BookingBenches
  readonly rules: BookingRules
}

/** Of the times of a series that are taken, so many are told with the nearest free ones. */
const mostExplained = 20
const iso = (ms: number): string => new Date(ms).toISOString()

/** The series of this hub. */
export function createSeries(
  options: CreateSeriesOptions,
): Pick<Bookings, 'bookSeries' | 'cancelSeries' | 'takeBackSeries'> {
  const { store, turn, book, checks, writes, clock, faultPoint } = options

  /** By time, and what is taken with the nearest free times. */
  const told = ({ taken, conflicts, movedFrom, benches, rules }: ToldSeries) => {
    const timeOf = ({ id, startsAt, endsAt }: KnownBooking): SeriesTime => {
      const from = movedFrom?.get(id)
      return { start: iso(startsAt), end: iso(endsAt), ...(from === undefined ? {} : { movedFrom: iso(from) }) }
    }
    const bySoonest = (a: KnownBooking, b: KnownBooking) => a.startsAt - b.startsAt
    return {
      times: [...taken].sort(bySoonest).map(timeOf),
      conflicts: [...conflicts].sort(bySoonest).map((booking, at) => ({
        ...timeOf(booking),
        ...isoOf(at < mostExplained ? checks.nearest(booking, benches, rules, taken) : {}),
      })),
    }
  }

  /** What of a series was cancelled at once, the last time, and is not over. */
  const lastCancelled = async (series: string): Promise<readonly BookingTable[]> => {
    const rows = await store.db
      .selectFrom('booking')
      .selectAll()
      .where('series_id', '=', series)
      .where('state', '=', 'cancelled')
      .orderBy('starts_at')
      .execute()
    const lastAt = Math.max(...rows.map(({ cancelled_at: at }) => at ?? 0))
    return rows.filter((row) => row.cancelled_at === lastAt && row.ends_at > clock.now())
  }

  return {
    bookSeries: async (caller, body) => {
      const lab = await checks.labOf(body.lab)
      const rules = await checks.mayBook(caller, lab)
      await checks.checkGroup(body)
      const plan = await writes.openPlan()
      const now = clock.now()
      checks.checkPlaces(rules, body)
      const starts = seriesTimes(body.weekly).filter((at) => at >= now)
      checkSeries(starts, body.seconds * 1000, now + rules.aheadS * 1000)
      const moves = movesOf(body.moved, starts)
      for (const [index, { to }] of (body.moved ?? []).entries()) {
        checks.checkTime(rules, Date.parse(to), now, `moved[${index}].to`)
      }
      const benches = checks.servingBenches(lab, body.bench)
      const series = newId(now)
      const taken: KnownBooking[] = []
      const conflicts: KnownBooking[] = []
      /** By booking, when it would begin by the series. */
      const movedFrom = new Map<string, number>()
      // What stays has its time before what moves.
      for (const from of [...starts].sort((a, b) => Number(moves.has(a)) - Number(moves.has(b)))) {
        const startsAt = moves.get(from) ?? from
        const { lab: labId, bench, places, group, note } = body
        const one = { lab: labId, start: iso(startsAt), seconds: body.seconds, bench, places, group, note }
        const booking = { ...newBooking(caller, one, lab, now), series }
        if (moves.has(from)) movedFrom.set(booking.id, from)
        const change = isApart(booking, taken) ? plan.tryOut(bookingClaims(booking, benches)) : undefined
        if (change === undefined) {
          conflicts.push(booking)
          continue
        }
        taken.push(booking)
        plan.apply(change)
      }
      const answer = told({ taken, conflicts, movedFrom, benches, rules })
      const isRefused = conflicts.length > 0 && (body.conflicts === 'refuse' || taken.length === 0)
      if (body.preview || isRefused) {
        // What is not to stay goes before anybody else looks at the plan.
        for (const booking of taken) for (const claim of claimIds(booking)) plan.remove(claim)
        if (body.preview) return answer
        throw seriesConflict(answer.conflicts, starts.length)
      }
      const weekly = JSON.stringify({ ...body.weekly, seconds: body.seconds })
      writes.addSeries({ id: series, personId: caller.personId, lab: lab.id, weekly, createdAt: now })
      for (const booking of taken) writes.add(booking)
      writes.audit(caller, 'booking-series.created', series, { lab: lab.id, times: taken.length })
      faultPoint?.('before-booking-commit')
      await turn.kept()
      faultPoint?.('after-booking-commit')
      return { id: series, ...answer }
    },
    cancelSeries: async (caller, id) => {
      turn.mustBeOpen()
      const now = clock.now()
      const rest = [...book.byId.values()].filter(({ series, endsAt }) => series === id && endsAt > now)
      for (const booking of rest) writes.release(booking, now)
      const [first] = rest.sort((a, b) => a.startsAt - b.startsAt)
      if (first !== undefined) {
        const endsAt = Math.max(...rest.map((booking) => booking.endsAt))
        writes.audit(caller, 'booking-series.cancelled', id, { times: rest.length })
        writes.tell(
          { ...first, endsAt },
          { what: 'series-cancelled', at: now, by: caller.personId, times: rest.length },
        )
      }
      faultPoint?.('before-booking-cancel-commit')
      await turn.kept()
      faultPoint?.('after-booking-cancel-commit')
      return rest.length
    },
    takeBackSeries: async (caller, id) => {
      const rows = await lastCancelled(id)
      const [first] = rows
      if (first === undefined) {
        const message = `nothing of the series ${id} was cancelled and is to come`
        throw refuse('booking-over', message, '', 'Nothing of this series that was cancelled is still to come.')
      }
      if (first.person_id !== caller.personId) {
        const message = `the series ${id} is another person's`
        throw refuse('forbidden', message, '', 'Only whose series it was books it again.')
      }
      const lab = await checks.labOf(first.lab)
      const rules = await checks.mayBook(caller, lab)
      await checks.checkGroup({ group: first.group_id ?? undefined })
      const plan = await writes.openPlan()
      const now = clock.now()
      const benches = checks.servingBenches(lab, first.wanted_bench ?? undefined)
      const standing = [...book.byId.values()].filter(({ series }) => series === id)
      const taken: KnownBooking[] = []
      const conflicts: KnownBooking[] = []
      for (const row of rows) {
        const startsAt = Math.max(row.starts_at, now)
        if (row.taken_back_at !== null) continue
        // Too little is left of it, or it was taken back since it was read.
        if (row.ends_at - startsAt < SHORTEST_BOOKING_S * 1000) continue
        if (standing.some((one) => one.startsAt < row.ends_at && row.starts_at < one.endsAt)) continue
        const { places, wanted_bench: wantedBench, group_id: group, note } = row
        const one = { lab: row.lab, start: iso(startsAt), end: iso(row.ends_at), places }
        const booking = { ...newBooking(caller, one, lab, now), wantedBench, group, note, series: id }
        const change = plan.tryOut(bookingClaims(booking, benches))
        if (change === undefined) {
          conflicts.push(booking)
          continue
        }
        taken.push(booking)
        plan.apply(change)
        writes.add(booking)
        writes.takeBack(row.id, now)
      }
      const [soonest] = taken
      if (soonest !== undefined) {
        writes.audit(caller, 'booking-series.taken-back', id, { lab: lab.id, times: taken.length })
        const again = { ...soonest, endsAt: Math.max(...taken.map((booking) => booking.endsAt)) }
        const news = { what: 'series-again', at: now, by: caller.personId, times: taken.length } as const
        // What stays cancelled is still to be told; else only those hear of it who know that it was cancelled.
        if (conflicts.length > 0) writes.tell(again, news)
        else {
          writes.untellCancelled(id)
          writes.tellAgain(again, news, id, first.cancelled_at ?? 0)
        }
      }
      faultPoint?.('before-booking-commit')
      await turn.kept()
      faultPoint?.('after-booking-commit')
      return { id, ...told({ taken, conflicts, benches, rules }) }
    },
  }
}
