import { createSeat } from '@fernlab/edge/engine/seat'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('a session whose person is awaited')

test('is not idle as long as the hub says so; then it is, and its time runs all along', async () => {
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

test.run()
