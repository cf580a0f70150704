import { linesOfNews } from 'fernlab/cli/commands/session'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what fernlab session watch prints')

const at = '2026-01-01T00:00:00.000Z'
const ada = { id: 'ada', name: 'Ada' }

test('the newest value of each signal with its unit and time', () => {
  const samples = {
    'psu.voltage': { unit: 'V', time: [1767225600, 1767225601], values: [1, 2.5] },
    'psu.output': { unit: '1', time: [1767225601], values: [true] },
    'dmm.voltage': { unit: 'V', time: [], values: [] },
  }
  const lines = linesOfNews(['samples', { secondsLeft: 5, samples }])
  assert.is(lines.length, 2)
  assert.match(String(lines[0]), /^2026-01-01T00:00:01\.000Z {2}psu\.voltage {2}2\.5/)
  assert.match(String(lines[1]), /psu\.output {2}true$/)
})

test('who is here, what they say and what they do', () => {
  assert.equal(linesOfNews(['people', { people: [{ ...ada, role: 'owner' }], control: ada }]), ['here: Ada (owner)'])
  assert.equal(linesOfNews(['chat', { from: ada, text: 'hello', at }]), ['Ada: hello'])
  const command = { what: 'set' as const, values: { 'psu.voltage': 2 } }
  assert.equal(linesOfNews(['command', { by: ada, command, outcome: 'done', at }]), [
    'Ada: {"what":"set","values":{"psu.voltage":2}} done',
  ])
})

test.run()
