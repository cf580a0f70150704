/**
 * The hub is killed (-9) between the decision that somebody makes room for a booking, the warning and the end: the booking
 * begins once, a run that may start again does once, and a session has the rest of its time once.
 */
import { bumpFaultPoints } from '@fernlab/hub/fault-point'
import type { Run } from '@fernlab/shared/contracts/api'
import type { Booking } from '@fernlab/shared/contracts/bookings'
import type { Session } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { type FaultLab, startFaultLab } from '../../support/faults/fault-lab.ts'
import { type HubClient, pause, within } from '../../support/faults/hub-client.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { newPerson } from '../../support/faults/new-person.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the hub is killed while somebody makes room for a booking', { timeoutMs: 90_000 })
let lab: FaultLab
let guest: HubClient

test.before(async () => {
  lab = await startFaultLab({ session: { seconds: 600, cleanUp: [{ set: { 'supply.voltage': 0.5 } }] } })
  const { client, httpPort } = lab
  await client.insist('PUT', '/api/v1/permissions/everyone', { gives: { mayBeBumped: true } })
  // A session that is bumped at the last moment of a booking's grace has no longer than that.
  const rules = { stepMinutes: 10, windowHours: 168, graceMinutes: 1, warningMinutes: 1 }
  await client.insist('PUT', '/api/v1/settings/scheduling', rules)
  guest = (await newPerson(`http://127.0.0.1:${httpPort}`, client)).client
})
test.after(() => lab.close())

const bookings = async () => (await lab.client.get<{ items: Booking[] }>('/api/v1/bookings')).items
const begun = async (): Promise<Booking> => {
  for (;;) {
    const found = (await bookings()).find(({ state, session }) => state === 'now' && session !== undefined)
    if (found !== undefined) return found
    await pause(50)
  }
}
const openSessions = async (client: HubClient) =>
  (await client.get<{ items: Session[] }>('/api/v1/sessions')).items.filter(({ state }) => state !== 'closed')

/** Books the bench from so long ago, kills the hub at the point, and starts it again. */
async function killedWhileBooked(point: string, agoMs: number): Promise<Booking> {
  const { hub, client } = lab
  await hub.kill()
  await hub.start({ FERNLAB_FAULT_POINT: point })
  const ended = hub.ended()
  hub.watch()
  const start = new Date(Date.now() - agoMs).toISOString()
  const made = client.ask('POST', '/api/v1/bookings', { lab: labId, start, seconds: 600 }).catch(() => undefined)
  assert.is(await within(40_000, `the hub passing ${point}`, ended), 'SIGKILL')
  await made
  await hub.settled()
  hub.unwatch()
  return await begun()
}

for (const point of ['before-bump-end-commit', 'after-bump-end-commit'] as const) {
  test(`a run, at ${point}`, async () => {
    const parameters = { points: 1000, pause: 1 }
    const run = await guest.submit({ lab: labId, protocol: 'steps-safe', parameters })
    await guest.reached(run, ['running'])
    const booking = await killedWhileBooked(point, 0)
    const waiting = await guest.get<Run>(`/api/v1/runs/${run}`)
    assert.equal([waiting.state, waiting.attempt, waiting.position], ['queued', 2, 1])
    await lab.client.insist('POST', `/api/v1/bookings/${booking.id}/cancel`)
    const again = await guest.reached(run, ['running'])
    assert.is(again.attempt, 2)
    await guest.insist('POST', `/api/v1/runs/${run}/cancel`)
    await lab.check([booking.session ?? '', run])
  })
}

for (const point of bumpFaultPoints) {
  test(`a session, at ${point}`, async () => {
    const { body } = await guest.insist('POST', '/api/v1/sessions', { lab: labId })
    const { id } = body as Session
    while ((await guest.get<Session>(`/api/v1/sessions/${id}`)).state !== 'active') await pause(50)
    const booking = await killedWhileBooked(point, 55_000)
    const { next } = await guest.get<Session>(`/api/v1/sessions/${id}`)
    assert.equal(
      (await openSessions(guest)).map((session) => session.id),
      [next],
    )
    await guest.insist('POST', `/api/v1/sessions/${next}/finish`)
    await lab.client.insist('POST', `/api/v1/bookings/${booking.id}/cancel`)
    await lab.check([id, booking.session ?? ''])
  })
}

test.run()
