import type { BookedSeries, Booking, Calendar } from '@fernlab/shared/contracts/bookings'
import { usualTerms } from '@fernlab/shared/contracts/terms'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { type ServedHub, serveHub } from '../api/served-hub.ts'
import { smallLab } from '../hub/hub-with-node.ts'

const test = suite('bookings over the API', { timeoutMs: 60_000 })
const startOfDay = Date.UTC(2026, 2, 23, 8)
const hourMs = 3_600_000
const dayMs = 86_400_000
let clock: ManualClock
let hub: ServedHub
let ada: Awaited<ReturnType<ServedHub['person']>>
let ben: Awaited<ReturnType<ServedHub['person']>>
let teacher: Awaited<ReturnType<ServedHub['person']>>

test.before(async () => {
  clock = new ManualClock(startOfDay)
  hub = await serveHub({ clock, benches: ['n.a', 'n.b'] })
  await hub.catalogue.push(Object.fromEntries(smallLab.map(({ path, text }) => [path, text])), { id: 'small' })
})
test.after(() => hub.close())
test.before.each(async () => {
  clock.jump(startOfDay - clock.now())
  await hub.store.db.deleteFrom('booking').execute()
  hub.bookingBook.reset([])
  ada = await hub.person('student', ['run'])
  ben = await hub.person('student', ['run'])
  teacher = await hub.person('instructor', ['run'])
})

type Who = { bearer: Record<string, string> }
const at = (hours: number) => new Date(startOfDay + hours * hourMs).toISOString()
const send = (who: Who, method: string, path: string, body?: object) => hub.json(method, path, body, who.bearer)
const book = (who: Who, start: string, more: object = {}) =>
  send(who, 'POST', '/api/v1/bookings', { lab: 'small', start, seconds: 3600, ...more })
async function booked(who: Who, start: string, more: object = {}): Promise<Booking> {
  const answer = await book(who, start, more)
  const body = await answer.json()
  assert.is(answer.status, 201, JSON.stringify(body))
  return body as Booking
}
interface Refused {
  status: number
  code: string
  detail: string
  issues?: { path: string; message: string }[]
  details?: Record<string, string>
}
async function refused(answer: Promise<Response>): Promise<Refused> {
  const response = await answer
  const problem = (await response.json()) as Refused
  assert.ok(response.status >= 400, `was taken: ${JSON.stringify(problem)}`)
  return problem
}
const paths = ({ issues = [] }: Refused) => issues.map(({ path }) => path)
const listed = async (who: Who, query = `from=${at(-24)}`) =>
  ((await (await send(who, 'GET', `/api/v1/bookings?${query}`)).json()) as { items: Booking[] }).items

test('a booking is kept, shown to its person and to staff, and to nobody else', async () => {
  const booking = await booked(ada, at(2), { note: 'for the report' })
  assert.equal(
    [booking.state, booking.start, booking.end, booking.person.id, booking.note],
    ['booked', at(2), at(3), ada.person.id, 'for the report'],
  )
  const path = `/api/v1/bookings/${booking.id}`
  assert.is((await send(ada, 'GET', path)).status, 200)
  assert.is((await send(teacher, 'GET', path)).status, 200)
  for (const [method, where, body] of [
    ['GET', path],
    ['PUT', path, { start: at(4) }],
    ['POST', `${path}/cancel`],
  ] as const) {
    assert.is((await send(ben, method, where, body)).status, 404, `${method} ${where}`)
  }
  assert.equal((await listed(ada)).length, 1)
  assert.equal((await listed(ben)).length, 0)
  assert.equal((await listed(ben, `from=${at(-24)}&person=${ada.person.id}`)).length, 0)
  assert.equal((await listed(teacher)).length, 1)
})

test('the list goes from the soonest on, or from the latest, page by page', async () => {
  for (const hours of [4, 2, 6]) await booked(ada, at(hours))
  const starts = (items: readonly Booking[]) => items.map(({ start }) => start)
  assert.equal(starts(await listed(ada)), [at(2), at(4), at(6)])
  const page = async (query: string) =>
    (await (await send(ada, 'GET', `/api/v1/bookings?order=latest&limit=2&from=${at(0)}${query}`)).json()) as {
      items: Booking[]
      cursor?: string
    }
  const first = await page('')
  assert.equal(starts(first.items), [at(6), at(4)])
  const second = await page(`&cursor=${first.cursor}`)
  assert.equal([starts(second.items), second.cursor], [[at(2)], undefined])
  assert.is((await send(ada, 'GET', '/api/v1/bookings?order=none')).status, 400)
})

test('what makes no sense is refused at its place', async () => {
  const cases: [body: object, path: string][] = [
    [{ seconds: 0 }, 'seconds'],
    [{ seconds: undefined }, 'seconds'],
    [{ seconds: undefined, end: at(1) }, 'end'],
    [{ seconds: undefined, end: at(2) }, 'end'],
    [{ end: at(3) }, 'end'],
    [{ start: 'tomorrow' }, 'start'],
    [{ start: at(-1) }, 'start'],
    [{ start: at(24 * 40) }, 'start'],
    [{ lab: 'none' }, 'lab'],
    [{ bench: 'n.none' }, 'bench'],
    [{ places: 0 }, 'places'],
    [{ places: 2 }, 'places'],
  ]
  for (const [body, path] of cases) {
    assert.equal(paths(await refused(book(ada, at(2), body))), [path], JSON.stringify(body))
  }
  assert.equal(await listed(teacher), [])
})

test('a time that is taken is refused with the nearest free ones, also across labs that share benches', async () => {
  await booked(ada, at(2))
  await booked(teacher, at(2), { bench: 'n.b' })
  const problem = await refused(book(ben, at(2.5)))
  assert.equal([problem.status, problem.code, paths(problem)], [409, 'booking-conflict', ['start']])
  assert.equal(problem.details, { before: at(1), after: at(3) })
  await booked(ben, at(3))
})

test('moves, becomes longer, and can not become what is taken', async () => {
  const mine = await booked(ada, at(2), { bench: 'n.a' })
  await booked(ben, at(4), { bench: 'n.a' })
  const change = (body: object) => send(ada, 'PUT', `/api/v1/bookings/${mine.id}`, body)
  const moved = (await (await change({ start: at(2.5) })).json()) as Booking
  assert.equal([moved.start, moved.end, moved.id], [at(2.5), at(3.5), mine.id])
  const longer = (await (await change({ end: at(4) })).json()) as Booking
  assert.is(longer.end, at(4))
  assert.is((await refused(change({ end: at(4.5) }))).code, 'booking-conflict')
  assert.equal(paths(await refused(change({ end: at(2) }))), ['end'])
  assert.equal((await listed(ada))[0]?.end, at(4), 'nothing was changed')
})

test('one that has begun keeps its start; its end may come later while nobody is delayed, or sooner', async () => {
  const mine = await booked(ada, at(1), { bench: 'n.a' })
  const next = await booked(ben, at(3), { bench: 'n.a' })
  clock.jump(1.5 * hourMs)
  const change = (body: object) => send(ada, 'PUT', `/api/v1/bookings/${mine.id}`, body)
  assert.equal(paths(await refused(change({ start: at(5) }))), ['start'])
  assert.is(((await (await change({ end: at(3) })).json()) as Booking).end, at(3))
  assert.is((await refused(change({ end: at(3.1) }))).code, 'booking-conflict')
  const given = (await (await send(ada, 'POST', `/api/v1/bookings/${mine.id}/cancel`)).json()) as Booking
  assert.is(given.state, 'cancelled')
  await booked(teacher, at(2), { bench: 'n.a' })
  clock.jump(3 * hourMs)
  assert.is((await refused(send(ben, 'POST', `/api/v1/bookings/${next.id}/cancel`))).code, 'booking-over')
})

test('a student has few bookings, one at a time, and not far ahead; staff have more', async () => {
  await booked(ada, at(2))
  assert.is((await refused(book(ada, at(2.5)))).code, 'booking-overlaps-own')
  for (const hour of [4, 6]) await booked(ada, at(hour))
  assert.is((await refused(book(ada, at(12)))).code, 'bookings-too-many')
  await booked(teacher, at(24 * 300))
  await booked(teacher, at(30), { places: 2 })
  assert.is((await refused(book(ben, at(30)))).code, 'booking-conflict')
})

test('who books, how far ahead and how often is what permissions give', async () => {
  const head = await hub.person('admin', ['admin'])
  const give = (gives: object) => send(head, 'PUT', '/api/v1/permissions/everyone', { gives })
  await give({ mayBook: false })
  const problem = await refused(book(ada, at(2)))
  assert.equal([problem.status, problem.code, paths(problem)], [403, 'not-permitted', ['lab']])
  await give({ mayBook: true, bookAheadS: 7200, mostBookings: 1 })
  assert.is((await refused(book(ada, at(3)))).code, 'booking-too-far')
  await booked(ada, at(1))
  assert.is((await refused(book(ada, at(2)))).code, 'bookings-too-many')
  await give({ mostBookings: null, mostOpen: 1 })
  assert.is((await refused(book(ada, at(2)))).code, 'bookings-too-many')
  await give(usualTerms)
})

test('the calendar shows how many benches are free, names to staff, and to others their own', async () => {
  await booked(ada, at(2))
  await booked(ben, at(2.5))
  const calendar = async (who: Who) =>
    (await (await send(who, 'GET', `/api/v1/labs/small/calendar?from=${at(0)}&to=${at(6)}`)).json()) as Calendar
  const mine = await calendar(ada)
  assert.is(mine.benches, 2)
  assert.equal(
    mine.free.map(({ start, end, benches }) => [start, end, benches]),
    [
      [at(0), at(2), 2],
      [at(2), at(2.5), 1],
      [at(2.5), at(3), 0],
      [at(3), at(3.5), 1],
      [at(3.5), at(6), 2],
    ],
  )
  assert.equal(
    mine.bookings.map(({ person }) => person.id),
    [ada.person.id],
  )
  assert.is((await calendar(teacher)).bookings.length, 2)
  assert.is((await send(ada, 'GET', '/api/v1/labs/none/calendar')).status, 404)
  const wrong = await refused(send(ada, 'GET', `/api/v1/labs/small/calendar?from=${at(6)}&to=${at(0)}`))
  assert.equal(paths(wrong), ['query.to'])
})

const monday = (more: object = {}, weekly: object = {}) => ({
  lab: 'small',
  seconds: 7200,
  places: 2,
  weekly: { days: ['mon'], at: '14:00', timeZone: 'Europe/Madrid', from: '2026-03-23', until: '2026-04-12', ...weekly },
  ...more,
})
const series = (body: object, who: Who = teacher) => send(who, 'POST', '/api/v1/booking-series', body)

test('a course has its benches at the same clock time across the change of the clocks', async () => {
  const answer = await series(monday())
  assert.is(answer.status, 201)
  const { id, times, conflicts } = (await answer.json()) as BookedSeries
  assert.equal(conflicts, [])
  assert.equal(
    times.map(({ start }) => start),
    ['2026-03-23T13:00:00.000Z', '2026-03-30T12:00:00.000Z', '2026-04-06T12:00:00.000Z'],
  )
  const items = await listed(teacher, `from=${at(0)}&series=${id}`)
  assert.equal(
    items.map(({ places, series: own }) => [places, own]),
    [
      [2, id],
      [2, id],
      [2, id],
    ],
  )
  assert.is((await refused(book(ada, '2026-03-30T13:00:00Z'))).code, 'booking-conflict')
  const cancelled = await send(teacher, 'POST', `/api/v1/booking-series/${id}/cancel`)
  assert.equal(await cancelled.json(), { cancelled: 3 })
  await booked(ada, '2026-03-30T13:00:00Z')
  assert.is((await series(monday(), ada)).status, 403)
})

test('times of a series that are taken are listed; all or none, or those that are free', async () => {
  await booked(ada, '2026-03-30T13:00:00.000Z')
  const preview = (await (await series(monday({ preview: true }))).json()) as BookedSeries
  assert.equal([preview.id, preview.times.length], [undefined, 2])
  assert.equal(preview.conflicts, [
    {
      start: '2026-03-30T12:00:00.000Z',
      end: '2026-03-30T14:00:00.000Z',
      before: '2026-03-30T11:00:00.000Z',
      after: '2026-03-30T14:00:00.000Z',
    },
  ])
  const problem = await refused(series(monday()))
  assert.equal([problem.code, paths(problem)], ['booking-conflict', ['weekly']])
  assert.equal((await listed(teacher)).length, 1, 'none was booked')
  await booked(ben, '2026-03-23T13:00:00.000Z')
  const rest = (await (await series(monday({ conflicts: 'skip' }))).json()) as BookedSeries
  assert.equal([rest.times.length, rest.conflicts.length], [1, 2])
})

test('a series that makes no sense is refused at its place', async () => {
  const cases: [body: object, path: string][] = [
    [monday({}, { until: '2026-03-22' }), 'weekly.until'],
    [monday({}, { from: '2026-03-01', until: '2026-03-20' }), 'weekly.until'],
    [monday({ seconds: 8 * 86_400 }), 'seconds'],
    [monday({ seconds: 25 * 3600 }, { days: ['mon', 'tue'] }), 'seconds'],
    [monday({ seconds: 0 }), 'seconds'],
    [monday({}, { timeZone: 'Europe/Nowhere' }), 'weekly.timeZone'],
    [monday({}, { at: '25:00' }), 'weekly.at'],
    [monday({}, { days: [] }), 'weekly.days'],
    [monday({}, { until: '2028-01-01' }), 'weekly.until'],
  ]
  for (const [body, path] of cases) assert.equal(paths(await refused(series(body))), [path], JSON.stringify(body))
  assert.equal(await listed(teacher), [])
})

test('of two who want the last place at the same moment exactly one gets it, 200 times', async () => {
  const caller = (who: typeof ada) =>
    ({ ...who.person, personId: who.person.id, scopes: ['run'], via: 'token' }) as const
  const one = { lab: 'small', seconds: 60, bench: 'n.a', places: 1 }
  for (let round = 0; round < 200; round++) {
    const wanted = { ...one, start: new Date(startOfDay + hourMs + round * 60_000).toISOString() }
    // Staff may have as many.
    const both = [teacher, teacher].map((who) => hub.bookings.book(caller(who), wanted))
    const outcomes = await Promise.allSettled(both)
    assert.equal(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'], `round ${round}`)
  }
  const start = new Date(startOfDay + dayMs).toISOString()
  const crowd = Array.from({ length: 1000 }, () => hub.bookings.book(caller(teacher), { ...one, start }))
  const won = (await Promise.allSettled(crowd)).filter(({ status }) => status === 'fulfilled')
  assert.is(won.length, 1)
  const rows = await hub.store.db.selectFrom('booking').select(['starts_at', 'id']).execute()
  assert.is(rows.length, 201)
  assert.is(new Set(rows.map((row) => row.starts_at)).size, 201)
})

test('a write that fails leaves no bench taken, and the memory is as the disk is', async () => {
  await booked(ada, at(2), { bench: 'n.a' })
  await hub.store.database.write([
    { sql: "CREATE TRIGGER no_more BEFORE INSERT ON booking BEGIN SELECT RAISE(ABORT, 'no room'); END" },
  ])
  assert.is((await refused(book(ben, at(4), { bench: 'n.a' }))).code, 'database-recovering')
  await hub.turn.settled()
  await hub.store.database.write([{ sql: 'DROP TRIGGER no_more' }])
  await booked(ben, at(4), { bench: 'n.a' })
  assert.is((await refused(book(teacher, at(2), { bench: 'n.a' }))).code, 'booking-conflict')
})

test('a clock that is two days wrong, either way, loses and doubles no booking', async () => {
  const mine = await booked(ada, at(24), { bench: 'n.a' })
  for (const days of [2, -4, 2]) {
    clock.jump(days * dayMs)
    hub.bookingBook.forget(clock.now())
    await send(teacher, 'GET', `/api/v1/labs/small/calendar?from=${at(0)}&to=${at(48)}`)
  }
  assert.is(clock.now(), startOfDay)
  assert.is((await refused(book(ben, at(24), { bench: 'n.a' }))).code, 'booking-conflict')
  assert.equal(
    (await listed(ada)).map(({ id, state }) => [id, state]),
    [[mine.id, 'booked']],
  )
})

test('a list goes on where it stopped', async () => {
  for (const hour of [8, 2, 6, 4]) await booked(teacher, at(hour))
  const seen: string[] = []
  for (let cursor = ''; ; ) {
    const query = `from=${at(0)}&limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`
    const list = (await (await send(teacher, 'GET', `/api/v1/bookings?${query}`)).json()) as {
      items: Booking[]
      cursor?: string
    }
    seen.push(...list.items.map(({ start }) => start))
    if (list.cursor === undefined) break
    cursor = list.cursor
  }
  assert.equal(seen, [at(2), at(4), at(6), at(8)])
})

test('the file for calendars has the person’s bookings to come', async () => {
  await booked(ben, at(2))
  const soon = new Date(Date.now() + hourMs)
  clock.jump(soon.getTime() - clock.now())
  await booked(ada, new Date(soon.getTime() + hourMs).toISOString(), { note: 'a, b; c' })
  const answer = await send(ada, 'GET', '/api/v1/bookings/calendar.ics')
  assert.match(answer.headers.get('content-type') ?? '', /^text\/calendar/)
  const text = await answer.text()
  assert.is(text.match(/BEGIN:VEVENT/g)?.length, 1)
  assert.match(text, /SUMMARY:Small\r\n/)
  assert.ok(text.includes('DESCRIPTION:a\\, b\\; c\r\n'))
})

test.run()
