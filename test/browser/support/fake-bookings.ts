/** Bookings of the stand-in hub, from memory, over the hub's own plan of benches. */

import type { Me } from '@fernlab/shared/contracts/api'
import type { Book, Booking, BookSeries, Calendar, ChangeBooking } from '@fernlab/shared/contracts/bookings'
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
  /** When benches are not for anybody. */
  readonly closed: Calendar['closed']
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

  const wantedOf = (lab: string, lengthMs: number, places: number): Wanted => ({
    lengthMs,
    places,
    benches: benchesOf(lab),
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
        claimsOf(one.id, wantedOf(one.lab, one.seconds * 1000, one.places), Date.parse(one.start)),
      )
      if (change !== undefined) plan.apply(change)
    }
    return plan
  }
  const view = (one: Booking): Booking => {
    if (one.state === 'cancelled') return one
    const now = fake.now()
    return { ...one, state: now >= Date.parse(one.end) ? 'over' : now >= Date.parse(one.start) ? 'now' : 'booked' }
  }
  const problem = (status: number, code: string, details?: object) => ({
    status,
    body: { status, code, title: code, detail: code, ...(details === undefined ? {} : { details }) },
  })
  const conflict = (lab: string, { from, until }: Span, places: number, but?: string) => {
    const [plan, wanted] = [planBut(but), wantedOf(lab, until - from, places)]
    if (plan.tryOut(claimsOf('wanted', wanted, from)) !== undefined) return undefined
    const nearest = nearestFree({ plan, wanted, start: from, earliest: fake.now(), latest: from + 14 * 24 * hourMs })
    return problem(
      409,
      'booking-conflict',
      Object.fromEntries(Object.entries(nearest).map(([name, at]) => [name, iso(at as number)])),
    )
  }

  const bookSeries = ({ lab, weekly, seconds, places = 1, group, note, preview }: BookSeries, me: Person) => {
    const starts = seriesTimes(weekly).filter((at) => at >= fake.now())
    const looked = starts.map((from) => {
      const until = from + seconds * 1000
      const refused = conflict(lab, { from, until }, places)
      return { start: iso(from), end: iso(until), refused }
    })
    const times = looked.flatMap(({ start, end, refused }) => (refused === undefined ? [{ start, end }] : []))
    const answer = {
      times,
      conflicts: looked.flatMap(({ start, end, refused }) =>
        refused === undefined ? [] : [{ start, end, ...refused.body.details }],
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
    closed: [],
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
      const mine = (one: Booking) => staff || one.person.id === me.id
      if (collection === 'labs' && verb === 'calendar') {
        const span = { from: Date.parse(asked('from') ?? ''), until: Date.parse(asked('to') ?? '') }
        const benches = benchesOf(id)
        return {
          status: 200,
          body: {
            lab: id,
            benches: benches.length,
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
      if (collection !== 'bookings') return undefined
      if (call === 'GET /api/v1/bookings') {
        const latest = asked('order') === 'latest'
        const [from, to] = [asked('from') ?? iso(fake.now()), asked('to')]
        const items = [...all.values()]
          .map(view)
          .filter(mine)
          .filter((one) => one.end > from && (to === undefined || one.start < to))
          .filter((one) => (asked('person') ?? one.person.id) === one.person.id)
          .filter((one) => (asked('lab') ?? one.lab) === one.lab)
          .sort((a, b) => (a.start < b.start === latest ? 1 : -1))
        const [at, limit] = [Number(asked('cursor') ?? 0), Number(asked('limit') ?? 50)]
        const next = at + limit
        const cursor = next < items.length ? { cursor: String(next) } : {}
        return { status: 200, body: { items: items.slice(at, next), ...cursor } }
      }
      if (method === 'POST' && id === '') {
        const { lab, start, seconds = 0, places = 1, group, note } = body as Book
        const from = Date.parse(start)
        const refused = conflict(lab, { from, until: from + seconds * 1000 }, places)
        if (from < fake.now() - 60_000) return problem(422, 'booking-in-past')
        const more = {
          lab,
          seconds,
          places,
          person: me,
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
        const refused = conflict(found.lab, { from, until: from + seconds * 1000 }, found.places, id)
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
