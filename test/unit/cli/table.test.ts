import { recordLines, tableLines } from 'fernlab/cli/table'
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

test('a row that is too wide has lines of its own, with what it has nothing of left out', () => {
  const columns = {
    run: () => '01j',
    lab: () => 'rc-circuit',
    bench: () => '',
    protocol: () => 'charge-curve',
    rows: () => 7,
  }
  assert.equal(recordLines([{}], columns, 40), ['01j', '  lab: rc-circuit', '  protocol: charge-curve  rows: 7'])
})

test('a time is shown by the clocks of this machine, to the second', () => {
  const [, cell = ''] = tableLines([{}], { at: () => new Date('2027-02-01T08:00:00.400Z') })
  assert.match(cell, /^2027-0[12]-\d\d \d\d:\d\d$/)
})

test.run()
