/**
 * The hub is killed (-9) at every step of a booking's beginning: its bench is held by its one session, or by nobody, and
 * one whose benches can not be made ready is tried once on each.
 */
import { bookingEndFaultPoints, bookingStartFaultPoints } from '@fernlab/hub/fault-point'
import type { BookingNotice } from '@fernlab/shared/contracts/booking-notices'
import type { Booking } from '@fernlab/shared/contracts/bookings'
import type { Session } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { type FaultLab, node, startFaultLab } from '../../support/faults/fault-lab.ts'
import { pause, within } from '../../support/faults/hub-client.ts'
import { labId, unreadyLabFiles, unreadyLabId } from '../../support/faults/lab-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the hub is killed while a booking begins', { timeoutMs: 60_000 })
let lab: FaultLab

test.before(async () => {
  lab = await startFaultLab({ session: { seconds: 60, cleanUp: [{ set: { 'supply.voltage': 0.5 } }] } })
})
test.after(() => lab.close())

const assigning = ['before-assign-commit', 'after-assign-commit', 'after-assign-publish', 'on-accepted'] as const

for (const point of [...bookingStartFaultPoints, ...assigning]) {
  test(`at ${point}`, async () => {
    const { hub, client } = lab
    const start = new Date().toISOString()
    await hub.kill()
    await hub.start({ FERNLAB_FAULT_POINT: point })
    const ended = hub.ended()
    hub.watch()
    // It begins in the moment in which it is there; whether that is answered before the hub dies is all the same.
    const made = client.ask('POST', '/api/v1/bookings', { lab: labId, start, seconds: 600 }).catch(() => undefined)
    assert.is(await within(30_000, `the hub passing ${point}`, ended), 'SIGKILL')
    await made
    await hub.settled()
    hub.unwatch()
    const found = async () => {
      const { items } = await client.get<{ items: Booking[] }>('/api/v1/bookings')
      return items.find(({ state }) => state === 'now')
    }
    while ((await found())?.session === undefined) await pause(50)
    const booking = (await found()) as Booking
    const sessions = async () =>
      (await client.get<{ items: Session[] }>('/api/v1/sessions')).items.filter(({ state }) => state !== 'closed')
    while ((await sessions())[0]?.state !== 'active') await pause(50)
    assert.equal(
      (await sessions()).map(({ id }) => id),
      [booking.session],
    )
    await client.insist('POST', `/api/v1/bookings/${booking.id}/cancel`)
    while ((await sessions()).length > 0) await pause(50)
    await lab.check([booking.session ?? ''])
  })
}

for (const point of ['before-stop-commit', 'after-requeue-commit', ...bookingEndFaultPoints]) {
  test(`its bench can not be made ready, at ${point}`, async () => {
    const { hub, client } = lab
    const files = Object.entries(unreadyLabFiles).map(([path, text]) => ({ path, text }))
    await client.insist('PUT', `/api/v1/labs/${unreadyLabId}`, { files })
    await hub.kill()
    await hub.start({ FERNLAB_FAULT_POINT: point })
    await client.online(node)
    const ended = hub.ended()
    hub.watch()
    const body = { lab: unreadyLabId, start: new Date().toISOString(), seconds: 600 }
    const made = await client.insist('POST', '/api/v1/bookings', body)
    const { id } = made.body as Booking
    assert.is(await within(30_000, `the hub passing ${point}`, ended), 'SIGKILL')
    await hub.settled()
    hub.unwatch()
    const bookingOf = () => client.get<Booking>(`/api/v1/bookings/${id}`)
    while ((await bookingOf()).state !== 'over') await pause(50)
    const { session = '' } = await bookingOf()
    const [record] = await lab.check([session])
    const tried = record?.attempts.map(({ state, documents: [start] }) => [
      state,
      start?.name === 'start' ? start.doc.bench : '',
    ])
    assert.equal(
      tried?.map(([ended]) => ended),
      ['unready', 'failed'],
    )
    assert.is(new Set(tried?.map(([, bench]) => bench)).size, 2, 'each bench once')
    const { items } = await client.get<{ items: BookingNotice[] }>('/api/v1/bookings/notices')
    assert.equal(
      items.filter(({ booking }) => booking === id).map(({ what }) => what),
      ['broken'],
    )
  })
}

test.run()
