import { createSeat } from '@fernlab/edge/engine/seat'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('when a session counts as idle')

test('not as long as the hub awaits its person; its time runs all along', async () => {
  const clock = new ManualClock(0)
  const seat = createSeat({ clock, log: silentLog, lab: 'a-lab', visitor: undefined, onSilence: () => {} })
  const recorder = { open: async () => {}, row: () => {}, flush: () => {} }
  const live = { op: 'live', path: [], seconds: 600, idleS: 10, silenceS: 600 } as never
  const over = seat.hold(live, { recorder } as never, new AbortController().signal)
  while (seat.stage !== 'active') await Promise.resolve()
  for (let times = 0; times < 5; times++) {
    await clock.advance(9000)
    seat.renew(true)
  }
  assert.equal([seat.stage, seat.secondsLeft], ['active', 555])
  await clock.advance(9000)
  seat.renew()
  await clock.advance(1000)
  await over
  assert.equal([seat.stage, seat.reason], ['finishing', 'nothing was done for 10 s'])
})

test('not as long as bytes go to and from the page of its own server', async () => {
  const clock = new ManualClock(0)
  const visitor = { username: 'u', unique: 'u@test', fullName: 'u', locale: 'en', back: 'http://hub/' }
  const seat = createSeat({ clock, log: silentLog, lab: 'a-lab', visitor, onSilence: () => {} })
  const rows: { what?: string; value?: string }[] = []
  const recorder = {
    open: async () => {},
    row: (_stream: string, _at: number, row: object) => void rows.push(row),
    flush: () => {},
  }
  const lease = { labServer: () => ({}) }
  const visit = { start: async () => ({ url: 'http://lab/', through: 'hub' }), status: async () => 0 }
  const live = { op: 'live', path: [], seconds: 600, idleS: 10, silenceS: 600, server: { part: 'server' } } as never
  const over = seat.hold(live, { recorder, lease, visit } as never, new AbortController().signal)
  while (seat.stage !== 'active') await Promise.resolve()
  for (let times = 0; times < 5; times++) {
    await clock.advance(9000)
    seat.visited?.count({ sentBytes: 10, receivedBytes: 100 })
    // Too soon to say it again.
    seat.visited?.count({ receivedBytes: 1 })
  }
  seat.visited?.count({ connections: 1 })
  assert.is(seat.stage, 'active')
  await clock.advance(10_000)
  await over
  assert.equal([seat.stage, seat.reason], ['finishing', 'nothing was done for 10 s'])
  const page = rows.find(({ what }) => what === 'lab-page')
  assert.equal(JSON.parse(String(page?.value)), { requests: 0, connections: 1, receivedBytes: 505, sentBytes: 50 })
})

test.run()
