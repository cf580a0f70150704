import * as assert from 'uvu/assert'
import { steadyAt, steadyQuantity } from '../../../hub/web/src/panel/steady.ts'
import { sizedBy } from '../../../hub/web/src/services/keeps-prefix.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the prefix of a value that is zero now and then')

test('stays that of the value before, and follows what is not zero', () => {
  let size = 0
  const shown = [0, -0.0001, 0, -0.0001, 2, 0].map((value) => {
    size = sizedBy(value, size)
    return steadyQuantity(value, steadyAt(size, 'A'))
  })
  assert.equal(shown, [
    '0.000\u202fA',
    '\u2212100.0\u202fµA',
    '0.0\u202fµA',
    '\u2212100.0\u202fµA',
    '2.000\u202fA',
    '0.000\u202fA',
  ])
})

test.run()
