/** The hub is killed (-9) at every step of a session's end and of making it longer: its bench goes on to one, or to nobody. */
import {
  bookingAgainFaultPoints,
  bookingEndFaultPoints,
  bookingStartFaultPoints,
  extendFaultPoints,
  finishFaultPoints,
} from '@fernlab/hub/fault-point'
import type { Run } from '@fernlab/shared/contracts/api'
import type { Booking } from '@fernlab/shared/contracts/bookings'
import type { Session } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { type FaultLab, node, startFaultLab } from '../../support/faults/fault-lab.ts'
import { pause, within } from '../../support/faults/hub-client.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the hub is killed while a session ends or is made longer', { timeoutMs: 60_000 })
let lab: FaultLab

test.before(async () => {
  lab = await startFaultLab({
    session: { seconds: 60, mostSeconds: 3600, cleanUp: [{ set: { 'supply.voltage': 0.5 } }] },
  })
})
test.after(() => lab.close())

const sessionOf = (id: string) => lab.client.get<Session>(`/api/v1/sessions/${id}`)
const bookingOf = (id: string) => lab.client.get<Booking>(`/api/v1/bookings/${id}`)
const openSessions = async () =>
  (await lab.client.get<{ items: Session[] }>('/api/v1/sessions')).items.filter(({ state }) => state !== 'closed')
const active = async (id: string): Promise<Session> => {
  for (;;) {
    const session = await sessionOf(id)
    if (session.state === 'active') return session
    await pause(50)
  }
}
const open = async (seconds = 60): Promise<Session> => {
  const { body } = await lab.client.insist('POST', '/api/v1/sessions', { lab: labId, seconds })
  return await active((body as Session).id)
}
/** A booking that has begun, and its session. */
const book = async (): Promise<{ booking: Booking; session: Session }> => {
  const start = new Date().toISOString()
  const { body } = await lab.client.insist('POST', '/api/v1/bookings', { lab: labId, start, seconds: 600 })
  const { id } = body as Booking
  while ((await bookingOf(id)).session === undefined) await pause(50)
  const booking = await bookingOf(id)
  return { booking, session: await active(booking.session ?? '') }
}
/** Starts the hub so that it dies at the point, does what brings it there, and waits until it is there again. */
async function killedAt(point: string, act: () => Promise<unknown>): Promise<void> {
  const { hub } = lab
  await hub.kill()
  await hub.start({ FERNLAB_FAULT_POINT: point })
  await lab.client.online(node)
  const ended = hub.ended()
  hub.watch()
  const done = act()
  assert.is(await within(30_000, `the hub passing ${point}`, ended), 'SIGKILL')
  await done
  await hub.settled()
  hub.unwatch()
}

const handOver = ['before-stop-commit', 'after-stop-commit', 'after-assign-commit', 'after-assign-publish'] as const

for (const point of [...finishFaultPoints, ...handOver, ...bookingEndFaultPoints]) {
  test(`at ${point}: who waits has the bench after it was cleaned up`, async () => {
    const { client } = lab
    const isBooked = bookingEndFaultPoints.some((one) => one === point)
    const { booking, session } = isBooked ? await book() : { booking: undefined, session: await open() }
    const next = await client.submit({ lab: labId, protocol: 'steps-safe', parameters: { points: 1 } })
    await killedAt(point, () => client.insist('POST', `/api/v1/sessions/${session.id}/finish`))
    const [ended, followed] = await lab.check([session.id, next])
    assert.equal([ended?.attempts.length, followed?.attempts.length], [1, 1])
    assert.equal(await openSessions(), [])
    const run = await client.finished(next)
    const { endedAt = '' } = await sessionOf(session.id)
    assert.is(run.state, 'succeeded')
    assert.ok(endedAt !== '' && endedAt <= (run.startedAt ?? ''), `${endedAt} ${run.startedAt}`)
    if (booking !== undefined) assert.is((await bookingOf(booking.id)).state, 'over')
  })
}

for (const point of ['before-stop-commit', 'after-stop-commit', ...bookingStartFaultPoints] as const) {
  test(`at ${point}: a booking that is due has the bench before who waits in the queue`, async () => {
    const { client } = lab
    const session = await open(600)
    const start = new Date().toISOString()
    const { body } = await client.insist('POST', '/api/v1/bookings', { lab: labId, start, seconds: 600 })
    const next = await client.submit({ lab: labId, protocol: 'steps-safe', parameters: { points: 1 } })
    const { id } = body as Booking
    assert.is((await bookingOf(id)).session, undefined, 'the bench is in use still')
    await killedAt(point, () => client.insist('POST', `/api/v1/sessions/${session.id}/finish`))
    while ((await bookingOf(id)).session === undefined) await pause(50)
    const booked = await active((await bookingOf(id)).session ?? '')
    assert.equal(
      (await openSessions()).map((one) => one.id),
      [booked.id],
    )
    assert.is((await client.get<Run>(`/api/v1/runs/${next}`)).state, 'queued')
    await client.insist('POST', `/api/v1/bookings/${id}/cancel`)
    const [ended, begun, followed] = await lab.check([session.id, booked.id, next])
    assert.equal(
      [ended, begun, followed].map((one) => one?.attempts.length),
      [1, 1, 1],
    )
    assert.is(followed?.state, 'succeeded')
  })
}

for (const point of extendFaultPoints) {
  test(`at ${point}: whoever asks again has a session and a booking that end together`, async () => {
    const { client } = lab
    const { booking, session } = await book()
    const path = `/api/v1/sessions/${session.id}/extend`
    await killedAt(point, () => client.ask('POST', path, { seconds: 60 }).catch(() => undefined))
    const end = Date.parse((await bookingOf(booking.id)).end)
    assert.is(end > Date.parse(booking.end), point === 'after-booking-longer-commit')
    await client.online(node)
    // In all: whoever asks again because no answer came in time has it no longer by that.
    const total = session.seconds + 60
    await client.insist('POST', path, { total })
    const { seconds, endsAt, state } = await sessionOf(session.id)
    assert.equal([state, seconds], ['active', total])
    assert.is((await bookingOf(booking.id)).end, endsAt)
    assert.equal(
      (await openSessions()).map(({ id }) => id),
      [session.id],
    )
    await client.insist('POST', `/api/v1/bookings/${booking.id}/cancel`)
    await lab.check([session.id])
  })
}

for (const point of bookingAgainFaultPoints) {
  test(`at ${point}: what is left of a booking begins again, once`, async () => {
    const { client } = lab
    const { booking, session } = await book()
    await killedAt(point, async () => {
      await lab.edge.kill()
      await lab.edge.start()
    })
    await client.online(node)
    const sessionNow = async () => (await bookingOf(booking.id)).session ?? session.id
    while ((await sessionNow()) === session.id) await pause(50)
    const again = await active(await sessionNow())
    assert.equal(
      (await openSessions()).map(({ id }) => id),
      [again.id],
    )
    await client.insist('POST', `/api/v1/bookings/${booking.id}/cancel`)
    await lab.check([session.id, again.id])
  })
}

test.run()
