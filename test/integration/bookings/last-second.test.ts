/** A booked session is made longer as it ends: booking and session stay the same length, whoever is sooner. */
import type { Booking } from '@fernlab/shared/contracts/bookings'
import type { Session } from '@fernlab/shared/contracts/sessions'
import { parseTopic } from '@fernlab/shared/contracts/topics'
import { decode } from '@fernlab/shared/links/codec'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { smallLab, startTestHub, type TestHub, until } from '../hub/hub-with-node.ts'
import { type ScriptedNode, startScriptedNode } from '../hub/scripted-node.ts'
import { tellsOf } from '../hub/scripted-session.ts'

const test = suite('a booked session at its last second', { timeoutMs: 40_000 })
const MORE_S = 3600
/** So much time has passed for the hub, which both its clocks show. */
let aheadMs = 0
const clock: Clock = {
  ...systemClock,
  now: () => systemClock.now() + aheadMs,
  monotonic: () => systemClock.monotonic() + aheadMs,
}
let renewals = 0
let lab: TestHub
let node: ScriptedNode

/** What the node does when it is asked to make the session longer. */
let asked: (call: { id: string }) => Promise<void>

test.before(async () => {
  lab = await startTestHub({ clock })
  const files = smallLab.map(({ path, text }) => ({
    path,
    text: path === 'lab.yaml' ? `${text}session:\n  seconds: 60\n  mostSeconds: 7200\n` : text,
  }))
  assert.is((await lab.call('/api/v1/labs/small', { method: 'PUT', json: { files } })).ok, true)
  node = await startScriptedNode(lab, 'n')
  node.link.onMessage(({ topic, payload }) => {
    const parsed = parseTopic('main', topic)
    if (parsed?.kind !== 'sync' || parsed.channel !== 'request') return
    const call = decode(payload) as { id: string; method: string }
    if (call.method === 'session.renew') renewals++
    void (call.method === 'session.extend' ? asked(call) : node.send('reply', { id: call.id, result: {} }))
  })
})
test.after(async () => {
  await node.close()
  await lab.close()
})

const ask = async <Answer>(method: string, path: string, json?: object): Promise<Answer & { code?: string }> =>
  (await (await lab.call(path, { method, ...(json === undefined ? {} : { json }) })).json()) as Answer & {
    code?: string
  }
const sessionOf = (id: string) => ask<Session>('GET', `/api/v1/sessions/${id}`)
const bookingOf = (id: string) => ask<Booking>('GET', `/api/v1/bookings/${id}`)

/** A booking whose session is active. */
async function begun() {
  const start = new Date(clock.now()).toISOString()
  const booking = await ask<Booking>('POST', '/api/v1/bookings', { lab: 'small', start, seconds: 60 })
  const assignment = await node.take()
  await node.accept(assignment)
  const tells = tellsOf(node, assignment, clock)
  await tells.begin()
  const session = await sessionOf(assignment.runId)
  assert.equal([session.state, (await bookingOf(booking.id)).session], ['active', session.id])
  const extend = () => ask<Session>('POST', `/api/v1/sessions/${session.id}/extend`, { seconds: MORE_S })
  return { assignment, booking, session, tells, extend, longer: session.seconds + MORE_S }
}
/** The same a moment before it is over. */
async function atTheEnd() {
  const found = await begun()
  aheadMs = Date.parse(found.session.endsAt ?? '') - systemClock.now() - 5
  return found
}
const yes = ({ id }: { id: string }) => node.send('reply', { id, result: { secondsLeft: MORE_S } })
const no = ({ id }: { id: string }) => {
  const error = new LabError({ code: 'session-not-active', kind: 'caller', message: 'the session has ended' })
  return node.send('reply', { id, error: error.toJSON() })
}
const TIME_OVER = 'its time was over'

/** The booking is as long as its session was, and what comes after can be booked. */
async function isAsBefore(booking: Booking, session: Session): Promise<void> {
  assert.is((await bookingOf(booking.id)).end, booking.end)
  assert.is((await sessionOf(session.id)).seconds, session.seconds)
  const start = new Date(Date.parse(booking.end) + 60_000).toISOString()
  const next = await ask<Booking>('POST', '/api/v1/bookings', { lab: 'small', start, seconds: 600 })
  assert.is(next.code, undefined, JSON.stringify(next))
  await ask('POST', `/api/v1/bookings/${next.id}/cancel`)
}
async function isOver(booking: Booking, session: Session): Promise<void> {
  assert.equal([(await sessionOf(session.id)).state, (await bookingOf(booking.id)).state], ['closed', 'over'])
}

test('the node has just ended it: that is refused, and the booking is no longer than it was', async () => {
  const { booking, session, tells, extend } = await atTheEnd()
  asked = no
  assert.is((await extend()).code, 'session-not-active')
  await isAsBefore(booking, session)
  await tells.end(TIME_OVER)
  await isOver(booking, session)
})

test('its end comes while the node is asked: that is refused, and nothing begins again', async () => {
  const { booking, session, tells, extend } = await atTheEnd()
  asked = async (call) => {
    await tells.end(TIME_OVER)
    await no(call)
  }
  assert.is((await extend()).code, 'session-not-active')
  await isAsBefore(booking, session)
  await isOver(booking, session)
  assert.is((await extend()).code, 'session-not-active', 'nor is it later')
})

test('the node makes it longer: so is the booking, and nobody can book what the session is about to have', async () => {
  const { booking, session, tells, extend, longer } = await atTheEnd()
  const start = new Date(Date.parse(booking.end) + 60_000).toISOString()
  asked = async (call) => {
    const other = await ask<Booking>('POST', '/api/v1/bookings', { lab: 'small', start, seconds: 600 })
    assert.is(other.code, 'booking-conflict')
    await yes(call)
  }
  assert.is((await extend()).seconds, longer)
  const { endsAt } = await sessionOf(session.id)
  assert.equal([(await bookingOf(booking.id)).end, (await bookingOf(booking.id)).state], [endsAt, 'now'])
  await tells.longer(longer)
  assert.is((await sessionOf(session.id)).endsAt, endsAt)
  await tells.end('it was finished')
  await isOver(booking, session)
})

test('the node’s answer is lost: asked again for as long in all, it is longer once, and so is its booking', async () => {
  const { booking, session, tells, longer } = await atTheEnd()
  const extend = () => ask<Session>('POST', `/api/v1/sessions/${session.id}/extend`, { total: longer })
  asked = async ({ id }) => {
    await tells.longer(longer)
    const error = new LabError({ code: 'node-offline', kind: 'link', retry: 'later', message: 'the answer was lost' })
    await node.send('reply', { id, error: error.toJSON() })
  }
  assert.is((await extend()).code, 'node-offline')
  await until(async () => (await sessionOf(session.id)).seconds === longer, 'its documents say that it is longer')
  asked = yes
  const answers = await Promise.all([extend(), extend()])
  assert.equal(
    answers.map(({ seconds }) => seconds),
    [longer, longer],
  )
  assert.is((await bookingOf(booking.id)).end, (await sessionOf(session.id)).endsAt)
  const both = await ask('POST', `/api/v1/sessions/${session.id}/extend`, { total: longer, seconds: 1 })
  assert.is(both.code, 'request-invalid', 'one of the two')
  await tells.end('it was finished')
  await isOver(booking, session)
})

test('its documents say that it is longer before the node has answered: once longer, with its booking', async () => {
  const { booking, session, tells, extend, longer } = await atTheEnd()
  asked = async (call) => {
    await tells.longer(longer)
    await yes(call)
  }
  const { endsAt, seconds } = await extend()
  assert.equal([seconds, (await bookingOf(booking.id)).end], [longer, endsAt])
  await tells.end('it was finished')
  await isOver(booking, session)
})

test('the hub looks for what is over before the node has answered: what is longer already stays', async () => {
  const { booking, session, tells, extend, longer } = await atTheEnd()
  asked = async (call) => {
    await tells.longer(longer)
    // With the next look, which ends what is over, a heartbeat is due.
    aheadMs += 4000
    const before = renewals
    await until(() => renewals > before, 'it has looked')
    await yes(call)
  }
  const { endsAt, seconds } = await extend()
  assert.equal([seconds, (await bookingOf(booking.id)).end], [longer, endsAt])
  assert.is((await lab.hub.runs.get(session.id))?.cancelRequested, false)
  await tells.end('it was finished')
  await isOver(booking, session)
})

test('it is longer and finished before the node has answered: both are over', async () => {
  const { booking, session, tells, extend, longer } = await atTheEnd()
  asked = async (call) => {
    await tells.longer(longer)
    await tells.end('it was finished')
    await yes(call)
  }
  assert.equal([(await extend()).code, (await sessionOf(session.id)).seconds], [undefined, longer])
  await isOver(booking, session)
})

test('after a restart of the hub the node tells what is left while it makes it longer: both stay the same length', async () => {
  const { assignment, booking, session, tells, extend, longer } = await begun()
  const { runId, attempt, fence } = assignment
  await lab.restart()
  await until(() => node.link.connected, 'the connection')
  await node.greet([{ runId, attempt, fence, state: 'running', nextSeq: 3, firstHeld: 0 }], fence)
  const endsAt = Date.parse(session.endsAt ?? '')
  /** On its way for some ms; what is told on the same connection after it is heard after it. */
  const tellLeft = async (seconds: number) => {
    const secondsLeft = (endsAt - clock.now() + 20) / 1000 + seconds - session.seconds
    const live = { stage: 'active', seconds, samples: {} }
    await node.send('live', { runs: [{ runId, attempt, progress: 0, step: 'live', secondsLeft, session: live }] })
    await until(async () => (await lab.hub.runs.get(runId))?.progress?.secondsLeft === secondsLeft, 'it is heard')
  }
  const told = async () => (await sessionOf(session.id)).endsAt
  await tellLeft(session.seconds)
  assert.is(await told(), session.endsAt)
  asked = async (call) => {
    await tellLeft(longer)
    assert.is(await told(), session.endsAt, 'as the hub knows it so far')
    await yes(call)
  }
  const answered = await extend()
  assert.is(answered.seconds, longer)
  // It was sent before the node was asked.
  await tellLeft(session.seconds)
  assert.is(await told(), answered.endsAt)
  await tellLeft(longer)
  assert.equal([await told(), (await bookingOf(booking.id)).end], [answered.endsAt, answered.endsAt])
  await tells.end('it was finished')
  await isOver(booking, session)
})

test.run()
