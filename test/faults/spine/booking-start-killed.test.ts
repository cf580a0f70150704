/** The hub is killed (-9) at every step of a booking's beginning: its bench is held by its one session, or by nobody. */
import { bookingStartFaultPoints } from '@fernlab/hub/fault-point'
import type { Booking } from '@fernlab/shared/contracts/bookings'
import type { Session } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { type FaultLab, startFaultLab } from '../../support/faults/fault-lab.ts'
import { pause, within } from '../../support/faults/hub-client.ts'
import { labFiles, labId } from '../../support/faults/lab-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the hub is killed while a booking begins', { timeoutMs: 60_000 })
let lab: FaultLab

test.before(async () => {
  lab = await startFaultLab()
  const session = 'session: { seconds: 60, cleanUp: [{ set: { supply.voltage: 0.5 } }] }\n'
  const files = Object.entries(labFiles).map(([path, text]) => ({
    path,
    text: path === 'lab.yaml' ? `${text}\n${session}` : text,
  }))
  await lab.client.insist('PUT', `/api/v1/labs/${labId}`, { files })
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

test.run()
