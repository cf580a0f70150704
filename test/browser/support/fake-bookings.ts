/** Bookings of the stand-in hub, from memory, over the hub's own plan of benches. */

import type { Me } from '@fernlab/shared/contracts/api'
import type { BookingNotice } from '@fernlab/shared/contracts/booking-notices'
import type {
  Book,
  BookedSeries,
  Booking,
  BookSeries,
  Calendar,
  ChangeBooking,
} from '@fernlab/shared/contracts/bookings'
import { claimsOf, freeBenches, nearestFree, type Wanted } from '../../../hub/bookings/free-times.ts'
import { overlap, type Span } from '../../../hub/bookings/placement.ts'
import { Plan } from '../../../hub/bookings/plan.ts'
import { seriesTimes } from '../../../hub/bookings/series.ts'

interface Person {
  readonly id: string
  readonly name: string
}

interface Asked {
  readonly call: string
  readonly url: URL
  readonly body: unknown
  readonly me: Person
  readonly role: Me['role']
}

export interface FakeBookings {
  /** By id, in the order in which they were made. */
  readonly all: Map<string, Booking>
  /** What became of bookings, until it is put away. */
  readonly notices: BookingNotice[]
  /** When benches are not for anybody. */
  readonly closed: Calendar['closed']
  /** What the bench needs of a booking and after it. */
  needs: Pick<Calendar, 'prepareS' | 'cleanUpS'>
  /** What time the hub has. */
  now: () => number
  /** A booking of somebody, an hour long unless `more` says otherwise. */
  add(start: number, more?: Partial<Booking>): Booking
  /** Answers the call, or undefined for one that is not of these. */
  answer(asked: Asked): { status: number; body: unknown } | undefined
}

export interface FakeBookingsOptions {
  readonly titleOf: (lab: string) => Booking['labTitle']
  readonly benchesOf: (lab: string) => readonly string[]
}

const iso = (ms: number) => new Date(ms).toISOString()
const hourMs = 3_600_000

export function fakeBookings({ titleOf, benchesOf }: FakeBookingsOptions): FakeBookings {
  let made = 0
  const all = new Map<string, Booking>()

  const wantedOf = (lab: string, lengthMs: number, places: number, only?: string): Wanted => ({
    lengthMs: lengthMs + fake.needs.cleanUpS * 1000,
    places,
    benches: benchesOf(lab).filter((bench) => bench === (only ?? bench)),
    closed: shut,
  })
  const shut: Wanted['closed'] = (bench, span) =>
    fake.closed
      .filter((one) => one.bench === bench)
      .map(({ start, end = iso(span.until) }) => ({ from: Date.parse(start), until: Date.parse(end) }))
      .filter((one) => overlap(one, span))
  const planBut = (id?: string): Plan => {
    const plan = new Plan()
    for (const one of all.values()) {
      if (one.id === id || one.state === 'cancelled') continue
      const change = plan.tryOut(
        claimsOf(one.id, wantedOf(one.lab, one.seconds * 1000, one.places, one.bench), Date.parse(one.start)),
      )
      if (change !== undefined) plan.apply(change)
    }
    return plan
  }
  const view = (one: Booking): Booking => {
    if (one.state === 'cancelled' || one.state === 'missed') return one
    const now = fake.now()
    return { ...one, state: now >= Date.parse(one.end) ? 'over' : now >= Date.parse(one.start) ? 'now' : 'booked' }
  }
  const problem = (status: number, code: string, details?: object) => ({
    status,
    body: { status, code, title: code, detail: code, ...(details === undefined ? {} : { details }) },
  })
  const conflict = (lab: string, { from, until }: Span, places: number, but?: string, bench?: string) => {
    const [plan, wanted] = [planBut(but), wantedOf(lab, until - from, places, bench)]
    if (plan.tryOut(claimsOf('wanted', wanted, from)) !== undefined) return undefined
    const nearest = nearestFree({ plan, wanted, start: from, earliest: fake.now(), latest: from + 14 * 24 * hourMs })
    return problem(
      409,
      'booking-conflict',
      Object.fromEntries(Object.entries(nearest).map(([name, at]) => [name, iso(at as number)])),
    )
  }

  const bookSeries = (
    { lab, weekly, seconds, places = 1, group, note, moved = [], preview }: BookSeries,
    me: Person,
  ) => {
    const starts = seriesTimes(weekly).filter((at) => at >= fake.now())
    const looked = starts.map((start) => {
      const move = moved.find((one) => Date.parse(one.from) === start)
      const from = move === undefined ? start : Date.parse(move.to)
      const until = from + seconds * 1000
      const refused = conflict(lab, { from, until }, places)
      const time = { start: iso(from), end: iso(until), ...(move === undefined ? {} : { movedFrom: iso(start) }) }
      return { time, refused }
    })
    const times = looked.flatMap(({ time, refused }) => (refused === undefined ? [time] : []))
    const answer = {
      times,
      conflicts: looked.flatMap(({ time, refused }) =>
        refused === undefined ? [] : [{ ...time, ...refused.body.details }],
      ),
    }
    if (preview === true) return answer
    const id = `01s${String(made++).padStart(23, '0')}`
    const more = {
      ...(group === undefined ? {} : { group: { id: group, name: group } }),
      ...(note === undefined ? {} : { note }),
    }
    for (const { start } of times)
      fake.add(Date.parse(start), { lab, seconds, places, person: me, series: id, ...more })
    return { id, ...answer }
  }

  const fake: FakeBookings = {
    all,
    notices: [],
    closed: [],
    needs: { prepareS: 0, cleanUpS: 0 },
    now: () => Date.now(),
    add: (start, more = {}) => {
      const seconds = more.seconds ?? 3600
      const lab = more.lab ?? 'rc-circuit'
      const title = titleOf(lab)
      const booking: Booking = {
        id: `01b${String(made++).padStart(23, '0')}`,
        state: 'booked',
        lab,
        ...(title === undefined ? {} : { labTitle: title }),
        start: iso(start),
        end: iso(start + seconds * 1000),
        seconds,
        places: 1,
        person: { id: 'p1', name: 'Ana Ruiz' },
        createdAt: iso(fake.now()),
        ...more,
      }
      all.set(booking.id, booking)
      return view(booking)
    },
    answer: ({ call, url, body, me, role }) => {
      const [method] = call.split(' ')
      const [, , , collection, id = '', verb = ''] = url.pathname.split('/')
      const asked = (name: string) => url.searchParams.get(name) ?? undefined
      const staff = role === 'admin' || role === 'instructor'
      // Whoever is signed in is in the course.
      const ofGroup = (one: Booking) => one.group?.id === 'optics'
      const mine = (one: Booking) => staff || one.person.id === me.id || ofGroup(one)
      if (collection === 'labs' && verb === 'calendar') {
        const span = { from: Date.parse(asked('from') ?? ''), until: Date.parse(asked('to') ?? '') }
        const benches = benchesOf(id).filter((bench) => bench === (asked('bench') ?? bench))
        return {
          status: 200,
          body: {
            lab: id,
            benches: benches.length,
            prepareS: fake.needs.prepareS,
            cleanUpS: fake.needs.cleanUpS,
            closed: fake.closed.filter(({ bench }) => benches.includes(bench)),
            free: freeBenches(planBut(), { benches, closed: shut }, span).map(({ from, until, free }) => ({
              start: iso(from),
              end: iso(until),
              benches: free,
            })),
            bookings: [...all.values()]
              .map(view)
              .filter((one) => one.lab === id && one.state !== 'cancelled' && mine(one))
              .filter((one) => Date.parse(one.start) < span.until && span.from < Date.parse(one.end)),
          },
        }
      }
      if (call === 'POST /api/v1/booking-series') return { status: 201, body: bookSeries(body as BookSeries, me) }
      if (collection === 'booking-series' && verb === 'cancel') {
        const rest = [...all.values()].filter((one) => one.series === id && one.end > iso(fake.now()))
        for (const one of rest) all.set(one.id, { ...one, state: 'cancelled', cancelledAt: iso(fake.now()) })
        return { status: 200, body: { cancelled: rest.length } }
      }
      if (collection === 'booking-series' && verb === 'take-back') {
        const rest = [...all.values()].filter((one) => one.series === id && one.state === 'cancelled')
        const times: BookedSeries['times'] = []
        const conflicts: BookedSeries['conflicts'] = []
        for (const { id: _id, state: _state, cancelledAt: _at, ...one } of rest) {
          const [from, until] = [Date.parse(one.start), Date.parse(one.end)]
          const isTaken = conflict(one.lab, { from, until }, one.places) !== undefined
          if (!isTaken) fake.add(from, one)
          const list = isTaken ? conflicts : times
          list.push({ start: one.start, end: one.end })
        }
        return { status: 201, body: { id, times, conflicts } }
      }
      if (collection !== 'bookings') return undefined
      if (id === 'notices') {
        if (method === 'GET') return { status: 200, body: { items: fake.notices } }
        fake.notices.splice(0, fake.notices.length, ...fake.notices.filter((one) => one.id !== verb))
        return { status: 204, body: undefined }
      }
      if (call === 'GET /api/v1/bookings') {
        const when = asked('when')
        const isBack = when !== undefined && when !== 'to-come'
        const latest = isBack || asked('order') === 'latest'
        const [from, to] = [asked('from') ?? iso(isBack ? 0 : fake.now()), asked('to')]
        const is = { 'to-come': ['booked', 'now'], past: ['over'], cancelled: ['cancelled'], missed: ['missed'] }
        const states: readonly string[] | undefined = Object.entries(is).find(([name]) => name === when)?.[1]
        const items = [...all.values()]
          .map(view)
          .filter(mine)
          .filter(({ state }) => states?.includes(state) ?? true)
          .filter((one) => one.end > from && (to === undefined || one.start < to))
          .filter((one) => (asked('person') ?? one.person.id) === one.person.id || ofGroup(one))
          .filter((one) => (asked('lab') ?? one.lab) === one.lab)
          .sort((a, b) => (a.start < b.start === latest ? 1 : -1))
        const [at, limit] = [Number(asked('cursor') ?? 0), Number(asked('limit') ?? 50)]
        const next = at + limit
        const cursor = next < items.length ? { cursor: String(next) } : {}
        return { status: 200, body: { items: items.slice(at, next), ...cursor } }
      }
      if (method === 'POST' && id === '') {
        const { lab, start, seconds = 0, places = 1, bench, group, note } = body as Book
        const from = Date.parse(start)
        const refused = conflict(lab, { from, until: from + seconds * 1000 }, places, undefined, bench)
        if (from < fake.now() - 60_000) return problem(422, 'booking-in-past')
        const more = {
          lab,
          seconds,
          places,
          person: me,
          ...(bench === undefined ? {} : { bench }),
          ...(group === undefined ? {} : { group: { id: group, name: group } }),
          ...(note === undefined ? {} : { note }),
        }
        return refused ?? { status: 201, body: fake.add(from, more) }
      }
      const found = all.get(id)
      if (found === undefined || !mine(found)) return problem(404, 'booking-unknown')
      if (verb === 'cancel') all.set(id, { ...found, state: 'cancelled', cancelledAt: iso(fake.now()) })
      if (method === 'PUT') {
        const { start = found.start, seconds = found.seconds, note = found.note } = body as ChangeBooking
        const from = Date.parse(start)
        const refused = conflict(found.lab, { from, until: from + seconds * 1000 }, found.places, id, found.bench)
        if (refused !== undefined) return refused
        all.set(id, {
          ...found,
          start: iso(from),
          end: iso(from + seconds * 1000),
          seconds,
          ...(note ? { note } : {}),
        })
      }
      return { status: 200, body: view(all.get(id) ?? found) }
    },
  }
  return fake
}
