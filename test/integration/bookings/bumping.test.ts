import type { Run } from '@fernlab/shared/contracts/api'
import type { Booking } from '@fernlab/shared/contracts/bookings'
import type { Session } from '@fernlab/shared/contracts/sessions'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { smallLab, startTestHub, type TestHub, until } from '../hub/hub-with-node.ts'
import { newPerson, type TestPerson, watch } from '../hub/session-people.ts'

const test = suite('making room for bookings', { timeoutMs: 40_000 })
/** The hub's wall clock, which can be set. */
let setMs = 0
const clock: Clock = { ...systemClock, now: () => systemClock.now() + setMs }
const minute = 60_000
let lab: TestHub
let ada: TestPerson
let ben: TestPerson

test.before(async () => {
  lab = await startTestHub({ clock })
  const session = 'session:\n  seconds: 3600\n  mostSeconds: 3600\n  cleanUp: [{ set: { box.value: 2 } }]\n'
  const files = smallLab.map(({ path, text }) => ({ path, text: path === 'lab.yaml' ? `${text}${session}` : text }))
  assert.is((await lab.call('/api/v1/labs/small', { method: 'PUT', json: { files } })).ok, true)
  await lab.node('node-1')
  ada = await newPerson(lab)
  ben = await newPerson(lab)
})
test.after(() => lab.close())
test.after.each(async () => {
  const bookings = (await ada.ask('GET', '/api/v1/bookings')).body as { items: Booking[] }
  for (const { id, state } of bookings.items) {
    if (state === 'booked' || state === 'now') await ada.ask('POST', `/api/v1/bookings/${id}/cancel`)
  }
  await until(async () => {
    const { items } = (await (await lab.call('/api/v1/runs')).json()) as { items: Run[] }
    const open = items.filter(({ state }) => ['queued', 'assigned', 'running'].includes(state))
    for (const { id } of open) await lab.call(`/api/v1/runs/${id}/cancel`, { method: 'POST' })
    return open.length === 0
  }, 'the bench is free again')
})

const bumpable = (mayBeBumped: boolean) =>
  lab.call('/api/v1/permissions/everyone', { method: 'PUT', json: { gives: { mayBeBumped, sessionS: 3600 } } })
const book = async (): Promise<Booking> => {
  const body = { lab: 'small', start: new Date(clock.now()).toISOString(), seconds: 3600 }
  const answer = await ada.ask('POST', '/api/v1/bookings', body)
  assert.is(answer.status, 201, JSON.stringify(answer.body))
  return answer.body as Booking
}
const bookingOf = async (id: string) => (await ada.ask('GET', `/api/v1/bookings/${id}`)).body as Booking
const sessionOf = async (who: TestPerson, id: string) =>
  (await who.ask('GET', `/api/v1/sessions/${id}`)).body as Session
const runOf = async (id: string) => (await lab.hub.runs.get(id)) as Run
const active = async (who: TestPerson, id: string) => {
  await until(async () => (await sessionOf(who, id)).state === 'active', 'the bench is theirs')
  return await sessionOf(who, id)
}
const opened = async (): Promise<Session> => {
  const { id } = (await ben.ask('POST', '/api/v1/sessions', { lab: 'small', seconds: 1800 })).body as Session
  return await active(ben, id)
}
const submitted = async (protocol: string): Promise<string> => {
  const body = { lab: 'small', protocol, parameters: { pause: 60 } }
  const { id } = (await ben.ask('POST', '/api/v1/runs', body)).body as { id: string }
  await until(async () => (await runOf(id)).state === 'running', 'it has the bench')
  return id
}

test('a session is told, ends in time with its clean-up, and its rest is next; the booking says why it is late', async () => {
  await bumpable(true)
  const session = await opened()
  const viewer = await watch(lab, session.id, ben.bearer)
  const cleo = await newPerson(lab)
  const invited = async (id: string) => {
    const { body } = await ben.ask('POST', `/api/v1/sessions/${id}/link`)
    return (body as { token: string }).token
  }
  const join = (who: TestPerson, token: string) => who.ask('POST', '/api/v1/sessions/join', { token })
  const token = await invited(session.id)
  assert.is((await join(cleo, token)).status, 200)
  await viewer.call('chat', { text: 'ten volts' })
  const booking = await book()
  await until(() => viewer.told('session').at(-1)?.bumpedAt !== undefined, 'it is told')
  const { bumpedAt = '', endsAt } = await sessionOf(ben, session.id)
  assert.is(endsAt, bumpedAt)
  assert.ok(Math.abs(Date.parse(bumpedAt) - clock.now() - 5 * minute) < 10_000, bumpedAt)
  const late = await bookingOf(booking.id)
  assert.match(late.waitReason ?? '', /^node-1.b-1 becomes free for it at .*: whoever has it was told$/)
  assert.ok(Math.abs(Date.parse(late.estimatedStart ?? '') - Date.parse(bumpedAt)) < 10_000, late.estimatedStart)
  const longer = await ben.ask('POST', `/api/v1/sessions/${session.id}/extend`, { seconds: 60 })
  assert.is((longer.body as { code: string }).code, 'bench-booked')
  await lab.restart()
  assert.is((await active(ben, session.id)).bumpedAt, bumpedAt, 'a hub that starts again knows of it')
  setMs += 5 * minute
  await until(async () => (await bookingOf(booking.id)).session !== undefined, 'the booking begins')
  const over = await sessionOf(ben, session.id)
  assert.is(
    over.reason,
    'we are sorry: the bench was booked; what was recorded is kept, and the rest of your time is next in line',
  )
  const rest = await sessionOf(ben, over.next ?? '')
  assert.equal([rest.state, rest.position], ['waiting', 1])
  assert.ok(rest.seconds > 1400 && rest.seconds <= 1500, String(rest.seconds))
  const { partners, id: restId } = await sessionOf(cleo, rest.id)
  assert.equal([partners.map(({ id }) => id), restId], [[cleo.id], over.next], 'its partner is one of the rest')
  const latecomer = await newPerson(lab)
  assert.is(((await join(latecomer, token)).body as Session).id, rest.id, 'the link leads on to it')
  const replaced = await invited(rest.id)
  assert.is((await join(await newPerson(lab), token)).status, 410, 'until there is another')
  assert.is((await join(latecomer, replaced)).status, 200)
  const listener = await watch(lab, rest.id, cleo.bearer)
  await until(
    () => listener.told('said').some(({ lines }) => lines.some(({ text }) => text === 'ten volts')),
    'they hear what was said',
  )
  listener.close()
  assert.is((await bookingOf(booking.id)).waitReason, undefined)
  await ada.ask('POST', `/api/v1/bookings/${booking.id}/cancel`)
  await active(ben, rest.id)
  const { items } = (await (await lab.call(`/api/v1/audit?subject=${session.id}`)).json()) as {
    items: { action: string }[]
  }
  assert.equal(
    items.map(({ action }) => action),
    ['run.bumped'],
  )
  viewer.close()
})

test('a session is spared when the booking is cancelled before it has to leave', async () => {
  await bumpable(true)
  const session = await opened()
  const booking = await book()
  await until(async () => (await sessionOf(ben, session.id)).bumpedAt !== undefined, 'it is told')
  await ada.ask('POST', `/api/v1/bookings/${booking.id}/cancel`)
  await until(async () => (await sessionOf(ben, session.id)).bumpedAt === undefined, 'it is spared')
  setMs += 6 * minute
  assert.is((await sessionOf(ben, session.id)).state, 'active')
})

test('a run that may start again does, at the head of the queue; it may be cancelled on its way', async () => {
  await bumpable(true)
  const run = await submitted('safe')
  const booking = await book()
  await until(async () => (await bookingOf(booking.id)).session !== undefined, 'the booking begins')
  const { state, attempt, position, reason } = await runOf(run)
  assert.equal(
    [state, attempt, position, reason],
    ['queued', 2, 1, 'we are sorry: the bench was booked; you are back at the head of the queue'],
  )
  await ada.ask('POST', `/api/v1/bookings/${booking.id}/cancel`)
  await until(async () => (await runOf(run)).state === 'running', 'it is next')
})

test('without permission, and while a run that can not start again ends within the grace period, the booking waits', async () => {
  await bumpable(false)
  const session = await opened()
  const booking = await book()
  await until(async () => (await bookingOf(booking.id)).waitReason !== undefined, 'it says why')
  const { waitReason = '' } = await bookingOf(booking.id)
  assert.match(
    waitReason,
    /^every bench that it could have is in use, and nobody there may be bumped; node-1.b-1 is expected back at /,
  )
  assert.is((await sessionOf(ben, session.id)).bumpedAt, undefined)
  await ada.ask('POST', `/api/v1/bookings/${booking.id}/cancel`)
  await ben.ask('POST', `/api/v1/sessions/${session.id}/finish`)
  await until(async () => (await sessionOf(ben, session.id)).state === 'closed', 'the bench is free')
  await bumpable(true)
  const run = await submitted('set')
  const second = await book()
  await until(async () => (await bookingOf(second.id)).waitReason !== undefined, 'it says why')
  const { state, cancelRequested } = await runOf(run)
  assert.equal([state, cancelRequested], ['running', false])
})

test.run()
