import { tableLines } from 'fernlab/cli/table'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('tables of the command line')

test('aligns text to the left and numbers to the right', () => {
  const rows = [
    { name: 'rc-circuit', count: 7 },
    { name: 'τ', count: 1234 },
  ]
  assert.equal(tableLines(rows, { name: (row) => row.name, waiting: (row) => row.count }), [
    'NAME        WAITING',
    'rc-circuit        7',
    'τ              1234',
  ])
})

test('draws nothing for an empty list', () => {
  assert.equal(tableLines([], { name: () => '' }), [])
})

test.run()
