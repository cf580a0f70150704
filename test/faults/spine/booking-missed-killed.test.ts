/**
 * The hub is killed (-9) at every step of giving back the time of a booking to which nobody comes: it is missed once, told
 * once, and its bench goes on to who waits once.
 */
import { bookingEndFaultPoints } from '@fernlab/hub/fault-point'
import type { BookingNotice } from '@fernlab/shared/contracts/booking-notices'
import type { Booking } from '@fernlab/shared/contracts/bookings'
import * as assert from 'uvu/assert'
import { type FaultLab, node, startFaultLab } from '../../support/faults/fault-lab.ts'
import { pause, within } from '../../support/faults/hub-client.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the hub is killed while a booking is missed', { timeoutMs: 120_000 })
let lab: FaultLab

test.before(async () => {
  const clock = new URL('../../support/faults/minutes-pass.mjs', import.meta.url).href
  lab = await startFaultLab({
    session: { seconds: 60, cleanUp: [{ set: { 'supply.voltage': 0.5 } }] },
    hubEnv: { NODE_OPTIONS: `--import=${clock}` },
  })
  const rules = { stepMinutes: 10, windowHours: 168, graceMinutes: 1 }
  await lab.client.insist('PUT', '/api/v1/settings/scheduling', rules)
})
test.after(() => lab.close())

/** The hub counts the grace period from when it finds the session awaited: minutes pass until that is over. */
async function minutesPass(until: Promise<unknown>): Promise<void> {
  const passing = setInterval(() => lab.hub.signal('SIGUSR2'), 500)
  await until.finally(() => clearInterval(passing))
}

/** The end of the session follows, and the bench is given to who waits. */
const following = ['before-stop-commit', 'after-stop-commit', 'before-assign-commit', 'after-assign-publish'] as const

for (const point of [...bookingEndFaultPoints, ...following]) {
  test(`at ${point}`, async () => {
    const { hub, client } = lab
    const body = { lab: labId, start: new Date().toISOString(), seconds: 600 }
    const { id } = (await client.insist('POST', '/api/v1/bookings', body)).body as Booking
    const booking = () => client.get<Booking>(`/api/v1/bookings/${id}`)
    /** Its session as it is now: one that was cut off meanwhile has begun again. */
    const awaited = async () => {
      for (;;) {
        const { session } = await booking()
        if (
          session !== undefined &&
          (await client.get<{ state: string }>(`/api/v1/runs/${session}`)).state === 'running'
        )
          return
        await pause(50)
      }
    }
    await awaited()
    const next = await client.submit({ lab: labId, protocol: 'steps-safe', parameters: { points: 1 } })
    await hub.kill()
    await hub.start({ FERNLAB_FAULT_POINT: point })
    await client.online(node)
    await awaited()
    const ended = hub.ended()
    hub.watch()
    await minutesPass(within(60_000, `the hub passing ${point}`, ended))
    assert.is(await ended, 'SIGKILL')
    await hub.settled()
    hub.unwatch()
    await client.online(node)
    if (point === 'before-booking-end-commit') {
      // Who came while the hub was away still has the whole grace period.
      await awaited()
      await minutesPass(within(60_000, 'being missed', client.reached(next, ['running', 'succeeded'])))
    }
    await client.finished(next)
    const { state, session = '' } = await booking()
    const [missed, given] = await lab.check([session, next])
    assert.equal([state, missed?.state, given?.state], ['missed', 'cancelled', 'succeeded'])
    assert.is(given?.attempts.length, 1)
    const { items } = await client.get<{ items: BookingNotice[] }>('/api/v1/bookings/notices')
    assert.equal(
      items.filter((notice) => notice.booking === id).map(({ what }) => what),
      ['missed'],
    )
  })
}

test.run()
