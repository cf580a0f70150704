/** The hub is killed (-9) at every step of a booking: a bench is kept for exactly those who have a booking. */
import { bookingFaultPoints } from '@fernlab/hub/fault-point'
import type { Booking, Calendar } from '@fernlab/shared/contracts/bookings'
import * as assert from 'uvu/assert'
import { type FaultLab, startFaultLab } from '../../support/faults/fault-lab.ts'
import { within } from '../../support/faults/hub-client.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the hub is killed while it books', { timeoutMs: 60_000 })
const hourMs = 3_600_000
const first = Math.ceil(Date.now() / hourMs) * hourMs + 24 * hourMs
let lab: FaultLab
let used = 0

test.before(async () => {
  lab = await startFaultLab()
})
test.after(() => lab.close())

/** An hour that no other test has. */
const nextHour = () => new Date(first + hourMs * used++).toISOString()
const asked = (start: string) => ({ lab: labId, start, seconds: 3600 })

/** Starts the hub so that it dies at the point, does what brings it there, and starts it again. */
async function killedAt(point: string, act: () => Promise<unknown>): Promise<void> {
  const { hub } = lab
  await hub.kill()
  await hub.start({ FERNLAB_FAULT_POINT: point })
  const ended = hub.ended()
  hub.watch()
  const answer = await act().then(
    () => 'an answer',
    () => 'none',
  )
  assert.is(answer, 'none', 'nothing is answered before the hub dies')
  assert.is(await within(30_000, `the hub passing ${point}`, ended), 'SIGKILL')
  await hub.settled()
  hub.unwatch()
}
/** Who has the hour, and how many benches the calendar has left for it: the lab has one bench. */
async function standing(start: string): Promise<{ booked: number; free: number | undefined }> {
  const end = new Date(Date.parse(start) + hourMs).toISOString()
  const { items } = await lab.client.get<{ items: Booking[] }>(`/api/v1/bookings?from=${start}&to=${end}`)
  const { free } = await lab.client.get<Calendar>(`/api/v1/labs/${labId}/calendar?from=${start}&to=${end}`)
  return { booked: items.filter(({ state }) => state !== 'cancelled').length, free: free[0]?.benches }
}

for (const point of bookingFaultPoints) {
  const isKept = point.startsWith('after')
  test(`at ${point}`, async () => {
    const { client } = lab
    const start = nextHour()
    if (point.includes('cancel')) {
      const { body } = await client.insist('POST', '/api/v1/bookings', asked(start))
      const path = `/api/v1/bookings/${(body as Booking).id}/cancel`
      await killedAt(point, () => client.ask('POST', path))
      assert.equal(await standing(start), isKept ? { booked: 0, free: 1 } : { booked: 1, free: 0 })
      return
    }
    await killedAt(point, () => client.ask('POST', '/api/v1/bookings', asked(start)))
    assert.equal(await standing(start), isKept ? { booked: 1, free: 0 } : { booked: 0, free: 1 })
    const again = await client.ask('POST', '/api/v1/bookings', asked(start))
    assert.is(again.status, isKept ? 409 : 201)
    assert.equal(await standing(start), { booked: 1, free: 0 })
  })

  if (point.includes('cancel')) continue
  test(`at ${point} of a move`, async () => {
    const { client } = lab
    const [from, to] = [nextHour(), nextHour()]
    const { body } = await client.insist('POST', '/api/v1/bookings', asked(from))
    const path = `/api/v1/bookings/${(body as Booking).id}`
    await killedAt(point, () => client.ask('PUT', path, { start: to }))
    const [kept, given] = isKept ? [to, from] : [from, to]
    assert.equal(await standing(kept), { booked: 1, free: 0 })
    assert.equal(await standing(given), { booked: 0, free: 1 })
  })

  test(`at ${point} of a series`, async () => {
    const { client } = lab
    const day = new Date(first + (point.startsWith('after') ? 30 : 20) * 24 * hourMs).toISOString().slice(0, 10)
    const last = new Date(Date.parse(day) + 4 * 24 * hourMs).toISOString().slice(0, 10)
    const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
    const weekly = { days, at: '09:00', timeZone: 'UTC', from: day, until: last }
    await killedAt(point, () => client.ask('POST', '/api/v1/booking-series', { lab: labId, weekly, seconds: 3600 }))
    const { items } = await client.get<{ items: Booking[] }>(
      `/api/v1/bookings?from=${day}T00:00:00Z&to=${last}T23:00:00Z`,
    )
    assert.is(items.length, isKept ? 5 : 0, 'all of a series or none')
  })
}

test.run()
