import { isFinal, runStates, runTransitions } from '@fernlab/shared/contracts/run-state'
import { isName, newId } from '@fernlab/shared/primitives/ids'
import { asLabError, formatIssues, LabError } from '@fernlab/shared/primitives/lab-error'
import { mayFollow, transition } from '@fernlab/shared/primitives/state-machine'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('errors, ids and state tables')

test('an error survives the way over a link', () => {
  const error = new LabError({
    code: 'instrument-silent',
    kind: 'instrument',
    message: 'meter did not answer MEAS:VOLT? within 500 ms',
    studentMessage: 'The multimeter does not answer.',
    retry: 'later',
    issues: [{ path: 'steps[1].read', message: 'no answer' }],
    details: { instrument: 'meter', elapsedMs: 500 },
  })
  const back = LabError.fromJSON(JSON.parse(JSON.stringify(error)))
  assert.equal(back.toJSON(), error.toJSON())
  assert.ok(back instanceof LabError)
})

test('anything else thrown becomes a bug with its cause, and tells students nothing of the inside', () => {
  const cause = new TypeError('x is undefined')
  const error = asLabError(cause)
  assert.is(error.kind, 'bug')
  assert.is(error.cause, cause)
  assert.not.match(error.studentMessage, /undefined/)
  assert.is(asLabError(error), error)
})

test('issues are written one a line with their place', () => {
  assert.is(
    formatIssues([
      { path: 'steps[0].set', message: 'too high', file: 'a.yaml', line: 3, column: 5 },
      { path: '', message: 'empty' },
    ]),
    'a.yaml:3:5: steps[0].set: too high\nempty',
  )
})

test('ids sort by the time of making and do not repeat', () => {
  const times = [0, 1, 31, 32, 1_700_000_000_000, 1_800_000_000_000, 2 ** 48 - 1]
  const ids = times.map(newId)
  assert.equal([...ids].sort(), ids)
  assert.ok(ids.every((id) => /^[0-9a-hjkmnp-tv-z]{26}$/.test(id)))
  assert.is(new Set(Array.from({ length: 10_000 }, () => newId(5))).size, 10_000)
})

test('a name can be neither a wildcard nor a path', () => {
  for (const good of ['rc-1', 'a', '0', 'bench_2', 'x'.repeat(63)]) assert.ok(isName(good), good)
  for (const bad of ['', '+', '#', 'a/b', '..', 'a.b', 'A', ' a', '-a', '$SYS', 'é', 'x'.repeat(64), 'a\n']) {
    assert.not(isName(bad), JSON.stringify(bad))
  }
})

test('a final state is followed by nothing, and every other state can end', () => {
  for (const state of runStates) {
    if (isFinal(state)) for (const next of runStates) assert.not(mayFollow(runTransitions, state, next))
    else assert.ok(mayFollow(runTransitions, state, 'cancelled'), state)
  }
  assert.throws(
    () => transition(runTransitions, 'succeeded', 'running', 'run 1'),
    (error: LabError) => error.code === 'illegal-transition' && /run 1.*succeeded.*running/.test(error.message),
  )
})

test.run()
