/** Bookings that are missed, and those whose bench goes: what their people are told, by a real hub over a real mail server. */
import type { BookingNotice } from '@fernlab/shared/contracts/booking-notices'
import type { Booking } from '@fernlab/shared/contracts/bookings'
import type { Session } from '@fernlab/shared/contracts/sessions'
import type { Assignment } from '@fernlab/shared/contracts/sync'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { type MailServer, startMailServer } from '../accounts/mail-server.ts'
import { smallLab, startTestHub, type TestHub, until } from '../hub/hub-with-node.ts'
import { documentsOf, type ScriptedNode, startScriptedNode } from '../hub/scripted-node.ts'
import { newPerson, type TestPerson } from '../hub/session-people.ts'

const test = suite('bookings that lose their bench', { timeoutMs: 40_000 })
const hourMs = 3_600_000
/** By how much more time has passed for the hub. */
let passedMs = 0
const clock: Clock = {
  ...systemClock,
  now: () => systemClock.now() + passedMs,
  monotonic: () => systemClock.monotonic() + passedMs,
}
let lab: TestHub
let node: ScriptedNode
let mail: MailServer
let ada: TestPerson
let address = ''

test.before(async () => {
  mail = await startMailServer()
  const env = { FERNLAB_SMTP_URL: mail.url, FERNLAB_ADMIN_PASSWORD: 'a-long-enough-password' }
  lab = await startTestHub({ clock, env })
  const files = smallLab.map(({ path, text }) => ({
    path,
    text: path === 'lab.yaml' ? `${text}session: { mostSeconds: 3600 }\n` : text,
  }))
  await lab.call('/api/v1/labs/small', { method: 'PUT', json: { files } })
  await lab.call('/api/v1/permissions/everyone', { method: 'PUT', json: { gives: { sessionS: 3600 } } })
  node = await startScriptedNode(lab, 'n', ['a', 'b'])
  ada = await newPerson(lab)
  address = ((await ada.ask('GET', '/api/v1/me')).body as { email: string }).email
  await confirm()
})
test.after(async () => {
  await node.close()
  await lab.close()
  await mail.close()
})

/** Has the person open the link that proves her address. */
async function confirm(): Promise<void> {
  const headers = { ...ada.browser, 'content-type': 'application/json' }
  const post = (path: string, body: object) =>
    fetch(`${lab.hub.httpUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  await post('/api/v1/me/address', { email: address, password: 'a-long-enough-password' })
  const token = /#token=([\w-]+)/.exec(await mail.letterTo(address))?.[1]
  assert.ok((await post('/api/v1/address/confirm', { token })).ok)
}
const iso = (inMs: number) => new Date(clock.now() + inMs).toISOString()
const book = async (inMs: number) => {
  const { status, body } = await ada.ask('POST', '/api/v1/bookings', { lab: 'small', start: iso(inMs), seconds: 3600 })
  assert.is(status, 201, JSON.stringify(body))
  return body as Booking
}
const state = async ({ id }: Booking) => (await ada.ask('GET', `/api/v1/bookings/${id}`)).body as Booking
const told = async () =>
  ((await ada.ask('GET', '/api/v1/bookings/notices')).body as { items: BookingNotice[] }).items.map(({ what }) => what)
const outage = async (bench: string, from: string, until: string) => {
  const json = { reason: 'new fuse', from, until }
  const answer = await lab.call(`/api/v1/benches/${bench}/outages`, { method: 'POST', json })
  return ((await answer.json()) as { id: string }).id
}
const letters = () => mail.letters.filter((letter) => letter.includes(`To: ${address}`)).length

test('when every bench is closed then, once; also when it has one again, and what a hub that starts again knows', async () => {
  const booking = await book(48 * hourMs)
  const closed = [booking.start, booking.end] as const
  const ids = [await outage('n.a', ...closed), await outage('n.b', ...closed)]
  await until(async () => {
    passedMs += 20_000
    return (await told()).length > 0
  }, 'it is told')
  const letter = await mail.letterTo(address)
  assert.match(letter, /has no bench any more/)
  assert.match(letter, /new fuse/)
  assert.match(letter, new RegExp(`\\?change=${booking.id}&at=`))
  await node.close()
  await lab.restart()
  node = await startScriptedNode(lab, 'n', ['a', 'b'])
  passedMs += 120_000
  for (const [at, bench] of ['n.a', 'n.b'].entries()) {
    await lab.call(`/api/v1/benches/${bench}/outages/${ids[at]}`, { method: 'DELETE' })
  }
  await until(async () => {
    passedMs += 20_000
    return (await told()).length > 1
  }, 'it has one again')
  assert.match(await mail.letterTo(address), /has a bench again/)
  assert.equal(await told(), ['bench-again', 'no-bench'])
  assert.is(letters(), 3)
  await ada.ask('POST', `/api/v1/bookings/${booking.id}/cancel`)
})

const failPreparing = async (assignment: Assignment, code: string, message: string) => {
  await node.accept(assignment)
  const error = { code, kind: 'instrument', retry: 'later', message, studentMessage: 'It failed.' } as const
  const [start, , , stop] = documentsOf(assignment, { state: 'failed', reason: message, error, rows: {}, documents: 1 })
  if (start === undefined || stop === undefined) throw new Error('there are four documents')
  await node.documents(start, { ...stop, seq: 1 })
}
const breakDown = (assignment: Assignment) =>
  failPreparing(assignment, 'instrument-lost', 'box was lost during the run: unplugged')
const notReady = (assignment: Assignment) => failPreparing(assignment, 'wrong-answer', 'step 1: box answered nonsense')

test('one whose bench breaks down before it is ready moves to another at once; where none comes free, it ends and is told', async () => {
  const booking = await book(0)
  const first = await node.take()
  await breakDown(first)
  const second = await node.take()
  assert.equal([second.runId, second.attempt], [first.runId, 2], 'the same session')
  assert.is.not(second.bench, first.bench)
  const session = async () => (await ada.ask('GET', `/api/v1/sessions/${first.runId}`)).body as Session
  const closed = [iso(1000), iso(24 * hourMs)] as const
  const ids = [await outage('n.a', ...closed), await outage('n.b', ...closed)]
  await breakDown(second)
  await until(async () => (await session()).state === 'waiting', 'it waits for a bench')
  assert.match((await session()).reason ?? '', /we are sorry: the bench broke down/)
  await until(async () => {
    passedMs += 30_000
    return (await state(booking)).state === 'over'
  }, 'the grace period is over')
  await until(async () => (await told())[0] === 'broken', 'it is told')
  assert.is((await session()).reason, 'we are sorry: the bench broke down, and no other one came free in time')
  assert.match(await mail.letterTo(address), /could not go on/)
  for (const [at, bench] of ['n.a', 'n.b'].entries()) {
    await lab.call(`/api/v1/benches/${bench}/outages/${ids[at]}`, { method: 'DELETE' })
  }
})

test('one whose bench can not be made ready is tried on each other one, once; where none is left, its person is told why', async () => {
  const booking = await book(0)
  const first = await node.take()
  await notReady(first)
  const second = await node.take()
  assert.equal([second.runId, second.attempt], [first.runId, 2], 'the same session')
  assert.is.not(second.bench, first.bench)
  await node.close()
  await lab.restart()
  node = await startScriptedNode(lab, 'n', ['a', 'b'])
  const third = await node.take()
  assert.is(third.bench, second.bench, 'a hub that starts again knows which one failed')
  await notReady(third)
  await until(async () => (await state(booking)).state === 'over', 'no bench is left')
  const why = `we are sorry: n.${first.bench} and n.${second.bench} could not be made ready (step 1: box answered nonsense), and no other bench is left`
  const { reason, error } = (await ada.ask('GET', `/api/v1/sessions/${first.runId}`)).body as Session
  assert.equal([reason, error?.code], [why, 'wrong-answer'])
  const [notice] = ((await ada.ask('GET', '/api/v1/bookings/notices')).body as { items: BookingNotice[] }).items
  assert.equal([notice?.booking, notice?.what, notice?.reason], [booking.id, 'broken', why])
  assert.match(await mail.letterTo(address), /could not go on[\s\S]*\?lab=small&minutes=60&at=/)
})

test('one whose bench could not be made ready gets another as soon as that is free', async () => {
  const others = await lab.call('/api/v1/runs', { method: 'POST', json: { lab: 'small', protocol: 'set' } })
  const { id } = (await others.json()) as { id: string }
  const running = await node.take()
  await node.accept(running)
  const booking = await book(0)
  const first = await node.take()
  await notReady(first)
  const session = async () => (await ada.ask('GET', `/api/v1/sessions/${first.runId}`)).body as Session
  await until(async () => (await session()).state === 'waiting', 'it waits for the other bench')
  assert.match((await session()).reason ?? '', /could not be made ready .*; you get another bench/)
  await node.documents(...documentsOf(running))
  assert.is((await lab.final(id)).state, 'succeeded')
  const second = await node.take()
  assert.equal([second.runId, second.bench], [first.runId, running.bench])
  await ada.ask('POST', `/api/v1/bookings/${booking.id}/cancel`)
  await notReady(second)
  await until(async () => (await session()).state === 'closed', 'it was cancelled: it is not tried again')
})

test('one that nobody came to is missed, and its letter says how to make the next', async () => {
  const before = letters()
  const booking = await book(0)
  const { runId } = await node.take()
  await until(async () => (await state(booking)).session === runId, 'it has begun')
  await until(async () => {
    passedMs += 30_000
    return (await state(booking)).state === 'missed'
  }, 'it is missed')
  await until(async () => (await told())[0] === 'missed', 'it is told')
  assert.match(await mail.letterTo(address), /Nobody had come[\s\S]*\?lab=small&minutes=60&at=/)
  assert.is(letters(), before + 1)
})

test.run()
