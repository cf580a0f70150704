import { COMMANDS_STREAM, commandColumns } from '@fernlab/shared/contracts/session-columns'
import { sessionStateOf, sessionTransitions } from '@fernlab/shared/contracts/sessions'
import { formatIssues } from '@fernlab/shared/primitives/lab-error'
import { estimate } from '@fernlab/shared/protocol/estimate'
import { checkLabFolder } from '@fernlab/shared/protocol/lab-folder'
import { streamColumns } from '@fernlab/shared/protocol/stream-columns'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('panels and sessions in lab.yaml')

const LAB = `title: RC circuit
summary: Charge it.
parts:
  psu:
    signals:
      voltage: { unit: V, access: read-set }
      output: { unit: '1', access: set, dtype: boolean }
    actions: [reset]
  dmm:
    signals:
      voltage: { unit: V, access: read }
limits:
  psu.voltage: { low: 0, high: 5 }
`
const PROTOCOL = 'title: Step\nversion: 1\nsteps:\n  - wait: 1\n'
const check = (more: string) =>
  checkLabFolder({ 'lab.yaml': `${LAB}${more}`, 'protocols/step.yaml': PROTOCOL }, { folder: 'rc' })
const issuesOf = (more: string) => formatIssues(check(more).issues)
const widget = (text: string) => issuesOf(`session: {}\npanel:\n  widgets:\n    - ${text}\n`)

test('a session is composed: prepare, records one in another, live, clean-up', () => {
  const { lab, issues } = check(`session:
  seconds: 120
  mostSeconds: 600
  prepare: [{ set: { psu.voltage: 0 } }]
  cleanUp: [{ set: { psu.output: false } }, { wait: 2 }]
  record:
    - { signals: [dmm.voltage], rate: 10, stream: fast }
    - { signals: [psu.voltage], rate: 1, stream: slow }
`)
  assert.equal(issues, [])
  const protocol = lab?.session
  if (protocol === undefined) throw new Error('there is no session')
  assert.equal(
    protocol.steps.map(({ kind }) => kind),
    ['set', 'record'],
  )
  assert.equal([...streamColumns(protocol).keys()], ['fast', 'slow', COMMANDS_STREAM])
  assert.equal(
    streamColumns(protocol)
      .get(COMMANDS_STREAM)
      ?.map(({ key }) => key),
    [...commandColumns],
  )
  const { seconds, rows, exact } = estimate(protocol, { seconds: 300 })
  assert.equal([seconds, rows.fast, exact], [302, 3000, false])
  assert.is(protocol.parameters.seconds?.default, 120)
  assert.is(protocol.parameters.seconds?.maximum, 86_400)
  assert.equal(
    protocol.cleanUp?.map(({ kind }) => kind),
    ['set', 'wait'],
  )
})

test('what the panel shows and can be read is recorded unless the lab says what', () => {
  const { lab, issues } = check(`session: {}
panel:
  widgets:
    - { kind: switch, signal: psu.output }
    - { kind: knob, signal: psu.voltage, limits: { low: 0, high: 5 } }
    - { kind: chart, signals: [dmm.voltage, psu.voltage] }
`)
  assert.equal(issues, [])
  const [record] = lab?.session?.steps ?? []
  assert.equal(record?.kind === 'record' && record.signals, ['psu.voltage', 'dmm.voltage'])
  assert.is(check('').lab?.session, undefined)
  assert.equal(
    check('session: {}\n').lab?.session?.steps.map(({ kind }) => kind),
    ['live'],
  )
})

test('what is wrong in a session is told with its place in lab.yaml', () => {
  assert.is(
    issuesOf('session:\n  prepare:\n    - set: { psu.voltage: 9 }\n'),
    'lab.yaml:16:27: session.prepare[0].set.psu.voltage: 9 V is above the limit of 5 V',
  )
  assert.match(
    issuesOf('session:\n  cleanUp:\n    - set: { psu.volts: 0 }\n'),
    /^lab\.yaml:16:\d+: session\.cleanUp\[0\]\.set\.psu\.volts: part psu \(psu\) has no signal volts/,
  )
  assert.match(
    issuesOf(
      'session:\n  record:\n    - { signals: [dmm.voltage], rate: 1, stream: a }\n    - { signals: [psu.output], rate: 1, stream: b }\n',
    ),
    /^lab\.yaml:17:\d+: session\.record\[1\]\.signals\[0\]: psu\.output cannot be read/,
  )
  assert.match(issuesOf('session:\n  prepare:\n    - live: { seconds: 5 }\n'), /unknown step "live"/)
  assert.match(issuesOf('session: { seconds: 100, mostSeconds: 50 }\n'), /mostSeconds: is less than the 100 s/)
  assert.match(
    issuesOf('session: { film: [dmm] }\n'),
    /^lab\.yaml:14:\d+: session\.film\[0\]: part dmm is not a camera/,
  )
  assert.match(issuesOf('session: { film: [dmn] }\n'), /there is no part dmn; did you mean "dmm"/)
  assert.match(issuesOf('session: { second: 100 }\n'), /unknown key "second"; did you mean "seconds"/)
  assert.match(issuesOf('panel: { widgets: [{ kind: log }] }\n'), /lab\.yaml:14:1: panel: .*add session/)
})

test('every widget is held against the parts', () => {
  assert.is(
    widget('{ kind: switch, signal: psu.voltage }'),
    'lab.yaml:17:31: panel.widgets[0].signal: psu.voltage is of type number, and a switch is for boolean',
  )
  const cases: [string, RegExp][] = [
    ['{ kind: switch, signal: psu.outptu }', /part psu has no signal outptu; did you mean "output"/],
    ['{ kind: slider, signal: dmm.voltage, limits: { low: 0, high: 1 } }', /dmm\.voltage can not be set/],
    ['{ kind: slider, signal: psu.voltage, limits: { low: 0 } }', /limits: needs low and high/],
    ['{ kind: knob, signal: psu.voltage, limits: { low: 0, high: 9 } }', /high is above the lab's limit of 5/],
    ['{ kind: gauge, signal: psu.output, limits: { low: 0, high: 9 } }', /psu\.output can not be read/],
    ['{ kind: gauge, signal: dmm.voltage, limits: {} }', /needs low and high/],
    ['{ kind: led, signal: dmm.voltage }', /is a number: say above/],
    ['{ kind: number, signal: psm.voltage }', /there is no part psm; did you mean "psu"/],
    ['{ kind: button }', /needs one of action and set/],
    ['{ kind: button, action: psu.rest }', /part psu has no action rest; did you mean "reset"/],
    ['{ kind: button, set: { psu.voltage: 9 } }', /9 is beyond the lab's limits/],
    ['{ kind: button, set: { psu.output: 1 } }', /must be true or false/],
    ['{ kind: chart, signals: [dmm.volt] }', /signals\[0\]: part dmm has no signal volt/],
    [
      '{ kind: waveform, seconds: 1, signals: [dmm.voltage], trigger: { signal: psu.output, level: 1 } }',
      /trigger\.signal: psu\.output can not be read/,
    ],
    ['{ kind: log, place: { column: 8, width: 6 } }', /reaches beyond the last of 12 columns/],
    ['{ kind: dial, signal: psu.voltage }', /kind/],
  ]
  for (const [text, expected] of cases) assert.match(widget(text), expected, text)
  for (const text of [
    '{ kind: switch, signal: psu.output }',
    '{ kind: number, signal: dmm.voltage }',
    '{ kind: number, signal: psu.voltage, limits: { low: 1 }, step: 0.1 }',
    '{ kind: led, signal: dmm.voltage, above: 2 }',
    '{ kind: button, action: psu.reset }',
    '{ kind: button, set: { psu.voltage: 5, psu.output: true } }',
  ])
    assert.is(widget(text), '', text)
})

test('a session’s state follows from its run and the node’s stage', () => {
  assert.is(sessionStateOf('queued', 'active'), 'waiting')
  assert.is(sessionStateOf('assigned', 'preparing'), 'preparing')
  assert.is(sessionStateOf('running', 'preparing'), 'preparing')
  assert.is(sessionStateOf('running', 'active'), 'active')
  assert.is(sessionStateOf('running', 'finishing'), 'finishing')
  assert.is(sessionStateOf('interrupted', 'active'), 'closed')
  assert.equal(sessionTransitions.closed, [])
})

test("a lab's own server is handed the session, and lets go before the clean-up", () => {
  const parts = LAB.replace('limits:', '  server: { signals: {}, labServer: true }\nlimits:')
  const checked = (more: string) =>
    checkLabFolder({ 'lab.yaml': `${parts}${more}`, 'protocols/step.yaml': PROTOCOL }, { folder: 'rc' })
  const { lab, issues } = checked(
    'session: { seconds: 90, server: { part: server, category: Robots }, cleanUp: [{ set: { psu.output: false } }] }',
  )
  assert.equal(issues, [])
  const protocol = lab?.session
  assert.equal(
    protocol?.cleanUp?.map((step) => step.kind),
    ['dispose', 'set'],
  )
  const [live] = protocol?.steps ?? []
  assert.equal(live?.kind === 'live' ? [live.server, live.idleS] : undefined, [
    { part: 'server', category: 'Robots' },
    90,
  ])
  const wrong = (more: string) => formatIssues(checked(more).issues)
  assert.match(wrong('session: { server: { part: sever } }'), /session\.server\.part: there is no part sever.*server/)
  assert.match(wrong('session: { server: { part: psu } }'), /session\.server\.part: part psu needs labServer: true/)
  assert.match(
    wrong('session: { server: { part: server }, seconds: 60, mostSeconds: 90 }'),
    /session\.mostSeconds: .*can not be extended/,
  )
  assert.match(wrong('session: {}'), /parts\.server\.labServer: is of use only with session/)
  assert.match(
    wrong('session: { server: { part: server }, cleanUp: [{ set: { psu.colour: 1 } }] }'),
    /session\.cleanUp\[0\]\.set\["?psu\.colour|session\.cleanUp\[0\]/,
  )
})

test.run()
