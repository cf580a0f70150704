import type { Limits } from '@fernlab/shared/capabilities/signals'
import { formatIssues } from '@fernlab/shared/primitives/lab-error'
import { checkProtocol } from '@fernlab/shared/protocol/check-protocol'
import type { ParameterValues } from '@fernlab/shared/protocol/protocol'
import * as assert from 'uvu/assert'
import { cpuMs } from '../../support/cpu-time.ts'
import { suite } from '../../support/suite.ts'
import { mustParse, parts, withSteps } from './bench.ts'

const test = suite('protocols against benches')

interface Case {
  readonly rest?: string
  readonly limits?: Record<string, Limits>
  readonly parameters?: ParameterValues
}

const issuesOf = (steps: string, { rest = '', ...context }: Case = {}) =>
  formatIssues(checkProtocol(mustParse(withSteps(steps, rest)), { parts, ...context }))

const level = 'parameters: { level: { type: number, unit: V, default: 1 } }'

test('a sound protocol has no issues', () => {
  const steps = `
  - set: { supply.voltage: level, supply.output: true, supply.mode: { text: CV } }
  - ramp: { signal: supply.voltage, to: 5000 mV, rate: 100 mV/s }
  - read: { signals: [meter.voltage, meter.label] }
  - record: { signals: [meter.current], rate: 50 Hz, stream: s, for: 1 s }
  - call: { action: supply.selftest, arguments: { level: 200 mV } }`
  assert.is(issuesOf(steps, { rest: level }), '')
})

test('what a protocol asserts of its parameters alone is known before the run', () => {
  const rest = 'parameters: { low: { type: number, default: 1 }, high: { type: number, default: 5 } }'
  const steps = `
  - assert: { condition: high > low, message: { en: High must be above low., es: Alto sobre bajo. } }
  - assert: { condition: meter.voltage > high, message: not known yet }
  - repeat: { variable: i, times: 3, steps: [{ assert: { condition: low + i < high, message: too far } }] }`
  assert.is(issuesOf(steps, { rest, parameters: { low: 1, high: 5 } }), '')
  assert.is(
    issuesOf(steps, { rest, parameters: { low: 5, high: 2 } }),
    'steps[0].assert: High must be above low.\nsteps[2].repeat.steps[0].assert: too far',
  )
  assert.is(issuesOf(steps, { rest, parameters: { low: 1, high: 2 } }), 'steps[2].repeat.steps[0].assert: too far')
})

test('parts, signals and actions exist and can do what is asked', () => {
  const cases: [string, RegExp][] = [
    ['set: { lamp.on: true }', /^steps\[0\]\.set\.lamp\.on: the bench has no part lamp$/],
    ['set: { supply.voltag: 1 }', /part supply \(psu-1\) has no signal voltag; did you mean "voltage"\?/],
    ['set: { meter.voltage: 1 }', /meter\.voltage cannot be set/],
    ['read: { signals: [supply.mode] }', /steps\[0\]\.read\.signals\[0\]: supply\.mode cannot be read/],
    ['record: { signals: [meter.label], rate: 1, stream: s, for: 1 }', /cannot be recorded/],
    ['call: { action: supply.explode }', /has no action explode/],
    ['ramp: { signal: supply.output, to: 1, over: 1 }', /only numbers ramp/],
  ]
  for (const [step, message] of cases) assert.match(issuesOf(`  - ${step}`), message, step)
})

test('units and types fit', () => {
  const cases: [string, RegExp][] = [
    ['set: { supply.voltage: 5 s }', /steps\[0\]\.set\.supply\.voltage: s is a time, not a voltage \(V\)/],
    ['set: { supply.voltage: seconds }', /s is a time, not a voltage/],
    ['set: { supply.voltage: true }', /must be a number in V/],
    ['set: { supply.output: 1 }', /must be true or false/],
    ['set: { supply.mode: 1 }', /write \{text: …\}/],
    ['wait: 5 V', /V is a voltage, not a time/],
    ['ramp: { signal: supply.voltage, to: 5 V, rate: 1 V }', /not a voltage rate/],
    ['record: { signals: [meter.voltage], rate: 5 s, stream: s, for: 1 }', /s is a time, not a frequency/],
    [
      'sweep: { variable: v, unit: V, from: 1 s, to: 2 V, points: 2, steps: [{ wait: 1 }] }',
      /sweep\.from: s is a time/,
    ],
    ['call: { action: supply.selftest, arguments: { level: 5 s } }', /arguments\.level: s is a time/],
    ['call: { action: supply.selftest }', /arguments\.level: is missing/],
    ['call: { action: supply.selftest, arguments: { level: 1, volume: 11 } }', /no argument volume/],
  ]
  const rest = 'parameters: { seconds: { type: number, unit: s, default: 1 } }'
  for (const [step, message] of cases) assert.match(issuesOf(`  - ${step}`, { rest }), message, step)
})

test('arguments that are known beforehand are within what the action allows', () => {
  const call = (depth: string) =>
    issuesOf(`  - call: { action: supply.selftest, arguments: { level: 1, depth: ${depth} } }`)
  assert.is(call('3'), '')
  assert.match(call('12'), /^steps\[0\]\.call\.arguments\.depth: 12 is above the limit of 9$/)
  assert.match(call('1.5'), /depth: must be a whole number/)
  const loop = (last: number) =>
    issuesOf(
      `  - sweep: { variable: d, from: 1, to: ${last}, points: ${last}, steps: [{ call: { action: supply.selftest, arguments: { level: 1, depth: d } } }] }`,
    )
  assert.is(loop(9), '')
  assert.match(loop(10), /depth: 10 is above the limit of 9/)
  assert.is(
    issuesOf(
      '  - read: { signals: [meter.voltage] }\n  - call: { action: supply.selftest, arguments: { level: meter.voltage } }',
    ),
    '',
  )
})

test('outputs are in units that their columns can give', () => {
  const read = '  - read: { signals: [meter.voltage] }'
  const output = (unit: string, from: string) => ({ rest: `outputs: { x: { title: X, unit: '${unit}', ${from} } }` })
  assert.match(
    issuesOf(read, output('s', 'reading: { signal: meter.voltage }')),
    /outputs\.x\.unit: s is a time, but what is computed is a voltage/,
  )
  assert.match(
    issuesOf(read, output('V', 'fit: { model: exponential, x: time, y: meter.voltage, value: tau }')),
    /a time \(s\)/,
  )
  assert.is(issuesOf(read, output('ms', 'fit: { model: exponential, x: time, y: meter.voltage, value: tau }')), '')
  assert.is(issuesOf(read, output('kHz', 'fit: { model: sine, x: time, y: meter.voltage, value: frequency }')), '')
  assert.is(issuesOf(read, output('mV/s', 'fit: { model: linear, x: time, y: meter.voltage, value: slope }')), '')
})

test('values are within the limits of signal, lab and bench', () => {
  assert.is(issuesOf('  - set: { supply.voltage: 31 }'), 'steps[0].set.supply.voltage: 31 V is above the limit of 30 V')
  assert.is(
    issuesOf('  - set: { supply.voltage: -1 mV }'),
    'steps[0].set.supply.voltage: -0.001 V is below the limit of 0 V',
  )
  const limits = { 'supply.voltage': { high: 5 } }
  assert.is(
    issuesOf('  - set: { supply.voltage: 12 }', { limits }),
    'steps[0].set.supply.voltage: 12 V is above the limit of 5 V',
  )
  assert.match(
    issuesOf('  - ramp: { signal: supply.voltage, from: 1, to: 6, over: 1 }', { limits }),
    /ramp\.to: 6 V is above/,
  )
  assert.match(
    issuesOf('  - parallel: [[{ wait: 1 }], [{ set: { supply.voltage: 9 } }]]', { limits }),
    /parallel\[1\]\[0\]\.set/,
  )
})

test('values that depend on parameters are checked with the parameters given', () => {
  const set = '  - set: { supply.voltage: 2 * level }'
  assert.is(issuesOf(set, { rest: level, parameters: { level: 15 } }), '')
  assert.match(issuesOf(set, { rest: level, parameters: { level: 15.1 } }), /30\.2 V is above the limit of 30 V/)
  assert.match(
    issuesOf('  - set: { supply.voltage: level / (level - 1) }', { rest: level }),
    /not a finite number \(level = 1\)/,
  )
  assert.is(issuesOf('  - set: { supply.voltage: 99 * meter.voltage }'), '', 'readings are left to the node')
})

test('values that depend on loop variables are checked in every turn', () => {
  const sweep = (values: string, set: string) =>
    `  - sweep:\n      variable: v\n      ${values}\n      steps: [{ set: { supply.voltage: ${set} } }]`
  assert.match(issuesOf(sweep('values: [1, 31, 2]', 'v')), /sweep\.steps\[0\]\.set\.supply\.voltage: 31 V is above/)
  assert.match(
    issuesOf(sweep('{ from: 0, to: 10, points: 101 }'.slice(2, -2).replaceAll(', ', '\n      '), '40 - (v - 5) ** 2')),
    /above the limit/,
  )
  assert.is(issuesOf(sweep('values: [1, 2]', 'v * v - v')), '', 'no interval arithmetic: 1·1−2 never happens')
  const nested = `
  - sweep:
      variable: a
      from: 0
      to: 20
      points: 1000
      steps:
        - sweep:
            variable: b
            from: 0
            to: 20
            points: 1000
            steps: [{ set: { supply.voltage: a + b } }]`
  assert.match(issuesOf(nested), /40 V is above|V is above the limit of 30 V/)
})

test('a sweep of 10⁹ points is refused at once, without running it', () => {
  const sweep = (points: number, body: string) =>
    `  - sweep: { variable: v, from: 0, to: 1, points: ${points}, steps: [${body}] }`
  const start = cpuMs()
  assert.match(
    issuesOf(sweep(1e9, '{ read: { signals: [meter.voltage] } }')),
    /would read 1,000,000,000 points, and 1,000,000 is the most/,
  )
  assert.match(issuesOf(sweep(1e9, '{ set: { supply.voltage: v } }')), /1,000,000,000 steps|would take/)
  assert.match(issuesOf(sweep(1e9, '{ repeat: { times: floor(1 + v), steps: [{ wait: v }] } }')), /would take/)
  const inner = '{ repeat: { times: 1000, steps: [{ read: { signals: [meter.voltage] } }] } }'
  assert.match(issuesOf(sweep(1001, inner)), /would read 1,001,000 points/)
  const took = cpuMs() - start
  assert.ok(took < 1000, `took ${took} ms`)
})

test('time, samples and rates are bounded', () => {
  assert.match(issuesOf('  - wait: 25 h'), /would take 25 h, and 24 h is the most/)
  assert.match(issuesOf('  - wait: -1'), /must not be negative/)
  assert.match(
    issuesOf('  - record: { signals: [meter.voltage], rate: 60, stream: s, for: 1 }'),
    /record\.rate: 60 Hz is above the fastest rate of meter\.voltage, 50 Hz/,
  )
  assert.match(
    issuesOf('  - record: { signals: [supply.voltage], rate: 1 MHz, stream: s, for: 1 h }'),
    /would record 3,600,000,000 samples/,
  )
  assert.match(
    issuesOf('  - record: { signals: [meter.voltage], rate: 0, stream: s, for: 1 }'),
    /rate must be above zero|must be above zero/,
  )
  assert.match(issuesOf('  - repeat: { times: 1.5, steps: [{ wait: 1 }] }'), /must be a whole number/)
})

test('parts that the protocol itself requires are looked for', () => {
  const rest = 'parts: { lamp: { signals: {} }, meter: { signals: { voltage: { unit: A, access: read-set } } } }'
  const text = issuesOf('  - wait: 1', { rest })
  assert.match(text, /parts\.lamp: the bench has no part lamp/)
  assert.match(text, /dmm-1\.voltage is in V, not in A/)
  assert.match(text, /cannot be both set and read/)
})

test.run()
