/**
 * Bookings over the plan in memory and the database.
 *
 * INVARIANTS: whether a bench is free is asked, and the bench taken, without anything in between, so of two who want the
 * last one exactly one gets it; what is answered is committed; a write that fails puts the memory back as the disk is.
 */
import type { Booking, Calendar } from '@fernlab/shared/contracts/bookings'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Caller } from '../accounts/caller.ts'
import type { CatalogueLab } from '../catalogue/catalogue.ts'
import type { FaultHook } from '../fault-point.ts'
import type { Groups } from '../groups/groups.ts'
import type { Standings } from '../permissions/standings.ts'
import type { KnownLabs } from '../runs/known-labs.ts'
import type { Store } from '../store/store.ts'
import type { Turn } from '../store/turn.ts'
import type { BookedFleet, Closure } from './booked-fleet.ts'
import { type BookingBenches, type BookingBook, bookingClaims, type KnownBooking, wantedOf } from './booking-book.ts'
import { type BookingRules, bookingRules, ofStaff } from './booking-rules.ts'
import { bookingStatements } from './booking-statements.ts'
import type { Bookings, ListBookings, NewBooking } from './bookings.ts'
import { claimIds, freeBenches, type Nearest, nearestFree } from './free-times.ts'
import type { Span } from './placement.ts'
import type { Plan, PlanChange } from './plan.ts'
import { checkSeries, seriesTimes } from './series.ts'
import { sessionNeeds } from './session-times.ts'
import type { BookingTable } from './tables.ts'

export interface CreateBookingsOptions {
  readonly store: Store
  readonly turn: Turn
  readonly book: BookingBook
  readonly labs: KnownLabs
  readonly catalogue: { onChange(listener: (lab: string) => void): () => void }
  readonly fleet: BookedFleet
  readonly standings: Standings
  readonly groups: Pick<Groups, 'known'>
  /** Ends the session of a booking that is cancelled, in this turn's write. */
  readonly endSession: (runId: string, reason: string) => void
  /** Makes the session of a booking last until then, if that is longer. */
  readonly lengthenSession: (runId: string, by: Caller, endsAt: number) => Promise<void>
  readonly clock: Clock
  readonly faultPoint?: FaultHook | undefined
}

/** A caller's clock may be behind the hub's. */
const lateMs = 60_000
/** Of the times of a series that are taken, so many are told with the nearest free ones. */
const mostExplained = 20
const iso = (ms: number): string => new Date(ms).toISOString()

/** The bookings of this hub. */
export function createBookings(options: CreateBookingsOptions): Bookings & { close(): void } {
  const { store, turn, book, labs, fleet, clock, faultPoint } = options
  const statements = bookingStatements(store.db)
  let plannedShape = -1
  let labChanges = 0
  let plannedChanges = -1
  const stop = options.catalogue.onChange(() => {
    labChanges++
  })

  const benchesOf = (lab: CatalogueLab | undefined, wanted: string | null): BookingBenches => {
    const serving = lab === undefined ? [] : [...fleet.benchesFor(lab)].sort()
    return { benches: wanted === null ? serving : serving.filter((id) => id === wanted), closed: fleet.closed }
  }

  /** Resolves with a plan of the benches and labs as they are now; what follows at once can rely on it. */
  const planned = async (): Promise<Plan> => {
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
  }
  /** Memory that was read again has no plan yet. */
  const isWhole = () => book.plan.size > 0 || book.unplaced.size > 0 || book.byId.size === 0

  const labOf = async (id: string): Promise<CatalogueLab> => {
    const lab = labs.peek(id) ?? (await labs.lab(id))
    if (lab === undefined) throw refuse('lab-unknown', `there is no lab ${id}`, 'lab', 'There is no such lab.')
    return lab
  }

  const mayBook = async (caller: Caller, { id }: CatalogueLab): Promise<BookingRules> => {
    const rules = await bookingRules(options.standings, caller, id)
    if (rules.mayBook) return rules
    const words = 'You may not book this lab. Its page says what you may, and whom to ask.'
    throw refuse('not-permitted', `no permission lets this person book ${id}`, 'lab', words)
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

  const checkTime = ({ aheadS }: BookingRules, startsAt: number, now: number) => {
    if (startsAt < now - lateMs) {
      throw refuse('booking-in-past', `${iso(startsAt)} is over`, 'start', 'This time is over. Choose one to come.')
    }
    if (startsAt <= now + aheadS * 1000) return
    const days = Math.floor(aheadS / 86_400)
    const message = `you may book at most ${aheadS} s ahead, to ${iso(now + aheadS * 1000)}`
    throw refuse('booking-too-far', message, 'start', `You can book up to ${days} days ahead.`)
  }

  /** Bookings of the person that are not over, but for the one that is changed. */
  const openOf = (personId: string, now: number, but?: string) =>
    [...book.byId.values()].filter((one) => one.personId === personId && one.endsAt > now && one.id !== but)

  const checkCount = ({ mostBookings, mostOpen, openRuns }: BookingRules, { personId }: Caller, lab: string) => {
    const count = openOf(personId, clock.now()).filter((one) => one.lab === lab).length
    if (count < mostBookings && count + openRuns < mostOpen) return
    const message =
      count >= mostBookings
        ? `you have ${count} bookings of ${lab} to come; ${mostBookings} is the most`
        : `you have ${count} bookings of ${lab} and ${openRuns} runs of it open; ${mostOpen} is the most`
    throw refuse('bookings-too-many', message, 'lab', `${message}. Cancel one, or wait until one is over.`)
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

  const nearest = (wanted: KnownBooking, benches: BookingBenches, { aheadS, mayOverlap }: BookingRules): Nearest => {
    const now = clock.now()
    const own = mayOverlap ? [] : openOf(wanted.personId, now, wanted.id)
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

  const conflict = (wanted: KnownBooking, benches: BookingBenches, rules: BookingRules): LabError => {
    const { before, after } = nearest(wanted, benches, rules)
    const times = [before, after].flatMap((at) => (at === undefined ? [] : [iso(at)]))
    const found =
      times.length === 0 ? 'nothing is free near it' : `the nearest free times begin at ${times.join(' and ')}`
    const what = wanted.places === 1 ? 'no bench is' : `not as many as ${wanted.places} benches are`
    const message = `${what} free from ${iso(wanted.startsAt)} to ${iso(wanted.endsAt)}; ${found}`
    return new LabError({
      code: 'booking-conflict',
      kind: 'caller',
      message,
      issues: [{ path: 'start', message }],
      studentMessage: 'Somebody else has booked this time. Choose another.',
      details: {
        ...(before === undefined ? {} : { before: iso(before) }),
        ...(after === undefined ? {} : { after: iso(after) }),
      },
    })
  }

  const audit = ({ personId }: Caller, action: string, subject: string, detail: object = {}) =>
    turn.add(statements.insertAudit, { at: clock.now(), personId, action, subject, detail: JSON.stringify(detail) })

  const rows = () =>
    store.db
      .selectFrom('booking')
      .leftJoin('user', 'user.id', 'booking.person_id')
      .selectAll('booking')
      .leftJoin('people_group', 'people_group.id', 'booking.group_id')
      .select(['user.name as person_name', 'people_group.name as group_name'])
  type Row = BookingTable & { person_name: string | null; group_name: string | null }

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
      ...(book.unplaced.has(row.id) ? { trouble: 'no bench is left for it' } : {}),
      createdAt: iso(row.created_at),
      ...(row.cancelled_at === null ? {} : { cancelledAt: iso(row.cancelled_at) }),
    }
  }

  const get = async (id: string): Promise<Booking | undefined> => {
    await planned()
    const row = await rows().where('booking.id', '=', id).executeTakeFirst()
    return row === undefined ? undefined : view(row)
  }
  const existing = async (id: string): Promise<Booking> => (await get(id)) ?? unknown(id)

  const list = async ({ person, lab, series, from, to, order = 'soonest', limit, after }: ListBookings) => {
    const [direction, beyond] = order === 'soonest' ? (['asc', '>'] as const) : (['desc', '<'] as const)
    let query = rows()
      .where('booking.ends_at', '>', from)
      .orderBy('booking.starts_at', direction)
      .orderBy('booking.id', direction)
      .limit(limit + 1)
    if (to !== undefined) query = query.where('booking.starts_at', '<', to)
    if (person !== undefined) query = query.where('booking.person_id', '=', person)
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

  /** The booking, as long as it can be changed. */
  const open = (id: string, now: number): KnownBooking => {
    const booking = book.byId.get(id)
    if (booking !== undefined && booking.endsAt > now) return booking
    throw refuse('booking-over', `booking ${id} is over or was cancelled`, '', 'This booking is over.')
  }

  const become = (old: KnownBooking, next: KnownBooking, change: PlanChange) => {
    turn.add(statements.change, {
      id: old.id,
      startsAt: old.startsAt,
      endsAt: old.endsAt,
      newStart: next.startsAt,
      newEnd: next.endsAt,
      note: next.note,
      cleanUpMs: next.cleanUpMs,
    })
    book.remove(old.id)
    book.add(next)
    book.plan.apply(change)
  }

  const release = (booking: KnownBooking, at: number) => {
    turn.add(statements.cancel, { id: booking.id, startsAt: booking.startsAt, endsAt: booking.endsAt, at })
    book.remove(booking.id)
    if (booking.runId !== null) options.endSession(booking.runId, 'its booking was cancelled')
    // Somebody without a bench may get this one.
    if (book.unplaced.size > 0) plannedChanges = -1
  }

  return {
    get,
    list,
    book: async (caller, body) => {
      const lab = await labOf(body.lab)
      const rules = await mayBook(caller, lab)
      await checkGroup(body)
      const plan = await planned()
      const now = clock.now()
      const wanted = newBooking(caller, body, lab, now)
      checkPlaces(rules, body)
      checkTime(rules, wanted.startsAt, now)
      const benches = servingBenches(lab, body.bench)
      checkCount(rules, caller, lab.id)
      checkOverlap(rules, wanted, now)
      const change = plan.tryOut(bookingClaims(wanted, benches))
      if (change === undefined) throw conflict(wanted, benches, rules)
      turn.add(statements.insert, wanted)
      book.add(wanted)
      plan.apply(change)
      faultPoint?.('before-booking-commit')
      await turn.kept()
      faultPoint?.('after-booking-commit')
      return existing(wanted.id)
    },
    change: async (caller, id, body) => {
      const lab = await labOf(open(id, clock.now()).lab)
      const rules = await mayBook(caller, lab)
      const plan = await planned()
      const now = clock.now()
      const old = open(id, now)
      const next = changed(old, body, lab)
      checkChange(old, next, now)
      if (next.startsAt !== old.startsAt) checkTime(rules, next.startsAt, now)
      checkOverlap(rules, next, now)
      const benches = servingBenches(lab, old.wantedBench ?? undefined)
      const change = plan.tryOut(bookingClaims(next, benches), new Set(claimIds(old)))
      if (change === undefined) throw conflict(next, benches, rules)
      become(old, next, change)
      if (caller.personId !== old.personId) audit(caller, 'booking.changed', id)
      faultPoint?.('before-booking-commit')
      await turn.kept()
      faultPoint?.('after-booking-commit')
      if (next.runId !== null) await options.lengthenSession(next.runId, caller, next.endsAt)
      return existing(id)
    },
    lengthen: async (id, endsAt) => {
      const lab = await labOf(open(id, clock.now()).lab)
      const plan = await planned()
      const old = open(id, clock.now())
      if (endsAt <= old.endsAt) return
      const next = { ...old, endsAt }
      const benches = servingBenches(lab, old.wantedBench ?? undefined)
      const change = plan.tryOut(bookingClaims(next, benches), new Set(claimIds(old)))
      if (change === undefined) throw conflict(next, benches, ofStaff)
      become(old, next, change)
      await turn.kept()
    },
    cancel: async (caller, id) => {
      const now = clock.now()
      const booking = open(id, now)
      release(booking, now)
      if (caller.personId !== booking.personId) audit(caller, 'booking.cancelled', id)
      faultPoint?.('before-booking-cancel-commit')
      await turn.kept()
      faultPoint?.('after-booking-cancel-commit')
      return existing(id)
    },
    bookSeries: async (caller, body) => {
      const lab = await labOf(body.lab)
      const rules = await mayBook(caller, lab)
      await checkGroup(body)
      const plan = await planned()
      const now = clock.now()
      checkPlaces(rules, body)
      const starts = seriesTimes(body.weekly).filter((at) => at >= now)
      checkSeries(starts, body.seconds * 1000, now + rules.aheadS * 1000)
      const benches = servingBenches(lab, body.bench)
      const series = newId(now)
      const taken: KnownBooking[] = []
      const conflicts: KnownBooking[] = []
      for (const startsAt of starts) {
        const { lab: labId, bench, places, group, note } = body
        const one = { lab: labId, start: iso(startsAt), seconds: body.seconds, bench, places, group, note }
        const booking = { ...newBooking(caller, one, lab, now), series }
        const change = plan.tryOut(bookingClaims(booking, benches))
        if (change === undefined) {
          conflicts.push(booking)
          continue
        }
        taken.push(booking)
        plan.apply(change)
      }
      const answer = {
        times: taken.map((booking) => ({ start: iso(booking.startsAt), end: iso(booking.endsAt) })),
        conflicts: conflicts.map((booking, at) => {
          const { before, after } = at < mostExplained ? nearest(booking, benches, rules) : {}
          return {
            start: iso(booking.startsAt),
            end: iso(booking.endsAt),
            ...(before === undefined ? {} : { before: iso(before) }),
            ...(after === undefined ? {} : { after: iso(after) }),
          }
        }),
      }
      const isRefused = conflicts.length > 0 && (body.conflicts === 'refuse' || taken.length === 0)
      if (body.preview || isRefused) {
        // What is not to stay goes before anybody else looks at the plan.
        for (const booking of taken) for (const claim of claimIds(booking)) plan.remove(claim)
        if (body.preview) return answer
        throw seriesConflict(answer.conflicts, starts.length)
      }
      const weekly = JSON.stringify({ ...body.weekly, seconds: body.seconds })
      turn.add(statements.insertSeries, { id: series, personId: caller.personId, lab: lab.id, weekly, createdAt: now })
      for (const booking of taken) {
        turn.add(statements.insert, booking)
        book.add(booking)
      }
      audit(caller, 'booking-series.created', series, { lab: lab.id, times: taken.length })
      faultPoint?.('before-booking-commit')
      await turn.kept()
      faultPoint?.('after-booking-commit')
      return { id: series, ...answer }
    },
    cancelSeries: async (caller, id) => {
      const now = clock.now()
      const rest = [...book.byId.values()].filter(({ series, endsAt }) => series === id && endsAt > now)
      for (const booking of rest) release(booking, now)
      if (rest.length > 0) audit(caller, 'booking-series.cancelled', id, { times: rest.length })
      faultPoint?.('before-booking-cancel-commit')
      await turn.kept()
      faultPoint?.('after-booking-cancel-commit')
      return rest.length
    },
    forget: (personId) => {
      for (const { id } of openOf(personId, clock.now())) book.remove(id)
      plannedChanges = -1
    },
    seriesOwner: async (id) =>
      (await store.db.selectFrom('booking_series').select('person_id').where('id', '=', id).executeTakeFirst())
        ?.person_id,
    calendar: async (caller, id, { from, to, everybody }): Promise<Calendar> => {
      const lab = await labOf(id)
      const plan = await planned()
      const benches = benchesOf(lab, null)
      const free = freeBenches(plan, benches, { from, until: to })
      const person = everybody ? {} : { person: caller.personId }
      const { items } = await list({ lab: id, from, to, limit: mostShown, ...person })
      return {
        lab: id,
        benches: benches.benches.length,
        closed: closures(fleet, benches.benches, { from, until: to }),
        free: free.map((stretch) => ({ start: iso(stretch.from), end: iso(stretch.until), benches: stretch.free })),
        bookings: items.filter(({ state }) => state !== 'cancelled'),
      }
    },
    close: stop,
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

/** Bookings in one answer of a calendar. */
const mostShown = 1000

function newBooking(
  { personId }: Caller,
  body: Pick<NewBooking, 'lab' | 'start' | 'seconds' | 'end' | 'bench' | 'places' | 'group' | 'note'>,
  lab: CatalogueLab,
  now: number,
): KnownBooking {
  const startsAt = Date.parse(body.start)
  return {
    id: newId(now),
    series: null,
    personId,
    lab: body.lab,
    wantedBench: body.bench ?? null,
    startsAt,
    endsAt: body.end === undefined ? startsAt + (body.seconds ?? 0) * 1000 : Date.parse(body.end),
    cleanUpMs: sessionNeeds(lab).cleanUpMs,
    places: body.places,
    group: body.group ?? null,
    note: body.note === undefined || body.note === '' ? null : body.note,
    createdAt: now,
    createdBy: personId,
    beganAt: null,
    runId: null,
    seenAt: null,
  }
}

function changed(old: KnownBooking, body: Parameters<Bookings['change']>[2], lab: CatalogueLab): KnownBooking {
  const startsAt = body.start === undefined ? old.startsAt : Date.parse(body.start)
  const lengthMs = body.seconds === undefined ? old.endsAt - old.startsAt : body.seconds * 1000
  return {
    ...old,
    startsAt,
    endsAt: body.end === undefined ? startsAt + lengthMs : Date.parse(body.end),
    cleanUpMs: sessionNeeds(lab).cleanUpMs,
    note: body.note === undefined ? old.note : body.note || null,
  }
}

function checkChange(old: KnownBooking, next: KnownBooking, now: number): void {
  if (next.endsAt <= next.startsAt) throw refuse('booking-invalid', 'the end must be after the start', 'end')
  if (old.startsAt > now) return
  if (next.startsAt !== old.startsAt) {
    throw refuse('booking-begun', 'it has begun: only its end can change', 'start', 'This booking has begun already.')
  }
  if (next.endsAt <= now) {
    throw refuse('booking-in-past', 'its end would be over: cancel it to give back what is left', 'end')
  }
}

function checkPlaces({ mostPlaces, forGroups }: BookingRules, { places, group }: Pick<NewBooking, 'places' | 'group'>) {
  if (group !== undefined && !forGroups) throw refuse('booking-invalid', 'only staff book for a group', 'group')
  if (places <= mostPlaces) return
  throw refuse('booking-invalid', `you may book ${mostPlaces} bench at once`, 'places')
}

function stateOf({ state, starts_at, ends_at }: BookingTable, now: number): Booking['state'] {
  if (state !== 'booked') return state
  return now >= ends_at ? 'over' : now >= starts_at ? 'now' : 'booked'
}

function seriesConflict(conflicts: readonly { start: string }[], all: number): LabError {
  const message = `${conflicts.length} of ${all} times are taken`
  return new LabError({
    code: 'booking-conflict',
    kind: 'caller',
    message,
    issues: conflicts.map(({ start }) => ({ path: 'weekly', message: `no bench is free at ${start}` })),
    studentMessage: `${message}. Choose another time, or book those that are free.`,
  })
}

function refuse(code: string, message: string, path: string, studentMessage?: string): LabError {
  return new LabError({
    code,
    kind: 'caller',
    message,
    issues: [{ path, message }],
    ...(studentMessage === undefined ? {} : { studentMessage }),
  })
}

function unknown(id: string): never {
  throw refuse('booking-unknown', `there is no booking ${id}`, '')
}
