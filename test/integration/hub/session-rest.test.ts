/** What becomes of people who have a bench in their hand when it is lost: the rest of their time is next. */
import type { BookingNotice } from '@fernlab/shared/contracts/booking-notices'
import type { Booking } from '@fernlab/shared/contracts/bookings'
import type { Session } from '@fernlab/shared/contracts/sessions'
import { parseTopic } from '@fernlab/shared/contracts/topics'
import { decode } from '@fernlab/shared/links/codec'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { startTestHub, type TestHub, until } from './hub-with-node.ts'
import { type ScriptedNode, startScriptedNode } from './scripted-node.ts'
import { type SessionTells, tellsOf, unplugged } from './scripted-session.ts'
import { newPerson, type TestPerson, watch } from './session-people.ts'

const test = suite('a bench that is lost mid-session', { timeoutMs: 60_000 })
/** So much time has passed for the hub, which both its clocks show. */
let aheadMs = 0
/** By how much its steady clock has gone on besides. */
let passedMs = 0
const clock: Clock = {
  ...systemClock,
  now: () => systemClock.now() + aheadMs,
  monotonic: () => systemClock.monotonic() + aheadMs + passedMs,
}
let lab: TestHub
let ada: TestPerson
let ben: TestPerson
const nodes: ScriptedNode[] = []

test.before.each(async () => {
  aheadMs = 0
  lab = await startTestHub({ clock, labYaml: 'session: { seconds: 600, cleanUp: [{ wait: 0 }] }\n' })
  ada = await newPerson(lab)
  ben = await newPerson(lab)
})
test.after.each(async () => {
  for (const node of nodes.splice(0)) await node.close()
  await lab.close()
})

/** A node that says yes to every call. */
async function started(name: string, benches = ['b']): Promise<ScriptedNode> {
  const node = await startScriptedNode(lab, name, benches)
  node.link.onMessage(({ topic, payload }) => {
    const parsed = parseTopic('main', topic)
    if (parsed?.kind !== 'sync' || parsed.channel !== 'request') return
    void node.send('reply', { id: (decode(payload) as { id: string }).id, result: {} })
  })
  nodes.push(node)
  return node
}
const get = async (who: TestPerson, id: string) => (await who.ask('GET', `/api/v1/sessions/${id}`)).body as Session
const ask = async (who: TestPerson) =>
  (await who.ask('POST', '/api/v1/sessions', { lab: 'small' })).body as Session & { code?: string }
const closed = async (who: TestPerson, id: string): Promise<Session> => {
  await until(async () => (await get(who, id)).state === 'closed', 'it is over')
  return await get(who, id)
}
const active = async (node: ScriptedNode, who = ada): Promise<{ id: string; tells: SessionTells }> => {
  const { id } = await ask(who)
  const assignment = await node.take()
  await node.accept(assignment)
  const tells = tellsOf(node, assignment, clock)
  await tells.begin()
  assert.equal([assignment.runId, (await get(who, id)).state], [id, 'active'])
  return { id, tells }
}
const rest = 'what was recorded is kept, and the rest of your time is next in line'
const sorry = `we are sorry: the bench broke down (${unplugged}); ${rest}`
const sorryEnd = `we are sorry: the bench broke down (${unplugged}); what was recorded is kept, and you may ask for the lab again`

test('its person is at the head of the queue for the rest of the time, with partners, link and what was said', async () => {
  const node = await started('n')
  const { id, tells } = await active(node)
  const viewer = await watch(lab, id, ada.bearer)
  await viewer.call('chat', { text: 'ten volts' })
  const { token } = (await ada.ask('POST', `/api/v1/sessions/${id}/link`)).body as { token: string }
  assert.is((await ben.ask('POST', '/api/v1/sessions/join', { token })).status, 200)
  const cleo = await newPerson(lab)
  const behind = await ask(cleo)
  aheadMs += 200_000
  await tells.breakDown()
  const over = await closed(ada, id)
  assert.equal([over.reason, over.error?.code], [sorry, 'instrument-lost'])
  const next = await get(ada, over.next ?? '')
  assert.equal([next.state, next.position, (await get(cleo, behind.id)).position], ['waiting', 1, 2])
  assert.ok(next.seconds > 360 && next.seconds <= 400, String(next.seconds))
  assert.is((await get(ben, next.id)).id, next.id, 'the partner takes part in it')
  assert.is(
    ((await cleo.ask('POST', '/api/v1/sessions/join', { token })).body as Session).id,
    next.id,
    'the link leads on',
  )
  await until(() => viewer.told('session').at(-1)?.next === next.id, 'who was in it is told')
  const listener = await watch(lab, next.id, ben.bearer)
  await until(
    () => listener.told('said').some(({ lines }) => lines.some(({ text }) => text === 'ten volts')),
    'they hear what was said',
  )
  listener.close()
  await lab.restart()
  assert.equal(
    [(await get(ada, id)).next, (await get(ada, next.id)).position],
    [next.id, 1],
    'a restart changes nothing',
  )
  assert.is((await ask(ada)).id, next.id, 'one place, however often it is asked for')
})

test('another bench that is free is theirs at once', async () => {
  const [one, other] = [await started('one'), await started('other')]
  const { id } = await ask(ada)
  await until(() => one.assigned.length + other.assigned.length === 1, 'an assignment')
  const [broken, sound] = one.assigned.length > 0 ? [one, other] : [other, one]
  const assignment = await broken.take()
  await broken.accept(assignment)
  const tells = tellsOf(broken, assignment, clock)
  await tells.begin()
  await tells.breakDown()
  const { next } = await closed(ada, id)
  const again = await sound.take()
  assert.is(again.runId, next)
  assert.ok(Number(again.parameters.seconds) > 560)
})

test('a node that comes back without it, or is shut out for good, has interrupted it: the rest is next too', async () => {
  const node = await started('n')
  const first = await active(node)
  await first.tells.stopped()
  await first.tells.stop({ state: 'interrupted', reason: 'the node was shut down', cleanUp: { done: true, tries: 1 } })
  const cut = await closed(ada, first.id)
  assert.is(cut.reason, `we are sorry: the session was interrupted (the node was shut down); ${rest}`)
  const again = await node.take()
  assert.is(again.runId, cut.next)
  await node.accept(again)
  await tellsOf(node, again, clock).begin()
  await node.greet([], again.fence)
  const lost = await closed(ada, again.runId)
  assert.is(lost.reason, `we are sorry: the session was interrupted (n lost it); ${rest}`)
  assert.is((await get(ada, lost.next ?? '')).position, 1)
})

test('nothing for who had ended it: also when the clean-up fails, or the end crosses with the failure', async () => {
  const node = await started('n')
  const done = await active(node)
  await done.tells.finished()
  await done.tells.stop({ state: 'failed', reason: unplugged, cleanUp: { done: false, tries: 0 } })
  assert.is((await closed(ada, done.id)).next, undefined)
  await lab.call('/api/v1/benches/n.b/put-back', { method: 'POST' })

  const crossing = await active(node)
  await crossing.tells.stopped()
  await ada.ask('POST', `/api/v1/sessions/${crossing.id}/finish`)
  await crossing.tells.stop({
    state: 'failed',
    reason: unplugged,
    error: { code: 'instrument-lost', kind: 'instrument', retry: 'later', message: unplugged, studentMessage: 'Lost.' },
  })
  const { next, reason } = await closed(ada, crossing.id)
  assert.equal([next, reason], [undefined, sorryEnd])
})

test('an end that comes after the failure gives the place up, and ends no session that has begun', async () => {
  const node = await started('n')
  const { id, tells } = await active(node)
  await tells.breakDown()
  const { next = '' } = await closed(ada, id)
  assert.is((await ada.ask('POST', `/api/v1/sessions/${id}/finish`)).status, 200)
  assert.is((await closed(ada, next)).reason, 'cancelled on request')
  assert.is((await ada.ask('POST', `/api/v1/sessions/${id}/finish`)).status, 200, 'ended twice')
  await lab.call('/api/v1/benches/n.b/put-back', { method: 'POST' })
  // A bench that broke down rests for a while.
  passedMs += 10_000
  const second = await active(node)
  await second.tells.stopped()
  await second.tells.stop({ state: 'interrupted', reason: 'the node was shut down', cleanUp: { done: true, tries: 1 } })
  const { next: begun = '' } = await closed(ada, second.id)
  const assignment = await node.take()
  await node.accept(assignment)
  await tellsOf(node, assignment, clock).begin()
  await ada.ask('POST', `/api/v1/sessions/${second.id}/finish`)
  assert.equal([assignment.runId, (await get(ada, begun)).state], [begun, 'active'])
})

test('less than half a minute is not worth a session, and what the staff end is ended', async () => {
  const node = await started('n')
  const late = await active(node)
  aheadMs += 575_000
  await late.tells.breakDown()
  const { next, reason } = await closed(ada, late.id)
  assert.equal([next, reason], [undefined, sorryEnd])
  await lab.call('/api/v1/benches/n.b/put-back', { method: 'POST' })
  passedMs += 10_000
  const cancelled = await active(node)
  await lab.call(`/api/v1/sessions/${cancelled.id}/finish`, { method: 'POST' })
  await cancelled.tells.breakDown()
  assert.is((await closed(ada, cancelled.id)).next, undefined)
})

const book = async () => {
  const start = new Date(clock.now()).toISOString()
  const { body } = await ada.ask('POST', '/api/v1/bookings', { lab: 'small', start, seconds: 600 })
  return body as Booking
}
const bookingOf = async ({ id }: Booking) => (await ada.ask('GET', `/api/v1/bookings/${id}`)).body as Booking

test('a booked session has the rest of its booking on another bench; where there is none, it is over and its person told', async () => {
  const node = await started('n', ['a', 'b'])
  const booking = await book()
  const first = await node.take()
  await node.accept(first)
  const tells = tellsOf(node, first, clock)
  await tells.begin()
  const { token } = (await ada.ask('POST', `/api/v1/sessions/${first.runId}/link`)).body as { token: string }
  await ben.ask('POST', '/api/v1/sessions/join', { token })
  aheadMs += 100_000
  await tells.breakDown()
  const second = await node.take()
  assert.is.not(second.bench, first.bench)
  const { reason, next } = await closed(ada, first.runId)
  assert.equal([reason, next, (await bookingOf(booking)).session], [sorry, second.runId, second.runId])
  assert.ok(Number(second.parameters.seconds) > 460 && Number(second.parameters.seconds) <= 500)
  assert.is((await get(ben, second.runId)).id, second.runId, 'the partner takes part in it')
  await node.accept(second)
  const again = tellsOf(node, second, clock)
  await again.begin()
  await again.breakDown()
  const last = await closed(ada, second.runId)
  assert.equal([last.reason, last.next, (await bookingOf(booking)).state], [sorryEnd, undefined, 'over'])
  const { items } = (await ada.ask('GET', '/api/v1/bookings/notices')).body as { items: BookingNotice[] }
  assert.equal([items[0]?.what, items[0]?.reason], ['broken', sorryEnd])
})

test('a booked session that its person had ended does not begin again when its node then goes down', async () => {
  const node = await started('n')
  const booking = await book()
  const assignment = await node.take()
  await node.accept(assignment)
  const tells = tellsOf(node, assignment, clock)
  await tells.begin()
  await tells.finished()
  await tells.stop({ state: 'interrupted', reason: 'the node was shut down', cleanUp: { done: true, tries: 1 } })
  await closed(ada, assignment.runId)
  assert.equal([(await bookingOf(booking)).state, node.assigned.length], ['over', 1])
})

test.run()
