/** What a bench needs before and after its person counts wherever time is shared: over HTTP, with a node. */
import { bookableSpans } from '@fernlab/shared/contracts/bookable-times'
import type { Booking, Calendar } from '@fernlab/shared/contracts/bookings'
import type { Session } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { smallLab, startTestHub, type TestHub, until } from '../hub/hub-with-node.ts'
import { newPerson, type TestPerson } from '../hub/session-people.ts'

const test = suite('set-up and clean-up', { timeoutMs: 40_000 })
const SET_UP_S = 2
const CLEAN_UP_S = 400
let lab: TestHub
let ada: TestPerson
let ben: TestPerson

test.before(async () => {
  lab = await startTestHub()
  const session = `
session:
  seconds: 60
  mostSeconds: 3600
  prepare: [{ wait: { value: ${SET_UP_S}, unit: s } }]
  cleanUp: [{ wait: { value: ${CLEAN_UP_S}, unit: s } }]
`
  const files = smallLab.map(({ path, text }) => ({ path, text: path === 'lab.yaml' ? `${text}${session}` : text }))
  const pushed = await lab.call('/api/v1/labs/small', { method: 'PUT', json: { files } })
  assert.is(pushed.ok, true, await pushed.text())
  await lab.call('/api/v1/permissions/everyone', { method: 'PUT', json: { gives: { sessionS: 3600 } } })
  await lab.node('node-1')
  ada = await newPerson(lab)
  ben = await newPerson(lab)
})
test.after(() => lab.close())
test.after.each(async () => {
  for (const who of [ada, ben]) {
    const { items } = (await who.ask('GET', '/api/v1/bookings')).body as { items: Booking[] }
    for (const { id, state } of items) if (state === 'booked') await who.ask('POST', `/api/v1/bookings/${id}/cancel`)
  }
})

const iso = (ms: number) => new Date(ms).toISOString()
const book = (who: TestPerson, start: string, seconds = 3600) =>
  who.ask('POST', '/api/v1/bookings', { lab: 'small', start, seconds })
const ask = async (who: TestPerson, seconds: number) =>
  (await who.ask('POST', '/api/v1/sessions', { lab: 'small', seconds })).body as Session
const sessionOf = async (who: TestPerson, id: string) =>
  (await who.ask('GET', `/api/v1/sessions/${id}`)).body as Session

test('a booking’s clean-up keeps the next one off, and the nearest free times leave room for it', async () => {
  const first = (await book(ada, iso(Date.now() + 7_200_000))).body as Booking
  const tight = await book(ben, first.end)
  const { code, details } = tight.body as { code: string; details: { before: string; after: string } }
  assert.equal([tight.status, code], [409, 'booking-conflict'])
  assert.ok(Date.parse(details.after) >= Date.parse(first.end) + CLEAN_UP_S * 1000, details.after)
  assert.ok(Date.parse(details.before) + (3600 + CLEAN_UP_S) * 1000 <= Date.parse(first.start), details.before)
  assert.is((await book(ben, details.after)).status, 201)
})

test('the calendar says what a bench needs, so that what it offers is not refused', async () => {
  const start = Date.now() + 7_200_000
  await book(ada, iso(start), 600)
  const calendar = (await ben.ask('GET', '/api/v1/labs/small/calendar')).body as Calendar
  assert.equal([calendar.prepareS, calendar.cleanUpS], [SET_UP_S, CLEAN_UP_S])
  const [before, after] = bookableSpans(calendar)
  assert.is(before?.until, start - CLEAN_UP_S * 1000)
  assert.is((await book(ben, iso(start - (CLEAN_UP_S + 599) * 1000), 600)).status, 409)
  assert.is((await book(ben, iso(start - (CLEAN_UP_S + 600) * 1000), 600)).status, 201)
  assert.is((await book(ben, iso(after?.from ?? 0), 600)).status, 201)
})

test('a session that would end in time, but for its clean-up, waits for the end of the booking', async () => {
  const booking = (await book(ada, iso(Date.now() + 300_000))).body as Booking
  const waits = await ask(ben, 60)
  const { state, waitReason = '', estimatedStart = '' } = await sessionOf(ben, waits.id)
  assert.is(state, 'waiting')
  assert.match(waitReason, /is booked from .*, and this might not end in time/)
  assert.ok(Date.parse(estimatedStart) >= Date.parse(booking.end) + (SET_UP_S + CLEAN_UP_S) * 1000, estimatedStart)
  await ben.ask('DELETE', `/api/v1/sessions/${waits.id}`)
})

test('a session with room for its clean-up begins, and is made longer only as far as that room goes', async () => {
  // With a quarter and half a minute for slowness: 60 s and what is around them take less than 800 s, 400 s more do not.
  const start = Date.now() + 800_000
  await book(ada, iso(start))
  const { id } = await ask(ben, 60)
  await until(async () => (await sessionOf(ben, id)).state === 'active', 'the bench is theirs')
  const refused = await ben.ask('POST', `/api/v1/sessions/${id}/extend`, { seconds: 400 })
  const { code, message } = refused.body as { code: string; message?: string }
  assert.equal([refused.status, code], [409, 'bench-booked'], message ?? '')
  const longer = await ben.ask('POST', `/api/v1/sessions/${id}/extend`, { seconds: 200 })
  assert.is(longer.status, 200, JSON.stringify(longer.body))
})

test('no longer than leaves time for the clean-up before the bench goes out of use', async () => {
  const { items } = (await ben.ask('GET', '/api/v1/sessions')).body as { items: Session[] }
  const session = items.find(({ state }) => state === 'active')
  const from = iso(Date.parse(session?.endsAt ?? '') + (CLEAN_UP_S + 50) * 1000)
  const json = { reason: 'visitors', from }
  assert.is((await lab.call('/api/v1/benches/node-1.b-1/outages', { method: 'POST', json })).status, 201)
  const extend = async (seconds: number) =>
    (await ben.ask('POST', `/api/v1/sessions/${session?.id}/extend`, { seconds })).status
  assert.equal([await extend(60), await extend(40)], [409, 200])
})

test.run()
