import { commandIn } from 'fernlab/cli/session-line'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('a line that is typed in a session')

test('has words, of which those in double quotes are one', () => {
  assert.equal(commandIn('set psu.voltage="2500 mV"  psu.output=on'), {
    verb: 'set',
    words: ['psu.voltage=2500 mV', 'psu.output=on'],
  })
  assert.equal(commandIn('give "Bo Lindqvist"'), { verb: 'give', words: ['Bo Lindqvist'] })
  assert.throws(() => commandIn('set psu.voltage="2500 mV'), /a double quote is not closed/)
})

test('keeps what is said as it was typed', () => {
  assert.equal(commandIn('say  the 5" screen,  not "that"'), { verb: 'say', words: ['the 5" screen,  not "that"'] })
  assert.equal(commandIn('say'), { verb: 'say', words: [] })
})

test.run()
