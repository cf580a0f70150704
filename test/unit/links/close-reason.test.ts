import { closeReason } from '@fernlab/shared/links/websocket/close-reason'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the reason of a close')

test('is the text itself, or as many whole characters of it as 123 bytes hold', () => {
  assert.is(closeReason('it was closed'), 'it was closed')
  assert.is(closeReason('x'.repeat(200)), 'x'.repeat(123))
  assert.is(closeReason('ñ'.repeat(200)), 'ñ'.repeat(61))
  assert.is(closeReason(`x${'🌿'.repeat(200)}`), `x${'🌿'.repeat(30)}`)
})

test.run()
