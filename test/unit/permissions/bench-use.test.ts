import { BenchUse, dayOf, mondayOf } from '@fernlab/hub/permissions/bench-use'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('bench time and what is open, as permissions count them')
const run = (id: string, estimatedS: number | null = 10) => ({ id, personId: 'p', lab: { id: 'rc' }, estimatedS })
const monday = Date.UTC(2026, 10, 23)
const hour = 3_600_000
const spent = (endedAtMs: number, heldS = 30, runningS = 20) => ({
  personId: 'p',
  lab: 'rc',
  heldMs: heldS * 1000,
  runningMs: runningS * 1000,
  endedAtMs,
})

test('days are of UTC and weeks begin on Monday', () => {
  const day = dayOf(monday)
  assert.is(mondayOf(day), day)
  assert.is(mondayOf(dayOf(monday - 1)), day - 7)
  assert.is(mondayOf(day + 6), day)
  assert.is(dayOf(0), 0)
  assert.is(mondayOf(4), 4, '5 January 1970 was a Monday')
})

test('what is open counts at its estimate, once however often it is told', () => {
  const use = new BenchUse()
  use.opened(run('a'))
  use.opened(run('a'))
  use.opened(run('b', null))
  assert.equal(use.of('p', 'rc', monday, false), { open: 2, dayS: 70, weekS: 70 })
  assert.equal(use.of('p', 'diode', monday, false), { open: 0, dayS: 0, weekS: 0 })
  use.closed(run('a'))
  use.closed(run('a'))
  use.closed(run('b', null))
  assert.equal(use.of('p', 'rc', monday, false), { open: 0, dayS: 0, weekS: 0 })
})

test('bench time counts on the day on which it ends, with the set-up or without', () => {
  const use = new BenchUse()
  use.spent(spent(monday + hour))
  use.spent(spent(monday + 25 * hour, 5, 5))
  assert.equal(use.of('p', 'rc', monday + 2 * hour, true), { open: 0, dayS: 30, weekS: 35 })
  assert.equal(use.of('p', 'rc', monday + 26 * hour, false), { open: 0, dayS: 5, weekS: 25 })
  assert.equal(use.of('p', 'rc', monday + 7 * 24 * hour, true), { open: 0, dayS: 0, weekS: 0 }, 'another week')
})

test('a clock that was ahead for a while loses nobody’s open runs', () => {
  const use = new BenchUse()
  use.opened(run('a'))
  use.spent(spent(monday + 14 * 24 * hour))
  use.spent(spent(monday))
  assert.is(use.of('p', 'rc', monday, true).open, 1)
  assert.equal(use.of('p', 'rc', monday, true), { open: 1, dayS: 40, weekS: 40 }, 'and what is spent counts again')
  use.reset([spent(monday)])
  assert.equal(use.of('p', 'rc', monday, true), { open: 0, dayS: 30, weekS: 30 })
})

test('two days ahead on a Sunday, and back: the week is as full as it was, and what is spent then counts', () => {
  const use = new BenchUse()
  const saturday = monday + 5 * 24 * hour
  use.spent(spent(saturday))
  use.spent(spent(saturday + 48 * hour))
  assert.is(use.of('p', 'rc', saturday + 48 * hour, true).weekS, 30, 'the next week by the clock')
  assert.equal(use.of('p', 'rc', saturday + hour, true), { open: 0, dayS: 30, weekS: 30 })
  use.spent(spent(saturday + hour))
  assert.equal(use.of('p', 'rc', saturday + 2 * hour, true), { open: 0, dayS: 60, weekS: 60 })
})

test.run()
