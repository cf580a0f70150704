/** A node that stays away mid-session: its person goes on elsewhere, its bench waits for what it has to tell. */
import type { Bench } from '@fernlab/shared/contracts/api'
import type { Booking } from '@fernlab/shared/contracts/bookings'
import type { Session } from '@fernlab/shared/contracts/sessions'
import type { Assignment } from '@fernlab/shared/contracts/sync'
import { parseTopic } from '@fernlab/shared/contracts/topics'
import { decode } from '@fernlab/shared/links/codec'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { startTestHub, type TestHub, until } from './hub-with-node.ts'
import { type ScriptedNode, startScriptedNode } from './scripted-node.ts'
import { type SessionTells, tellsOf } from './scripted-session.ts'
import { newPerson, type TestPerson, watch } from './session-people.ts'

const test = suite('a node that stays away mid-session', { timeoutMs: 60_000 })
/** Time has passed for the hub: its wall clock and its steady clock are ahead by it. */
let passedMs = 0
const clock: Clock = {
  ...systemClock,
  now: () => systemClock.now() + passedMs,
  monotonic: () => systemClock.monotonic() + passedMs,
}
let lab: TestHub
let ada: TestPerson
const nodes: ScriptedNode[] = []

test.before.each(async () => {
  lab = await startTestHub({ clock, labYaml: 'session: { seconds: 600, cleanUp: [{ wait: 0 }] }\n' })
  ada = await newPerson(lab)
})
test.after.each(async () => {
  for (const node of nodes.splice(0)) await node.close()
  await lab.close()
})

/** A node that says yes to every call. */
async function started(name: string): Promise<ScriptedNode> {
  const node = await startScriptedNode(lab, name)
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
const bench = async (id: string) => (await (await lab.call(`/api/v1/benches/${id}`)).json()) as Bench
const closed = async (id: string): Promise<Session> => {
  await until(async () => (await get(ada, id)).state === 'closed', 'it is over')
  return await get(ada, id)
}
/** Its session on a bench, which tells of itself. */
const active = async (
  node: ScriptedNode,
  id?: string,
  taken?: Assignment,
): Promise<{ id: string; tells: SessionTells; held: object }> => {
  const asked = id ?? (await ask(ada)).id
  const assignment = taken ?? (await node.take())
  await node.accept(assignment)
  const tells = tellsOf(node, assignment, clock)
  await tells.begin()
  assert.equal([assignment.runId, (await get(ada, asked)).state], [asked, 'active'])
  const { runId, attempt, fence } = assignment
  return { id: asked, tells, held: { runId, attempt, fence, state: 'running', nextSeq: 3, firstHeld: 3 } }
}
const leaves = async (node: ScriptedNode) => {
  await node.leave()
  await until(async () => (await bench(`${node.name}.b`)).state === 'offline', 'its node is away')
}
const comesBack = async (node: ScriptedNode, attempts: object[]) => {
  await node.comeBack()
  await node.greet(attempts as Parameters<ScriptedNode['greet']>[0], 1)
}
const hears = async (id: string, words: string) => {
  const viewer = await watch(lab, id, ada.bearer)
  await until(() => viewer.told('said').some(({ lines }) => lines.some(({ text }) => text === words)), words)
  viewer.close()
}
const cut = (node: string) =>
  `we are sorry: the session was interrupted (${node} can not be reached); what was recorded is kept, and the rest of your time is next in line`

test('it is over half a minute after its node has left, the rest is next, and the bench is nobody else’s', async () => {
  const node = await started('n')
  const { id, tells, held } = await active(node)
  const viewer = await watch(lab, id, ada.bearer)
  await viewer.call('chat', { text: 'ten volts' })
  passedMs += 100_000
  await leaves(node)
  passedMs += 26_000
  await new Promise((resolve) => setTimeout(resolve, 1500))
  assert.is((await get(ada, id)).state, 'active', 'the node may be back before it has ended it')
  passedMs += 5000
  const over = await closed(id)
  const next = await get(ada, over.next ?? '')
  assert.equal([over.reason, next.state, next.position], [cut('n'), 'waiting', 1])
  assert.ok(next.seconds > 470 && next.seconds <= 500, `from when it left: ${next.seconds}`)
  assert.is((await ask(ada)).id, next.id, 'it is their one place')
  assert.equal([(await bench('n.b')).state, (await bench('n.b')).run], ['offline', id])

  await lab.restart()
  assert.equal([(await get(ada, id)).next, (await bench('n.b')).run], [next.id, id], 'a restart changes nothing')
  await comesBack(node, [held])
  await until(() => node.cancelled.some(({ runId }) => runId === id), 'it is told to end it')
  assert.equal([(await bench('n.b')).run, node.assigned.length], [id, 1], 'it is still to tell')
  await tells.stopped()
  const ended = {
    state: 'interrupted',
    reason: 'the hub was silent for 20 s',
    cleanUp: { done: true, tries: 1 },
  } as const
  await tells.stop(ended)
  assert.is((await node.take()).runId, next.id, 'the rest has the clean bench')
  const documents = await (await lab.call(`/api/v1/runs/${id}/documents`)).text()
  assert.match(documents, /the hub was silent for 20 s/, 'its record is whole')
  assert.equal((await get(ada, id)).reason, cut('n'))
})

test('another bench that is free is theirs at once, in the queue and for a booking, with what was said', async () => {
  const [one, other] = [await started('one'), await started('other')]
  const start = new Date(clock.now()).toISOString()
  const booking = (await ada.ask('POST', '/api/v1/bookings', { lab: 'small', start, seconds: 600 })).body as Booking
  await until(() => one.assigned.length + other.assigned.length === 1, 'an assignment')
  const [away, sound] = one.assigned.length > 0 ? [one, other] : [other, one]
  const first = await active(away, away.assigned[0]?.runId)
  const viewer = await watch(lab, first.id, ada.bearer)
  await viewer.call('chat', { text: 'five volts' })
  viewer.close()
  await leaves(away)
  passedMs += 31_000
  const assignment = await sound.take()
  const second = await active(sound, assignment.runId, assignment)
  assert.is((await closed(first.id)).next, second.id)
  assert.is(((await ada.ask('GET', `/api/v1/bookings/${booking.id}`)).body as Booking).session, second.id)
  assert.ok((await get(ada, second.id)).seconds > 550)
  await hears(second.id, 'five volts')
})

test('what was said in a booked session is heard in the rest of it too, where no other bench was free at first', async () => {
  const node = await started('n')
  const start = new Date(clock.now()).toISOString()
  await ada.ask('POST', '/api/v1/bookings', { lab: 'small', start, seconds: 600 })
  const first = await node.take()
  await active(node, first.runId, first)
  const viewer = await watch(lab, first.runId, ada.bearer)
  await viewer.call('chat', { text: 'three volts' })
  viewer.close()
  await leaves(node)
  passedMs += 31_000
  assert.is((await closed(first.runId)).next, undefined)
  await lab.restart()
  await comesBack(node, [])
  await lab.call('/api/v1/benches/n.b/put-back', { method: 'POST' })
  const second = await node.take()
  await active(node, second.runId, second)
  await hears(second.runId, 'three volts')
  assert.is((await closed(first.runId)).next, second.runId)
})

test('one that was being prepared is at the head of the queue; one whose end was asked for is over', async () => {
  const node = await started('n')
  const { id } = await ask(ada)
  await node.accept(await node.take())
  await leaves(node)
  passedMs += 31_000
  const { reason, next = '' } = await closed(id)
  assert.is(reason, 'we are sorry: n can not be reached; you are back at the head of the queue')
  assert.equal([(await get(ada, next)).position, (await get(ada, next)).seconds], [1, 600])
  await comesBack(node, [])
  const again = await node.take()
  assert.equal([again.runId, (await bench('n.b')).out], [next, undefined], 'nothing had touched the bench')

  await active(node, next, again)
  await leaves(node)
  await ada.ask('POST', `/api/v1/sessions/${next}/finish`)
  passedMs += 31_000
  const over = await closed(next)
  assert.equal([over.reason, over.next], ['cancelled on request', undefined])
})

test('a bench of a node that is gone for good comes back by hand: given up, or its node shut out', async () => {
  for (const end of ['give-up', 'shut-out']) {
    const node = await started(end)
    const { id } = await active(node)
    await leaves(node)
    passedMs += 31_000
    const { next = '' } = await closed(id)
    await ada.ask('DELETE', `/api/v1/sessions/${next}`)
    const path = end === 'give-up' ? `/api/v1/runs/${id}/give-up` : `/api/v1/nodes/${end}/revoke`
    assert.ok((await lab.call(path, { method: 'POST' })).ok)
    await until(async () => (await bench(`${end}.b`)).run === undefined, 'the bench is nobody’s')
    assert.is((await bench(`${end}.b`)).out, true, 'nobody knows whether it is clean')
  }
})

test.run()
