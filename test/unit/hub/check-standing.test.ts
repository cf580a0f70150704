import {
  afterReport,
  type CheckStanding,
  forgive,
  newStanding,
  whyFailing,
} from '@fernlab/hub/bench-care/check-standing'
import { shareUp, uptimeOf } from '@fernlab/hub/bench-care/uptime'
import type { CheckReport } from '@fernlab/shared/contracts/bench-checks'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('whether checks keep a bench from runs')

const rules = { failuresBeforeOut: 3, passesBeforeBack: 2 }
const at = '2026-03-02T08:00:00.000Z'
const failed = (failures: number): CheckReport => ({
  name: 'net',
  passed: false,
  failures,
  passes: 0,
  reason: 'no answer',
  at,
})
const passed = (passes: number): CheckReport => ({ name: 'net', passed: true, failures: 0, passes, at })
const after = (...reports: CheckReport[]): CheckStanding =>
  reports.reduce((standing, report, i) => afterReport(standing, report, rules, i), newStanding('net'))
const out = (...reports: CheckReport[]) => after(...reports).failingSince !== null

test('so many failures in a row take it out, so many passes in a row bring it back', () => {
  assert.not(out(failed(1), failed(2)))
  assert.is(after(failed(1), failed(2), failed(3)).failingSince, 2)
  assert.is(after(failed(1), failed(2), failed(3), failed(4)).failingSince, 2)
  assert.ok(out(failed(3), passed(1)))
  assert.not(out(failed(3), passed(1), passed(2)))
})

test('a check that flaps changes nothing', () => {
  const flapping = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? failed(1) : passed(1)))
  assert.not(out(passed(5), ...flapping))
  assert.ok(out(failed(3), ...flapping))
})

test('a report that comes twice changes nothing, one that was lost is made good by the next', () => {
  assert.equal(after(failed(1), failed(1), failed(1)).failures, 1)
  assert.not(out(failed(1), failed(1), failed(1)))
  assert.ok(out(failed(3)))
  assert.not(out(failed(3), passed(7)))
})

test('put back by somebody, only failures after that count', () => {
  const forgiven = forgive(after(failed(3), failed(4)))
  const later = (...reports: CheckReport[]) =>
    reports.reduce((standing, report, i) => afterReport(standing, report, rules, 10 + i), forgiven).failingSince
  assert.is(forgiven.failingSince, null)
  assert.is(later(failed(4)), null)
  assert.is(later(failed(5), failed(6)), null)
  assert.is(later(failed(5), failed(6), failed(7)), 12)
  assert.is(later(passed(1), failed(1), failed(2)), null, 'a pass ends the forgiving')
  assert.is(later(passed(1), failed(1), failed(2), failed(3)), 13)
  assert.is(later(failed(1), failed(2)), null, 'a node that has started again counts from the beginning')
  assert.is(later(failed(1), failed(2), failed(3)), 12)
})

test('the reason names each check that fails, and only those', () => {
  const of = (standing: CheckStanding) => ({ standing, title: 'Network' })
  assert.is(whyFailing([of(after(failed(1)))]), undefined)
  assert.is(whyFailing([of(after(failed(3)))]), 'the check Network failed: no answer')
  assert.is(whyFailing([of(after(failed(3), passed(1)))]), 'the check Network has not passed often enough yet')
})

test('uptime leaves out what was planned, and says what it does not know', () => {
  const changes = [
    { at: 100, state: 'up' },
    { at: 200, state: 'fault' },
    { at: 250, state: 'maintenance' },
    { at: 300, state: 'up' },
  ] as const
  assert.equal(uptimeOf(changes, 0, 400), { upMs: 200, downMs: 50, plannedMs: 50, unknownMs: 100 })
  assert.equal(uptimeOf(changes, 150, 260), { upMs: 50, downMs: 50, plannedMs: 10, unknownMs: 0 })
  assert.equal(uptimeOf([], 0, 10), { upMs: 0, downMs: 0, plannedMs: 0, unknownMs: 10 })
  assert.equal(uptimeOf(changes, 500, 600), { upMs: 100, downMs: 0, plannedMs: 0, unknownMs: 0 })
  assert.is(shareUp(uptimeOf(changes, 0, 400)), 0.8)
  assert.is(shareUp(uptimeOf([], 0, 10)), null)
})

test.run()
