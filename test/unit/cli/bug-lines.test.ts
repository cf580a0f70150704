import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { bugLines } from 'fernlab/cli/problem'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what the command says of a bug')
const wrong = new LabError({ code: 'result-invalid', kind: 'bug', message: 'fit/bad answered what it should not' })

test('a result that its contract does not say is the mistake of its service', () => {
  assert.equal(bugLines(wrong, false), [
    '  That is a mistake of the service: its action or its contract is to be mended by whoever wrote it.',
  ])
  assert.match(bugLines(asLabError(new TypeError('no')), false).join(), /FERNLAB_LOG_LEVEL=debug it says where/)
  assert.equal(bugLines(new LabError({ code: 'forbidden', kind: 'caller', message: 'no' }), true), [])
})

test('asked for, it is told where a bug came from, with a cause and without', () => {
  const cause = new TypeError('x is not a function')
  assert.is(bugLines(asLabError(cause), true).join('\n'), cause.stack)
  const own = bugLines(wrong, true)
  assert.match(own[0] ?? '', /fit\/bad answered what it should not/)
  assert.match(own[1] ?? '', /^ +at .*bug-lines\.test\.ts/)
  // What was thrown may be no error.
  assert.match(bugLines(asLabError('a word'), true).join('\n'), /unexpected: a word[\s\S]* at /)
})

test.run()
