import { hidingParameters } from '@fernlab/edge/services/daemons/parameters-hidden'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('parameters are hidden')
const hide = hidingParameters([
  { TOKEN: 'whale song' },
  { pin: 482915, word: 'sword"fish', brief: 'abc' },
  { deep: [{ key: 'other one' }] },
])

test('in each place of an error, as text or number, whichever service they are of', () => {
  const given = new LabError({
    code: 'pin-482915',
    kind: 'caller',
    message: 'whale song of 482915',
    studentMessage: 'sword"fish',
    issues: [{ path: 'of other one', message: 'sword"fish', file: 'whale song.ts', line: 3 }],
    details: { pin: 482915, low: -482915, 'other one': 'abc', isOn: true, none: null, count: 12 },
  })
  const { code, message, studentMessage, issues, details } = hide(given)
  assert.equal([code, message, studentMessage], ['service-failed', '[a parameter] of [a parameter]', '[a parameter]'])
  assert.equal(issues, [{ path: 'of [a parameter]', message: '[a parameter]', file: '[a parameter].ts', line: 3 }])
  const hidden = '[a parameter]'
  assert.equal(details, { pin: hidden, low: '-[a parameter]', [hidden]: 'abc', isOn: true, none: null, count: 12 })
})

test('and not where an issue alone has one that is escaped as JSON, or where there is none', () => {
  const issue = { path: '', message: 'sword"fish' }
  const error = new LabError({ code: 'no', kind: 'caller', message: 'no', issues: [issue] })
  assert.equal(hide(error).issues, [{ path: '', message: '[a parameter]' }])
  const plain = new LabError({ code: 'no', kind: 'caller', message: 'abc', details: { count: 12 } })
  assert.is(hide(plain), plain)
})

test.run()
