import { planCheck } from '@fernlab/hub/bench-care/check-plan'
import { isDue, newStanding } from '@fernlab/hub/bench-care/check-standing'
import { verdictOf } from '@fernlab/hub/bench-care/check-verdict'
import type { Outcome } from '@fernlab/hub/runs/ledger'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('a check that is a run')

const dayS = 86_400
const now = Date.UTC(2026, 2, 29, 1)
const passed = { ...newStanding('c'), passed: true, passes: 1, checkedAt: now }
const due = (standing: object, ms: number) => isDue({ ...passed, ...standing }, { everyS: dayS }, now + ms)

test('it is due by its last verdict and the clock, which may jump', () => {
  assert.ok(isDue(newStanding('c'), { everyS: dayS }, now), 'never done')
  assert.not(due({}, dayS * 1000 - 1))
  assert.ok(due({}, dayS * 1000))
  assert.ok(due({}, 2 * dayS * 1000))
  assert.ok(due({}, -2 * dayS * 1000), 'a verdict of a time to come is one of a wrong clock')
  assert.not(due({}, -30_000), 'a clock is set by seconds all the time')
  assert.ok(due({ asked: true }, 0))
  assert.ok(due({ tries: 1 }, 0))
})

test('what failed, or keeps its bench out, is done again soon', () => {
  assert.ok(due({ passed: false, failures: 1 }, 600_000))
  assert.ok(due({ failingSince: now - 1 }, 600_000), 'it passes, but not often enough yet')
  assert.not(due({ passed: false, failures: 1 }, 599_999))
  assert.ok(isDue({ ...passed, passed: false }, { everyS: 60 }, now + 60_000), 'never later than it is done anyway')
})

const outcome = (more: Partial<Outcome> = {}): Outcome => ({
  state: 'succeeded',
  reason: 'all steps were done',
  outputs: { tau: { value: 1.02, unit: 's' } },
  endedAt: now,
  ...more,
})

test('it passes when the run succeeds and every output lies as expected, in any unit', () => {
  assert.equal(verdictOf(outcome(), {}), { kind: 'passed' })
  assert.equal(verdictOf(outcome(), { tau: { low: 0.9, high: 1.1 } }), { kind: 'passed' })
  assert.equal(verdictOf(outcome(), { tau: { low: 900, high: 1020, unit: 'ms' } }), { kind: 'passed' })
  const failed = verdictOf(outcome(), { tau: { high: 1000, unit: 'ms' }, gain: { low: 1 } })
  assert.is(failed.kind, 'failed')
  assert.match('reason' in failed ? failed.reason : '', /^tau is 1020.ms, and 1000.ms is the most; gain is missing: /)
  const nothing = verdictOf(outcome({ outputs: { tau: { value: Number.NaN, unit: 's' } } }), { tau: { low: 0 } })
  assert.is(nothing.kind, 'failed')
})

test('a run that failed says so; one that was stopped, interrupted or lost its instrument says nothing', () => {
  const message = 'the condition did not come true within 5 s'
  const error = { code: 'until-late', kind: 'instrument', retry: 'never', message, studentMessage: '' } as const
  assert.equal(verdictOf(outcome({ state: 'failed', error }), {}), { kind: 'failed', reason: message })
  assert.equal(verdictOf(outcome({ state: 'failed', error: { ...error, code: 'instrument-lost' } }), {}), {
    kind: 'none',
  })
  for (const state of ['cancelled', 'interrupted'] as const)
    assert.equal(verdictOf(outcome({ state }), {}), { kind: 'none' }, state)
})

test('a config that is none has its places', () => {
  const options = { labOf: () => undefined, lacks: () => [], parts: {} }
  const places = (config: unknown) => {
    const found = planCheck(config, options)
    return 'issues' in found ? found.issues.map(({ path }) => path) : []
  }
  assert.equal(places({ lab: 'small' }), ['protocol'])
  assert.equal(places({ lab: 'small', protocol: 'p', expect: { tau: { lowest: 1 } } }), ['expect.tau.lowest'])
  assert.equal(places({ lab: 'small', protocol: 'p' }), ['lab'])
})

test.run()
