import type { BookedSeries, Booking, Calendar } from '@fernlab/shared/contracts/bookings'
import type { EffectivePermission } from '@fernlab/shared/contracts/permissions'
import { usualTerms } from '@fernlab/shared/contracts/terms'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { cases } from '../../support/long.ts'
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

const everyone = async (json: object) => {
  const head = await hub.person('admin', ['admin'])
  const answer = await send(head, 'PUT', '/api/v1/permissions/everyone', json)
  assert.is(answer.status, 200, await answer.text())
}

test.before(async () => {
  clock = new ManualClock(startOfDay)
  hub = await serveHub({ clock, benches: ['n.a', 'n.b'] })
  const files = Object.fromEntries(smallLab.map(({ path, text }) => [path, text]))
  await hub.catalogue.push(files, { id: 'small' })
  const session = 'session:\n  seconds: 60\n  mostSeconds: 7200\n'
  await hub.catalogue.push({ ...files, 'lab.yaml': `${files['lab.yaml']}${session}` }, { id: 'driven' })
})
test.after(() => hub.close())
test.before.each(async () => {
  clock.jump(startOfDay - clock.now())
  await hub.store.db.deleteFrom('booking').execute()
  hub.bookingBook.reset([])
  await everyone({ gives: usualTerms, protocols: null, from: null, until: null })
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

/** Until the memory has been read again. */
async function whenOpen(): Promise<void> {
  await hub.turn.settled()
  while (!hub.turn.open) await new Promise((resolve) => setTimeout(resolve, 5))
}

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

test('what a group has is in the lists of its people, who may not change it', async () => {
  const course = { id: 'optics', name: 'Optics', kind: 'course' }
  const boss = await hub.person('admin', ['run', 'admin'])
  await send(boss, 'DELETE', '/api/v1/groups/optics')
  const made = await send(boss, 'POST', '/api/v1/groups', course)
  assert.is(made.status, 201, await made.text())
  const add = [{ who: ben.person.id }]
  assert.ok((await send(boss, 'POST', '/api/v1/groups/optics/members', { add })).ok)
  const mine = await booked(ben, at(5))
  const ours = await booked(teacher, at(2), { group: 'optics', places: 2 })
  const path = `/api/v1/bookings/${ours.id}`
  const ids = (items: readonly Booking[]) => items.map(({ id }) => id)
  assert.equal(ids(await listed(ben)), [ours.id, mine.id])
  assert.equal((await listed(ben))[0]?.group, { id: 'optics', name: 'Optics' })
  assert.equal(ids(await listed(ada)), [])
  assert.is((await send(ben, 'GET', path)).status, 200)
  assert.is((await send(ada, 'GET', path)).status, 404)
  for (const [method, where, body] of [
    ['PUT', path, { start: at(6) }],
    ['POST', `${path}/cancel`],
  ] as const) {
    const answer = await refused(send(ben, method, where, body))
    assert.equal([answer.status, answer.code], [403, 'forbidden'], where)
    assert.is((await send(ada, method, where, body)).status, 404)
  }
  assert.ok((await send(boss, 'POST', '/api/v1/groups/optics/members', { remove: [ben.person.id] })).ok)
  assert.equal(ids(await listed(ben)), [mine.id], 'no longer in the group')
  assert.is((await send(ben, 'GET', path)).status, 404)
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
  const full = await refused(book(ada, at(2)))
  assert.is(full.code, 'bookings-too-many')
  assert.match(JSON.stringify(full.issues), new RegExp(`cancel booking [0-9a-z]+ from ${at(1)} to make room`))
})

const drive = (who: Who, start: string, seconds: number) => book(who, start, { lab: 'driven', seconds })
const may = async (who: Who, lab = 'driven') =>
  ((await (await send(who, 'GET', `/api/v1/labs/${lab}/permission`)).json()) as EffectivePermission).booking

test('no booking is longer than the lab’s sessions and the person’s permissions, but for staff', async () => {
  const long = await refused(drive(ada, at(2), 1860))
  assert.equal([long.status, long.code, paths(long)], [422, 'booking-too-long', ['seconds']])
  assert.is((await may(ada)).longestS, 1800)
  const mine = await booked(ada, at(2), { lab: 'driven', seconds: 1800 })
  const change = (body: object, who: Who = ada) => send(who, 'PUT', `/api/v1/bookings/${mine.id}`, body)
  assert.is((await refused(change({ seconds: 1860 }))).code, 'booking-too-long')
  await everyone({ gives: { sessionS: null } })
  assert.is((await may(ada)).longestS, 7200)
  assert.is((await refused(drive(ada, at(6), 7260))).code, 'booking-too-long')
  assert.is((await change({ seconds: 7200 })).status, 200)
  await booked(teacher, at(6), { lab: 'driven', seconds: 5 * 3600 })
  assert.is((await change({ seconds: 3 * 3600 }, teacher)).status, 200, 'staff may give somebody more')
  assert.is((await change({ seconds: 2.5 * 3600 })).status, 200, 'and it may become shorter again')
  await everyone({ gives: { sessionS: 0 } })
  assert.is((await refused(drive(ben, at(2), 60))).code, 'booking-too-long')
})

test('a booking for sessions needs a permission for sessions, now and at its time', async () => {
  await everyone({ protocols: ['set'] })
  const problem = await refused(drive(ada, at(2), 60))
  assert.equal([problem.status, problem.code, paths(problem)], [403, 'not-permitted', ['lab']])
  assert.is((await may(ada)).may, false)
  assert.is((await may(teacher)).may, true)
  await booked(ada, at(2), { lab: 'small', seconds: 60 })
  await everyone({ protocols: null, until: at(3) })
  await booked(ada, at(2.5), { lab: 'driven', seconds: 1800 })
  assert.equal(paths(await refused(drive(ben, at(2.75), 1800))), ['start'], 'it ends too late')
  assert.is((await refused(drive(ben, at(4), 60))).code, 'not-permitted')
})

test('bookings count as bench time of the day and the week in which they lie', async () => {
  await everyone({ gives: { dayS: 3600, weekS: 5400 } })
  const mine = await booked(ada, at(2), { lab: 'driven', seconds: 1800 })
  const tomorrow = await booked(ada, at(26), { lab: 'driven', seconds: 1800 })
  assert.equal(await may(ada), {
    may: true,
    longestS: 1800,
    aheadS: usualTerms.bookAheadS,
    most: 3,
    left: 1,
    dayLeftS: 1800,
    weekLeftS: 1800,
  })
  const change = (id: string, body: object) => send(ada, 'PUT', `/api/v1/bookings/${id}`, body)
  assert.is((await change(tomorrow.id, { start: at(5) })).status, 200, 'its own time does not count against it')
  const full = await refused(drive(ada, at(8), 60))
  assert.equal([full.status, full.code], [409, 'quota-used'])
  assert.match(full.detail, '3600 s of 3600 s of bench time of driven are used or booked today')
  await change(tomorrow.id, { start: at(50) })
  await booked(ada, at(74), { lab: 'driven', seconds: 1800 })
  assert.match((await refused(change(mine.id, { seconds: 1860 }))).detail, 'at most')
  await everyone({ gives: { mostBookings: null } })
  assert.match((await refused(drive(ada, at(98), 60))).detail, 'this week')
  await booked(ada, at(24 * 7), { lab: 'driven', seconds: 1800 })
  assert.match((await refused(drive(ada, at(24 * 7 + 2), 1860))).code, 'booking-too-long')
  await everyone({ gives: { dayS: 1800 } })
  assert.match((await refused(drive(ada, at(24 * 7 + 2), 60))).detail, 'on 2026-03-30')
  assert.is((await change(mine.id, { seconds: 900 })).status, 200, 'less is always allowed')
})

test('one that has begun becomes longer within what is left of the day', async () => {
  await everyone({ gives: { dayS: 3600, sessionS: null } })
  const mine = await booked(ada, at(1), { seconds: 3000 })
  clock.jump(hourMs + 60_000)
  const change = (body: object) => send(ada, 'PUT', `/api/v1/bookings/${mine.id}`, body)
  assert.is((await change({ seconds: 3600 })).status, 200)
  assert.is((await refused(change({ seconds: 3600 * 3 }))).code, 'quota-used')
})

test('nothing lets nothing be booked', async () => {
  await everyone({ gives: { mostBookings: 0 } })
  assert.is((await refused(book(ada, at(2)))).code, 'bookings-too-many')
  await everyone({ gives: { mostBookings: 3, bookAheadS: 0 } })
  assert.is((await refused(book(ada, at(1)))).code, 'booking-too-far')
  assert.is((await book(ada, at(0))).status, 201, 'what is free now')
  await everyone({ gives: { bookAheadS: 86_400, dayS: 0 } })
  assert.is((await refused(book(ben, at(1)))).code, 'quota-used')
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
  const ofBench = async (bench: string) => send(ada, 'GET', `/api/v1/labs/small/calendar?bench=${bench}`)
  assert.is(((await (await ofBench('n.a')).json()) as Calendar).benches, 1)
  assert.equal(paths(await refused(ofBench('n.c'))), ['bench'])
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

test('what was cancelled of a series is booked again once, as far as nobody took it since', async () => {
  const { id = '' } = (await (await series(monday())).json()) as BookedSeries
  const post = (what: string, who: Who = teacher) => send(who, 'POST', `/api/v1/booking-series/${id}/${what}`)
  const boss = await hub.person('admin', ['run', 'admin'])
  const [single] = await listed(teacher, `series=${id}`)
  await send(teacher, 'POST', `/api/v1/bookings/${single?.id}/cancel`)
  clock.jump(1000)
  await post('cancel')
  await booked(ada, '2026-03-30T13:00:00Z')
  assert.is((await refused(post('take-back', boss))).code, 'forbidden')
  const answers = await Promise.all([post('take-back'), post('take-back')])
  assert.equal(
    answers.map(({ status }) => status),
    [201, 201],
  )
  const told = (await Promise.all(answers.map((answer) => answer.json()))) as BookedSeries[]
  assert.equal(
    told.flatMap(({ times }) => times).map(({ start }) => start),
    ['2026-04-06T12:00:00.000Z'],
  )
  assert.is(told[0]?.conflicts[0]?.start, '2026-03-30T12:00:00.000Z')
  assert.ok(told[0]?.conflicts[0]?.after !== undefined)
  assert.equal(
    (await listed(teacher, `series=${id}&when=to-come`)).map(({ start, series: own, places }) => [start, own, places]),
    [['2026-04-06T12:00:00.000Z', id, 2]],
  )
  const action = 'booking-series.taken-back'
  const entries = await send(boss, 'GET', `/api/v1/audit?action=${action}&subject=${id}`)
  assert.is(((await entries.json()) as { items: object[] }).items.length, 1)
})

test('what was taken back of a series and moved since is not booked twice', async () => {
  const { id = '' } = (await (await series(monday())).json()) as BookedSeries
  const post = (what: string) => send(teacher, 'POST', `/api/v1/booking-series/${id}/${what}`)
  const starts = async () => (await listed(teacher, `series=${id}&when=to-come`)).map(({ start }) => start)
  await post('cancel')
  assert.is((await post('take-back')).status, 201)
  const [single] = await listed(teacher, `series=${id}&when=to-come`)
  const moved = await send(teacher, 'PUT', `/api/v1/bookings/${single?.id}`, { start: '2026-03-24T13:00:00.000Z' })
  assert.is(moved.status, 200)
  const again = (await (await post('take-back')).json()) as BookedSeries
  assert.equal([again.times, again.conflicts], [[], []])
  assert.equal(await starts(), ['2026-03-24T13:00:00.000Z', '2026-03-30T12:00:00.000Z', '2026-04-06T12:00:00.000Z'])
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

test('a time of a series that is taken is had at another time, where that is free', async () => {
  const [from, to] = ['2026-03-30T12:00:00.000Z', '2026-03-30T14:00:00.000Z']
  await booked(ada, from)
  const moved = [{ from, to }]
  const preview = (await (await series(monday({ moved, preview: true }))).json()) as BookedSeries
  assert.equal(preview.conflicts, [])
  assert.equal(preview.times[1], { start: to, end: '2026-03-30T16:00:00.000Z', movedFrom: from })
  await booked(ben, '2026-03-30T15:00:00.000Z')
  const late = (await (await series(monday({ moved, preview: true }))).json()) as BookedSeries
  assert.equal(
    late.conflicts.map(({ start, movedFrom, after }) => [start, movedFrom, after]),
    [[to, from, '2026-03-30T16:00:00.000Z']],
  )
  const further = [{ from, to: '2026-03-30T16:00:00+00:00' }]
  const answer = await series(monday({ moved: further }))
  const made = (await answer.json()) as BookedSeries
  assert.is(answer.status, 201, JSON.stringify(made))
  assert.equal(
    (await listed(teacher, `series=${made.id}`)).map(({ start }) => start),
    ['2026-03-23T13:00:00.000Z', '2026-03-30T16:00:00.000Z', '2026-04-06T12:00:00.000Z'],
  )
})

test('a series is moved only from times that it has, to times to come, and never onto itself', async () => {
  const from = '2026-03-30T12:00:00.000Z'
  const cases: [moved: object[], path: string][] = [
    [[{ from: '2026-03-30T13:00:00.000Z', to: at(30) }], 'moved[0].from'],
    [
      [
        { from, to: at(30) },
        { from, to: at(40) },
      ],
      'moved[1].from',
    ],
    [[{ from, to: at(-2) }], 'moved[0].to'],
    [[{ from, to: at(24 * 500) }], 'moved[0].to'],
  ]
  for (const [moved, path] of cases) {
    assert.equal(paths(await refused(series(monday({ moved })))), [path], JSON.stringify(moved))
  }
  // One of two benches is left then, and yet the course would meet twice at a time.
  const onto = [{ from, to: '2026-04-06T13:00:00.000Z' }]
  const body = monday({ places: 1, moved: onto, preview: true })
  const { conflicts } = (await (await series(body)).json()) as BookedSeries
  assert.equal(
    conflicts.map(({ start, movedFrom }) => [start, movedFrom]),
    [[onto[0]?.to, from]],
  )
})

test('a list has those to come, the past, the cancelled or the missed alone, page by page', async () => {
  const old = await booked(ada, at(1))
  const older = await booked(ada, at(0))
  const lost = await booked(ada, at(2))
  await booked(ben, at(1))
  clock.jump(3.5 * hourMs)
  await hub.store.db.updateTable('booking').set({ state: 'missed' }).where('id', '=', lost.id).execute()
  const next = await booked(ada, at(5))
  const gone = await booked(ada, at(7))
  await send(ada, 'POST', `/api/v1/bookings/${gone.id}/cancel`)
  const ids = async (who: Who, query: string) => (await listed(who, query)).map(({ id }) => id)
  assert.equal(await ids(ada, 'when=to-come'), [next.id])
  assert.equal(await ids(ada, 'when=past'), [old.id, older.id], 'the latest first')
  assert.equal(await ids(ada, 'when=past&order=soonest'), [older.id, old.id])
  assert.equal(await ids(ada, `when=past&from=${at(1.5)}`), [old.id])
  assert.equal(await ids(ada, 'when=cancelled'), [gone.id])
  assert.equal(await ids(ada, 'when=missed'), [lost.id])
  assert.is((await listed(teacher, 'when=past')).length, 3)
  assert.equal(await ids(teacher, `when=past&person=${ben.person.id}`).then((all) => all.length), 1)
  const first = await send(ada, 'GET', '/api/v1/bookings?when=past&limit=1')
  const { items, cursor = '' } = (await first.json()) as { items: Booking[]; cursor?: string }
  assert.is(items[0]?.id, old.id)
  assert.equal(await ids(ada, `when=past&limit=1&cursor=${encodeURIComponent(cursor)}`), [older.id])
  const wrong = await refused(send(ada, 'GET', '/api/v1/bookings?when=soon'))
  assert.equal([wrong.status, paths(wrong)], [400, ['query.when']])
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

test('of people who want the last place at the same moment exactly one gets it, time and again', async () => {
  const people = (await hub.people('student', 200)).map(
    (person) => ({ ...person, personId: person.id, scopes: ['run'], via: 'token' }) as const,
  )
  const [one, other] = people
  const rival = [one, other].flatMap((who) => who ?? [])
  const wanted = { lab: 'small', start: at(2), seconds: 3600, bench: 'n.a', places: 1 }
  const wins = new Set<string>()
  const claim = async (claimants: typeof people, what: string) => {
    const outcomes = await Promise.allSettled(claimants.map((who) => hub.bookings.book(who, wanted)))
    const [won, ...more] = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    const codes = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []))
    assert.equal([won?.state, more, [...new Set(codes)]], ['booked', [], ['booking-conflict']], what)
    const kept = await hub.store.db.selectFrom('booking').select('id').where('cancelled_at', 'is', null).execute()
    assert.equal(kept, [{ id: won?.id }], what)
    const winner = claimants.find(({ id }) => id === won?.person.id)
    if (winner === undefined || won === undefined) throw new Error(`${what}: somebody else has it`)
    wins.add(winner.id)
    await hub.bookings.cancel(winner, won.id)
  }
  // Who asks first varies.
  for (let round = 0; round < 1000; round++)
    await claim(round % 2 === 0 ? rival : rival.toReversed(), `two people, round ${round}`)
  assert.is(wins.size, 2)
  for (let round = 0; round < cases(5); round++) {
    const from = (round * 37) % people.length
    await claim([...people.slice(from), ...people.slice(0, from)], `200 people, round ${round}`)
  }
})

test('a write that fails leaves no bench taken, and the memory is as the disk is', async () => {
  await booked(ada, at(2), { bench: 'n.a' })
  await hub.store.database.write([
    { sql: "CREATE TRIGGER no_more BEFORE INSERT ON booking BEGIN SELECT RAISE(ABORT, 'no room'); END" },
  ])
  assert.is((await refused(book(ben, at(4), { bench: 'n.a' }))).code, 'database-recovering')
  await whenOpen()
  const caller = { ...ben.person, personId: ben.person.id, scopes: ['run'], via: 'token' } as const
  const wanted = { lab: 'small', start: at(4), seconds: 3600, bench: 'n.a', places: 1 }
  for (let round = 0; round < 20; round++) {
    const lost = await hub.bookings.book(caller, wanted).catch(({ code }) => code)
    // At once, while the memory may still hold what the disk does not.
    const again = await hub.bookings.book(caller, wanted).catch(({ code }) => code)
    assert.equal([lost, again], ['database-recovering', 'database-recovering'], `round ${round}`)
    await whenOpen()
  }
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
