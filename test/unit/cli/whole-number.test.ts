import { Misspelt } from 'fernlab/cli/problem'
import { wholeNumber } from 'fernlab/cli/whole-number'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('whole numbers that options name')

const refusal = (...given: Parameters<typeof wholeNumber>): string => {
  try {
    return `taken as ${wholeNumber(...given)}`
  } catch (thrown) {
    assert.instance(thrown, Misspelt)
    return (thrown as Misspelt).message
  }
}

test('a number within its limits is taken', () => {
  assert.equal(
    [
      wholeNumber('--lines', '0'),
      wholeNumber('--lines', '9999', { least: 1, most: 9999 }),
      wholeNumber('--lines', '007'),
    ],
    [0, 9999, 7],
  )
})

test('what is none, or outside its limits, is named with them, as a command that was not understood', () => {
  for (const text of ['', ' ', '1.5', '-1', '1e3', '0x10', 'ten', '9007199254740993'])
    assert.is(refusal('--places', text), `--places "${text}" is not a whole number`)
  const [lines, places] = [{ least: 1, most: 9999 }, { least: 1 }]
  for (const text of ['0', '10000', 'x'])
    assert.is(refusal('--lines', text, lines), `--lines "${text}" is not a whole number from 1 to 9999`)
  assert.is(refusal('--number', '0', places), '--number "0" is not a whole number from 1')
})

test.run()
