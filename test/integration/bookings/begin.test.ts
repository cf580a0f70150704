import type { BookingNotice } from '@fernlab/shared/contracts/booking-notices'
import type { Booking } from '@fernlab/shared/contracts/bookings'
import type { Session } from '@fernlab/shared/contracts/sessions'
import type { Use } from '@fernlab/shared/contracts/usage'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { smallLab, startTestHub, type TestHub, until } from '../hub/hub-with-node.ts'
import { newPerson, type TestPerson } from '../hub/session-people.ts'

const test = suite('bookings that begin', { timeoutMs: 40_000 })
const hourMs = 3_600_000
/** The hub's wall clock, which can be set. */
let setMs = 0
/** By how much more time has passed for the hub. */
let passedMs = 0
const clock: Clock = {
  ...systemClock,
  now: () => systemClock.now() + setMs + passedMs,
  monotonic: () => systemClock.monotonic() + passedMs,
}
let lab: TestHub
let ada: TestPerson
let ben: TestPerson
let staff: TestPerson

const push = async (id: string, more: string) => {
  const files = smallLab.map(({ path, text }) => ({ path, text: path === 'lab.yaml' ? `${text}${more}` : text }))
  const pushed = await lab.call(`/api/v1/labs/${id}`, { method: 'PUT', json: { files } })
  assert.is(pushed.ok, true, await pushed.text())
}

const everyone = async (json: object) => {
  const changed = await lab.call('/api/v1/permissions/everyone', { method: 'PUT', json })
  assert.is(changed.ok, true, await changed.text())
}

test.before(async () => {
  lab = await startTestHub({ clock })
  await push('small', 'session:\n  seconds: 60\n  mostSeconds: 7200\n  cleanUp: [{ set: { box.value: 2 } }]\n')
  await everyone({ gives: { sessionS: null } })
  await lab.node('node-1')
  ada = await newPerson(lab)
  ben = await newPerson(lab)
  staff = await newPerson(lab, 'instructor')
})
test.after(() => lab.close())
test.after.each(async () => {
  setMs = 0
  const { items } = (await staff.ask('GET', '/api/v1/sessions')).body as { items: Session[] }
  const from = new Date(clock.now() - 24 * hourMs).toISOString()
  const found = (await staff.ask('GET', `/api/v1/bookings?from=${from}`)).body as { items: Booking[] }
  for (const { id, state } of found.items) {
    if (state === 'booked' || state === 'now') await staff.ask('POST', `/api/v1/bookings/${id}/cancel`)
  }
  for (const { id, state } of items) if (state !== 'closed') await staff.ask('DELETE', `/api/v1/sessions/${id}`)
  await until(async () => {
    const { items: runs } = (await (await lab.call('/api/v1/runs')).json()) as {
      items: { id: string; state: string }[]
    }
    const open = runs.filter(({ state }) => ['queued', 'assigned', 'running'].includes(state))
    for (const { id } of open) await lab.call(`/api/v1/runs/${id}/cancel`, { method: 'POST' })
    const { state } = (await staff.ask('GET', '/api/v1/benches/node-1.b-1')).body as { state: string }
    return open.length === 0 && state === 'free'
  }, 'the bench is free again')
})

const iso = (inS: number) => new Date(clock.now() + inS * 1000).toISOString()
async function book(who: TestPerson, inS: number, more: object = {}): Promise<Booking> {
  const { status, body } = await who.ask('POST', '/api/v1/bookings', {
    lab: 'small',
    start: iso(inS),
    seconds: 3600,
    ...more,
  })
  assert.is(status, 201, JSON.stringify(body))
  return body as Booking
}
const bookingOf = async (who: TestPerson, id: string) =>
  (await who.ask('GET', `/api/v1/bookings/${id}`)).body as Booking
const sessionOf = async (who: TestPerson, id: string) =>
  (await who.ask('GET', `/api/v1/sessions/${id}`)).body as Session
const sessionsOf = async (who: TestPerson) =>
  ((await who.ask('GET', '/api/v1/sessions')).body as { items: Session[] }).items.filter(
    ({ state }) => state !== 'closed',
  )
const submit = async (who: TestPerson, pause: number, more: object = {}) =>
  (
    (
      await who.ask('POST', '/api/v1/runs', {
        lab: 'small',
        protocol: 'set',
        parameters: { value: 1, pause },
        ...more,
      })
    ).body as { id: string }
  ).id
const runState = async (id: string) => (await lab.hub.runs.get(id))?.state
const begun = async (who: TestPerson, id: string): Promise<Session> => {
  await until(async () => (await bookingOf(who, id)).session !== undefined, 'it has begun')
  return await sessionOf(who, (await bookingOf(who, id)).session ?? '')
}

test('one that begins opens its person’s session, once, for the time that is left; its end is the booking’s', async () => {
  const booking = await book(ada, 0, { seconds: 600 })
  const session = await begun(ada, booking.id)
  await until(async () => (await sessionOf(ada, session.id)).state === 'active', 'the bench is theirs')
  const active = await sessionOf(ada, session.id)
  assert.ok(Math.abs(Date.parse(active.endsAt ?? '') - Date.parse(booking.end)) < 10_000, active.endsAt)
  assert.equal([active.person.id, active.bench], [ada.id, 'node-1.b-1'])
  assert.is((await bookingOf(ada, booking.id)).state, 'now')
  const use = async () => (await (await lab.call(`/api/v1/usage/uses/${session.id}`)).json()) as Use
  await until(async () => (await use()).address !== undefined, 'from where they came')
  assert.equal([(await use()).address, (await use()).country], ['127.0.0.1', 'site'])
  const again = await ada.ask('POST', '/api/v1/sessions', { lab: 'small' })
  assert.equal([again.status, (again.body as Session).id], [200, session.id], 'there is no second')
  await lab.restart()
  await until(async () => (await sessionOf(ada, session.id)).state === 'active', 'it goes on')
  assert.is((await sessionsOf(ada)).length, 1)
  await ada.ask('POST', `/api/v1/sessions/${session.id}/finish`)
  await until(async () => (await bookingOf(ada, booking.id)).state === 'over', 'what is left is given back')
  assert.ok((await bookingOf(ada, booking.id)).endedAt !== undefined)
  const waiting = await submit(ben, 0)
  assert.is((await lab.final(waiting)).state, 'succeeded')
})

test('who is suspended loses the bench, gets none when a booking’s time comes, and keeps what comes later', async () => {
  const eve = await newPerson(lab)
  const isOn = await book(eve, 0, { seconds: 600 })
  const later = await book(eve, 7200)
  const soon = await book(eve, 900)
  const session = await begun(eve, isOn.id)
  await until(async () => (await sessionOf(staff, session.id)).state === 'active', 'the bench is theirs')
  const suspended = await lab.call(`/api/v1/users/${eve.id}/suspend`, { method: 'POST' })
  assert.is(suspended.status, 204)
  await until(async () => (await sessionOf(staff, session.id)).state === 'closed', 'the session has ended')
  assert.is((await lab.hub.runs.get(session.id))?.reason, 'the account was suspended')
  passedMs += 901_000
  await until(async () => (await bookingOf(staff, soon.id)).state === 'cancelled', 'its time has come')
  assert.is((await bookingOf(staff, later.id)).state, 'booked')
  assert.equal(await sessionsOf(staff), [])
  const restored = await lab.call(`/api/v1/users/${eve.id}/restore`, { method: 'POST' })
  assert.is(restored.status, 204)
  assert.is((await bookingOf(eve, later.id)).state, 'booked', 'their token works again')
})

test('before one that is to come, only what ends in time gets the bench', async () => {
  const booking = await book(ada, 55)
  const long = await submit(ben, 60)
  const short = await submit(ben, 0.1)
  assert.is((await lab.final(short)).state, 'succeeded')
  const { state, waitReason = '', estimatedStart = '' } = (await lab.hub.runs.get(long)) ?? {}
  assert.is(state, 'queued')
  assert.match(waitReason, new RegExp(`node-1.b-1 is booked from ${booking.start}, and this might not end in time`))
  assert.ok(Date.parse(estimatedStart) >= Date.parse(booking.end), estimatedStart)
  await ada.ask('POST', `/api/v1/bookings/${booking.id}/cancel`)
  await until(async () => (await runState(long)) === 'running', 'the time was given back')
})

test('one whose bench is still in use is first in line for it', async () => {
  const running = await submit(ben, 3)
  await until(async () => (await runState(running)) === 'running', 'the bench is in use')
  const waiting = await submit(ben, 0)
  const booking = await book(ada, 0)
  await begun(ada, booking.id)
  assert.equal([await runState(running), await runState(waiting)], ['succeeded', 'queued'])
  await ada.ask('POST', `/api/v1/bookings/${booking.id}/cancel`)
  assert.is((await lab.final(waiting)).state, 'succeeded')
})

test('cancelling one under way ends its session; its person’s own place in the queue goes when it begins', async () => {
  const blocking = await submit(ben, 2)
  const queued = (await ada.ask('POST', '/api/v1/sessions', { lab: 'small' })).body as Session
  const booking = await book(ada, 0)
  const session = await begun(ada, booking.id)
  assert.is((await sessionOf(ada, queued.id)).state, 'closed')
  const { body } = await ada.ask('POST', `/api/v1/bookings/${booking.id}/cancel`)
  assert.is((body as Booking).state, 'cancelled')
  await until(async () => (await sessionOf(ada, session.id)).state === 'closed', 'the session ends')
  assert.is((await bookingOf(ada, booking.id)).state, 'cancelled')
  await lab.final(blocking)
})

test('a bench of several places is kept for whoever may use it, and for nobody else', async () => {
  const booking = await book(staff, 0, { places: 1, bench: 'node-1.b-1' })
  assert.is((await begun(staff, booking.id)).wantedBench, 'node-1.b-1', 'it keeps the bench that was booked')
  await staff.ask('POST', `/api/v1/bookings/${booking.id}/cancel`)
  await push('small', '')
  await until(async () => (await sessionsOf(staff)).length === 0, 'the session ended')
  const kept = await book(ada, 0)
  const others = await submit(ben, 0)
  const mine = await submit(ada, 0)
  assert.is((await lab.final(mine)).state, 'succeeded')
  assert.is(await runState(others), 'queued', 'the bench is kept')
  assert.is((await bookingOf(ada, kept.id)).state, 'now')
  await ada.ask('POST', `/api/v1/bookings/${kept.id}/cancel`)
  assert.is((await lab.final(others)).state, 'succeeded')
  await push('small', 'session:\n  seconds: 60\n  mostSeconds: 7200\n')
})

test('one of a group keeps its bench for the group’s people: whoever comes has it at once', async () => {
  const group = await lab.call('/api/v1/groups', { method: 'POST', json: { id: 'circuits', name: 'Circuits' } })
  assert.is(group.status, 201, await group.text())
  const refused = await ada.ask('POST', '/api/v1/bookings', {
    lab: 'small',
    start: iso(0),
    seconds: 600,
    group: 'circuits',
  })
  assert.is((refused.body as { code: string }).code, 'booking-invalid')
  const booking = await book(staff, 0, { group: 'circuits' })
  assert.equal(booking.group, { id: 'circuits', name: 'Circuits' })
  const others = (await ada.ask('POST', '/api/v1/sessions', { lab: 'small' })).body as Session
  const hers = (await ben.ask('POST', '/api/v1/sessions', { lab: 'small' })).body as Session
  await lab.call('/api/v1/groups/circuits/members', { method: 'POST', json: { add: [{ who: ben.id }] } })
  await until(async () => (await sessionOf(ben, hers.id)).state === 'active', 'a member has the bench')
  assert.is((await sessionOf(ada, others.id)).state, 'waiting')
  assert.is((await bookingOf(staff, booking.id)).state, 'now')
})

test('one to which nobody comes is missed when the grace period is over, and its time given back', async () => {
  const booking = await book(ada, 0)
  const session = await begun(staff, booking.id)
  await until(async () => (await sessionOf(staff, session.id)).state === 'active', 'the bench waits')
  const waiting = await submit(ben, 0)
  passedMs += 9 * 60_000
  await until(async () => (await bookingOf(staff, booking.id)).state === 'now', 'there is still time')
  passedMs += 2 * 60_000
  await until(async () => (await bookingOf(ada, booking.id)).state === 'missed', 'it is missed')
  assert.is((await lab.final(waiting)).state, 'succeeded')
  const closed = await sessionOf(ada, session.id)
  assert.equal(
    [closed.state, closed.reason],
    ['closed', 'nobody came within 10 min of its start: the time was given back'],
  )
  const found = (await bookingOf(ada, booking.id)).endedAt ?? ''
  assert.ok(Date.parse(found) < Date.parse(booking.end), found)
})

test('one whose person has come stays, also when the hub restarts', async () => {
  const booking = await book(ada, 0)
  const session = await begun(ada, booking.id)
  await lab.restart()
  passedMs += 11 * 60_000
  await until(async () => (await sessionOf(staff, session.id)).state === 'active', 'it is theirs')
  assert.is((await bookingOf(staff, booking.id)).state, 'now')
})

test('a session is made longer until a booking needs its bench; that of a booking makes the booking longer', async () => {
  const mine = (await ben.ask('POST', '/api/v1/sessions', { lab: 'small', seconds: 20 })).body as Session
  await until(async () => (await sessionOf(ben, mine.id)).state === 'active', 'the bench is in use')
  const next = await book(ada, 60)
  const extend = async (who: TestPerson, id: string, seconds: number) => {
    const { status, body } = await who.ask('POST', `/api/v1/sessions/${id}/extend`, { seconds })
    return { status, ...(body as { code?: string; details?: { until: string } }) }
  }
  const refused = await extend(ben, mine.id, 60)
  assert.equal([refused.status, refused.code], [409, 'bench-booked'])
  assert.ok(Math.abs(Date.parse(refused.details?.until ?? '') - Date.parse(next.start)) < 5000, refused.details?.until)
  assert.is((await extend(ben, mine.id, 10)).status, 200)
  await ada.ask('POST', `/api/v1/bookings/${next.id}/cancel`)
  await ben.ask('DELETE', `/api/v1/sessions/${mine.id}`)
  await until(async () => (await sessionOf(ben, mine.id)).state === 'closed', 'the bench is free')
  const booking = await book(ada, 0, { seconds: 60 })
  const own = await begun(ada, booking.id)
  await until(async () => (await sessionOf(ada, own.id)).state === 'active', 'the bench is theirs')
  assert.is((await extend(ada, own.id, 30)).status, 200)
  const longer = Date.parse((await bookingOf(ada, booking.id)).end) - Date.parse(booking.end)
  assert.ok(longer > 15_000 && longer <= 31_000, String(longer))
  const later = new Date(Date.parse(booking.end) + 60_000).toISOString()
  await ada.ask('PUT', `/api/v1/bookings/${booking.id}`, { end: later })
  const { endsAt = '' } = await sessionOf(ada, own.id)
  assert.ok(Math.abs(Date.parse(endsAt) - Date.parse(later)) < 2000, endsAt)
})

test('one whose permission was taken away is cancelled when it is to begin, and says why; staff’s begins', async () => {
  const booking = await book(ada, 2)
  const waits = await book(staff, 3700)
  await everyone({ protocols: ['set'] })
  await until(async () => (await bookingOf(ada, booking.id)).state === 'cancelled', 'it is cancelled')
  const { cancelReason, session } = await bookingOf(ada, booking.id)
  assert.equal(
    [cancelReason, session],
    ['when it was to begin, no permission let its person use the lab any more', undefined],
  )
  const told = async () =>
    ((await ada.ask('GET', '/api/v1/bookings/notices')).body as { items: BookingNotice[] }).items.filter(
      (notice) => notice.booking === booking.id,
    )
  assert.equal(
    (await told()).map(({ what, start }) => [what, start]),
    [['not-permitted', booking.start]],
  )
  setMs = 3_700_000
  await begun(staff, waits.id)
  await everyone({ protocols: null })
})

test('a session of a booking becomes longer within the quota, and counts for as much', async () => {
  await everyone({ gives: { dayS: 1800 } })
  const own = await newPerson(lab)
  const booking = await book(own, 0, { seconds: 600 })
  const session = await begun(own, booking.id)
  await until(async () => (await sessionOf(own, session.id)).state === 'active', 'the bench is theirs')
  const extend = async (seconds: number) =>
    (await own.ask('POST', `/api/v1/sessions/${session.id}/extend`, { seconds })).body as { code?: string }
  assert.is((await extend(1260)).code, 'quota-used')
  assert.is((await extend(1000)).code, undefined)
  assert.is((await extend(260)).code, 'quota-used')
  await lab.restart()
  await until(async () => (await sessionOf(own, session.id)).state === 'active', 'it goes on')
  assert.is((await extend(260)).code, 'quota-used', 'also after the hub has started again')
  await own.ask('POST', `/api/v1/bookings/${booking.id}/cancel`)
  await everyone({ gives: { dayS: null } })
})

test('a clock that is two days wrong and put right misses and doubles none', async () => {
  const booking = await book(ada, 3600)
  const looked = async () => {
    const id = await submit(ben, 0)
    await lab.final(id)
  }
  for (const days of [2, -2]) {
    setMs = days * 24 * hourMs
    await looked()
    assert.is((await bookingOf(ada, booking.id)).session, undefined, 'it is not its time')
  }
  setMs = hourMs + 1000
  const session = await begun(ada, booking.id)
  for (const days of [2, -2, 0]) {
    setMs = hourMs + 1000 + days * 24 * hourMs
    await until(async () => (await sessionOf(ada, session.id)).state === 'active', 'it goes on')
    assert.equal(
      (await sessionsOf(ada)).map(({ id }) => id),
      [session.id],
    )
  }
  assert.is((await bookingOf(ada, booking.id)).state, 'now')
})

test('one that a wrong clock has missed is there again when the clock is put right in time', async () => {
  const booking = await book(ada, 3600)
  setMs = 1.5 * hourMs
  await begun(staff, booking.id)
  passedMs += 11 * 60_000
  await until(async () => (await bookingOf(staff, booking.id)).state === 'missed', 'nobody came')
  await until(async () => (await sessionsOf(staff)).length === 0, 'its session ended')
  setMs = -48 * hourMs
  await lab.restart()
  await until(async () => (await bookingOf(staff, booking.id)).state === 'booked', 'it is to come')
  setMs = hourMs + 1000 - 11 * 60_000
  const session = await begun(ada, booking.id)
  for (const days of [2, -2, 0]) {
    setMs = hourMs + 1000 - 11 * 60_000 + days * 24 * hourMs
    await until(async () => (await sessionOf(ada, session.id)).state === 'active', 'it goes on')
  }
  assert.is((await sessionsOf(ada)).length, 1)
  assert.is((await bookingOf(ada, booking.id)).state, 'now')
})

test('bookings of the hour that a night has twice, and of the one that it leaves out, begin once', async () => {
  const nights = [
    { day: '2026-10-25', begins: '2026-10-25T00:30:00Z', again: '2026-10-25T01:30:00Z' },
    { day: '2026-03-29', begins: '2026-03-29T01:00:00Z', again: '2026-03-29T01:30:00Z' },
  ]
  const setTo = (time: string, moreS: number) => {
    setMs = Date.parse(time) + moreS * 1000 - systemClock.now() - passedMs
  }
  /** The hub has looked by this time, and had a bench to give. */
  const looked = async () => assert.is((await lab.final(await submit(ben, 0))).state, 'succeeded')
  for (const { day, begins, again } of nights) {
    setTo(begins, -1800)
    const weekly = { days: ['sun'], at: '02:30', timeZone: 'Europe/Berlin', from: day, until: day }
    const made = await staff.ask('POST', '/api/v1/booking-series', { lab: 'small', weekly, seconds: 600 })
    assert.is(made.status, 201, JSON.stringify(made.body))
    const { items } = (await staff.ask('GET', `/api/v1/bookings?from=${iso(0)}&to=${iso(7200)}`)).body as {
      items: Booking[]
    }
    assert.equal(
      items.map(({ start }) => Date.parse(start)),
      [Date.parse(begins)],
    )
    setTo(begins, -120)
    await looked()
    assert.equal(await sessionsOf(staff), [], 'it is not its time')
    setTo(begins, 1)
    const session = await begun(staff, items[0]?.id ?? '')
    await until(async () => (await sessionOf(staff, session.id)).state === 'active', 'the bench is theirs')
    await staff.ask('POST', `/api/v1/sessions/${session.id}/finish`)
    await until(async () => (await sessionOf(staff, session.id)).state === 'closed', 'it is over')
    for (const time of [begins, again]) {
      setTo(time, 30)
      await looked()
      assert.equal(await sessionsOf(staff), [], 'it does not begin again')
    }
    assert.equal((await bookingOf(staff, items[0]?.id ?? '')).session, session.id)
  }
})

test('a run for which bookings leave no gap is told so; where there is one in three days, its start is there', async () => {
  const daily = async (days: number) => {
    for (let at = 0; at < days; at++) await book(staff, 300 + at * 86_400, { seconds: 86_100, bench: 'node-1.b-1' })
  }
  const waitOf = async (id: string) => {
    await until(async () => (await lab.hub.runs.get(id))?.waitReason !== undefined, 'it waits')
    return await lab.hub.runs.get(id)
  }
  await daily(3)
  const until3 = new Date(clock.now() + 3 * 86_400_000).getTime()
  const long = await submit(ben, 600)
  const first = Date.parse((await waitOf(long))?.estimatedStart ?? '')
  assert.ok(Math.abs(first - until3) < 60_000, new Date(first).toISOString())
  for (let at = 3; at < 16; at++) await book(staff, 300 + at * 86_400 - 20, { seconds: 86_100, bench: 'node-1.b-1' })
  const kept = await waitOf(long)
  assert.is(kept?.estimatedStart, undefined)
  assert.match(
    kept?.waitReason ?? '',
    /^this takes about 10 min, and for weeks bookings and closing hours leave [34] min at a time at most: make it shorter, or book a time$/,
  )
  const short = await submit(ben, 0)
  assert.is((await lab.final(short)).state, 'succeeded')
})

test('a booking to come counts as a place when its person queues', async () => {
  const everyone = (mostOpen: number | null) =>
    lab.call('/api/v1/permissions/everyone', { method: 'PUT', json: { gives: { mostOpen } } })
  const booking = await book(ada, 7200)
  await everyone(1)
  const run = () => ada.ask('POST', '/api/v1/runs', { lab: 'small', protocol: 'set' })
  const { status, body } = await run()
  assert.equal([status, (body as { code: string }).code], [409, 'reservations-full'])
  assert.match(JSON.stringify(body), `cancel booking ${booking.id} from ${booking.start} to make room`)
  await ada.ask('POST', `/api/v1/bookings/${booking.id}/cancel`)
  assert.is((await run()).status, 201)
  await everyone(null)
})

test.run()
