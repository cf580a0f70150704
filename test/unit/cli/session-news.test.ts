import type { Session } from '@fernlab/shared/contracts/sessions'
import { linesOf, linesOfNews, newsOf, waitingLine } from 'fernlab/cli/session-text'
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

test('of what is read, the signals that are named alone', () => {
  const sample = { unit: 'V', time: [1], values: [1] }
  const samples = { secondsLeft: 5, samples: { 'psu.voltage': sample, 'dmm.voltage': sample } }
  assert.equal(newsOf(['samples', samples], []), ['samples', samples])
  assert.equal(newsOf(['samples', samples], ['dmm.voltage']), [
    'samples',
    { secondsLeft: 5, samples: { 'dmm.voltage': sample } },
  ])
  assert.is(newsOf(['samples', samples], ['psu.current']), undefined)
  const people = { people: [{ ...ada, role: 'owner' as const }] }
  assert.equal(newsOf(['people', people], ['dmm.voltage']), ['people', people])
})

test('a place in the queue is told again when the estimate moves by a second, and not by less', () => {
  const lineAt = (estimatedStart: string) =>
    waitingLine({ id: 's', state: 'waiting', position: 1, estimatedStart } as Session)
  assert.match(
    lineAt('2026-01-01T00:00:01.000Z'),
    /^session s is waiting, place 1, about \d+-\d+-\d+ \d+:\d+:01 \(\S+\)$/,
  )
  assert.is(lineAt('2026-01-01T00:00:01.999Z'), lineAt('2026-01-01T00:00:01.000Z'))
})

test('what an active session is driven with: its panel, the page of its own server, or both', () => {
  const hints = (more: Partial<Session>) =>
    linesOf({ id: 's', state: 'active', bench: 'b', ...more } as Session)
      .slice(1)
      .map((line) => line.match(/session \w+ s/g)?.join())
  const panel = { title: 'Arm', items: [] } as unknown as Session['panel']
  assert.equal(hints({ panel }), ['session controls s,session drive s'])
  assert.equal(hints({ ownServer: true }), ['session visit s'])
  assert.equal(hints({ ownServer: true, panel }), ['session visit s', 'session controls s,session drive s'])
})

test('who starts or joins a session that is filmed is told so', () => {
  const about = (more: Partial<Session>) =>
    linesOf({ id: 's', bench: 'b', films: ['view', 'side'], ...more } as Session).filter((line) =>
      line.includes('filmed (view, side)'),
    ).length
  assert.equal([about({ state: 'waiting' }), about({ state: 'active' })], [1, 1])
  assert.equal(
    [about({ state: 'closed' }), linesOf({ id: 's', bench: 'b', state: 'waiting' } as Session).length],
    [0, 1],
  )
})

test('who is here, what they say and what they do', () => {
  assert.equal(linesOfNews(['people', { people: [{ ...ada, role: 'owner' }], control: ada }]), [
    'here: Ada (owner); Ada has the controls',
  ])
  const line = { id: '1', from: ada, text: 'hello', at }
  assert.equal(linesOfNews(['chat', line]), ['Ada: hello'])
  assert.equal(linesOfNews(['said', { lines: [line] }]), ['Ada: hello'])
  const command = { what: 'set' as const, values: { 'psu.voltage': 2 } }
  assert.equal(linesOfNews(['command', { by: ada, command, outcome: 'done', at }]), ['Ada: set psu.voltage=2: done'])
})

test.run()
