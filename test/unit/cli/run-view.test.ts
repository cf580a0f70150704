import type { Run } from '@fernlab/shared/contracts/api'
import { formatSeconds, openRunView, outputLines } from 'fernlab/cli/run-view'
import { spokenTime } from 'fernlab/cli/shown-time'
import type { Terminal } from 'fernlab/cli/terminal'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what the command line shows of a run')

function lines(): Terminal & { readonly printed: string[] } {
  const printed: string[] = []
  return {
    printed,
    env: {},
    interactive: false,
    asks: false,
    piped: true,
    json: false,
    quiet: false,
    ascii: false,
    lines: async function* () {},
    columns: 80,
    out: (line) => printed.push(line),
    print: (text) => printed.push(text),
    err: (line) => printed.push(line),
    status: () => {},
    progress: () => {},
    ask: async () => '',
    nextLine: async () => undefined,
  }
}

test('prints plain lines where nobody watches: each state, each tenth, each new place, time and reason', () => {
  const terminal = lines()
  const view = openRunView(terminal, 'person')
  const soon = '2027-02-01T08:00:00.400Z'
  const shown = spokenTime(soon)
  view.show({ kind: 'wait', position: 2, reason: 'one run before you', estimatedStart: soon })
  view.show({ kind: 'wait', position: 2, reason: 'one run before you', estimatedStart: '2027-02-01T08:00:00.700Z' })
  view.show({ kind: 'wait', position: 2, reason: 'one run before you', estimatedStart: '2027-02-01T08:00:30.700Z' })
  view.show({ kind: 'wait', position: 1, reason: 'the bench is in use, you are next', estimatedStart: soon })
  view.show({ kind: 'wait', position: 1, reason: 'no bench is up: its node is not connected' })
  view.show({ kind: 'wait', position: 1, reason: 'no bench is up: its node is not connected' })
  view.show({ kind: 'state', state: 'running', bench: 'demo.rc' })
  for (const fraction of [0, 0.01, 0.02, 0.1, 0.19, 1]) view.show({ kind: 'progress', fraction, step: 'charge' })
  view.show({ kind: 'state', state: 'failed', reason: 'the meter is silent' })
  view.close()
  assert.equal(terminal.printed, [
    `place 2, about ${shown}: one run before you`,
    `place 2, about ${spokenTime('2027-02-01T08:00:30.000Z')}: one run before you`,
    `place 1, about ${shown}: the bench is in use, you are next`,
    'place 1: no bench is up: its node is not connected',
    'running  on demo.rc',
    '0 %  charge',
    '10 %  charge',
    '100 %  charge',
    'failed  the meter is silent',
  ])
})

test('a place in the queue stays on one line of a terminal, and what is longer is printed once', () => {
  const statuses: string[] = []
  const terminal = { ...lines(), interactive: true, status: (text: string) => statuses.push(text) }
  const view = openRunView(terminal, 'person')
  view.show({ kind: 'wait', position: 2, reason: 'one run before you' })
  const longer = { kind: 'wait', position: 1, reason: `no bench is up: ${'its node is away '.repeat(5)}` } as const
  view.show(longer)
  view.show(longer)
  view.show({ kind: 'wait', position: 1, reason: 'you are next' })
  view.show({ kind: 'state', state: 'running', bench: 'demo.rc' })
  assert.equal(statuses, ['place 2: one run before you', '', 'place 1: you are next', ''])
  assert.equal(terminal.printed, [`place 1: ${longer.reason}`, 'running  on demo.rc'])
})

test('a step without a label goes unnamed', () => {
  const terminal = lines()
  const view = openRunView(terminal, 'person')
  view.show({ kind: 'progress', fraction: 0.5, secondsLeft: 20, step: 'steps[1].sweep.steps[1].wait' })
  assert.equal(terminal.printed, ['50 %  about 20 s left'])
})

test('is silent where only the result is wanted', () => {
  const terminal = lines()
  openRunView(terminal, 'quiet').show({ kind: 'state', state: 'running' })
  assert.equal(terminal.printed, [])
})

test('writes outputs with as many figures as their uncertainty allows', () => {
  const run = {
    outputs: {
      tau: { value: 1.0023456, unit: 's', uncertainty: 0.0041 },
      gain: { value: 0.5, unit: '1' },
      resistance: { value: 10012.3, unit: 'Ohm', uncertainty: 31 },
    },
    missingOutputs: { phase: 'the fit did not converge' },
  } as unknown as Run
  assert.equal(outputLines(run), [
    'tau = 1.0023 ± 0.0041 s',
    'gain = 0.500000',
    'resistance = 10012 ± 31 Ohm',
    'phase is missing: the fit did not converge',
  ])
})

test('speaks of time as a person does', () => {
  assert.equal([0, 25.4, 89, 90, 3000, 9000].map(formatSeconds), ['0 s', '25 s', '89 s', '2 min', '50 min', '2.5 h'])
})

test.run()
