import * as assert from 'uvu/assert'
import { nextLookMs } from '../../../hub/web/src/bookings/next-look.ts'
import { suite } from '../../support/suite.ts'

const test = suite('when bookings are looked at again')
const now = Date.parse('2027-02-01T10:00:00Z')
const at = (inS: number) => new Date(now + inS * 1000).toISOString()

test('soon while one is about to open its session, from just before its start to just after', () => {
  const looks = (inS: number, more: object = {}) => nextLookMs([{ state: 'booked', start: at(inS), ...more }], now)
  assert.equal(
    [61, 60, 5, -5, -60, -61].map((inS) => looks(inS)),
    [30_000, 2_000, 2_000, 2_000, 2_000, 30_000],
  )
  assert.is(looks(-5, { state: 'now' }), 2_000)
})

test('at leisure once it has its session, for a group, and when there is nothing', () => {
  const one = { state: 'now', start: at(-5) } as const
  const group = { id: 'optics', name: 'Optics' }
  assert.is(nextLookMs([], now), 30_000)
  assert.is(nextLookMs([{ ...one, session: 's1' }], now), 30_000)
  assert.is(nextLookMs([{ ...one, group }], now), 30_000)
  assert.is(nextLookMs([{ ...one, state: 'cancelled' }], now), 30_000)
  assert.is(nextLookMs([{ ...one, session: 's1' }, one], now), 2_000)
})

test.run()
