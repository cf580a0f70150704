import { protocolDigest } from '@fernlab/shared/protocol/digest'
import { parseProtocol } from '@fernlab/shared/protocol/parse'
import { protocolSchema } from '@fernlab/shared/protocol/protocol-schema'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { cpuMs } from '../../support/cpu-time.ts'
import { cases } from '../../support/long.ts'
import { suite } from '../../support/suite.ts'
import { mustParse, withSteps } from './bench.ts'

const test = suite('reading protocol files')

/** Issues as `line:column path: message`. */
const issuesOf = (text: string): string[] =>
  parseProtocol(text, { file: 'p.yaml' }).issues.map(({ file, line, column, path, message }) => {
    assert.is(file, 'p.yaml')
    return `${line}:${column} ${path}: ${message}`
  })

const only = (text: string): string => {
  const issues = issuesOf(text)
  assert.is(issues.length, 1, issues.join('\n'))
  return issues[0] as string
}

const FULL = `
title: { en: Everything, es: Todo }
version: 3
restart: safe
parameters:
  level: { type: number, unit: mV, minimum: 0, maximum: 5000, default: 1000 }
  count: { type: integer, default: 3 }
steps:
  - label: on
    set: { supply.voltage: level, supply.output: true, supply.mode: { text: CV } }
  - ramp: { signal: supply.voltage, to: 5 V, rate: 1 V/s }
  - wait: 200 ms
  - sweep:
      variable: v
      from: 0 V
      to: 1 V
      points: count
      steps:
        - set: { supply.voltage: v }
        - read: { signals: [meter.voltage], derive: { ratio: { value: meter.voltage / v, unit: '1' } } }
  - record: { signals: [meter.voltage], rate: 10, stream: trace, for: 2 s, steps: [{ wait: 1 }] }
  - repeat: { times: 2, variable: turn, steps: [{ read: { signals: [meter.current], stream: turns } }] }
  - until: { condition: mean(meter.voltage) > 1, within: 5 s, every: 100 ms, steps: [{ wait: 0 }] }
  - parallel: [[{ wait: 1 }], [{ wait: 2 }]]
  - call: { action: supply.selftest, arguments: { level: 2 V }, within: 10 s }
  - assert: { condition: meter.voltage < 10, message: too high }
outputs:
  last: { title: Last, unit: V, reading: { signal: meter.voltage } }
  average: { title: Mean, unit: V, statistic: { stream: trace, signal: meter.voltage, kind: mean } }
  tau: { title: Tau, unit: s, fit: { model: exponential, stream: trace, x: time, y: meter.voltage, value: tau } }
plots:
  - { title: Trace, stream: trace, y: [meter.voltage], fit: tau }
`

test('reads every kind of step, with units carried by names and quantities', () => {
  const protocol = mustParse(FULL)
  assert.equal(
    protocol.steps.map(({ kind }) => kind),
    ['set', 'ramp', 'wait', 'sweep', 'record', 'repeat', 'until', 'parallel', 'call', 'assert'],
  )
  assert.equal(protocol.steps[0], {
    kind: 'set',
    label: 'on',
    values: { 'supply.voltage': { value: 'level', unit: 'mV' }, 'supply.output': true, 'supply.mode': { text: 'CV' } },
  })
  assert.equal(protocol.steps[2], { kind: 'wait', duration: { value: 200, unit: 'ms' } })
  const sweep = protocol.steps[3]
  assert.is(sweep?.kind === 'sweep' ? sweep.unit : '', 'V')
  assert.equal(sweep?.kind === 'sweep' ? sweep.steps[0] : '', {
    kind: 'set',
    values: { 'supply.voltage': { value: 'v', unit: 'V' } },
  })
  assert.equal(protocol.plots[0], {
    title: 'Trace',
    stream: 'trace',
    x: 'time',
    y: ['meter.voltage'],
    kind: 'line',
    xScale: 'linear',
    yScale: 'linear',
    fit: 'tau',
  })
})

test('the digest sees meaning, not spelling', async () => {
  const other = FULL.replace('wait: 200 ms', 'wait: { unit: ms, value: 200 }').replace('# nothing', '')
  assert.is(await protocolDigest(mustParse(FULL)), await protocolDigest(mustParse(other)))
  const changed = FULL.replace('wait: 200 ms', 'wait: 201 ms')
  assert.is.not(await protocolDigest(mustParse(FULL)), await protocolDigest(mustParse(changed)))
  assert.match(await protocolDigest(mustParse(FULL)), /^[0-9a-f]{64}$/)
})

test('a protocol survives JSON, and a damaged one is refused by its schema', () => {
  const protocol = mustParse(FULL)
  const copy = JSON.parse(JSON.stringify(protocol))
  assert.equal(copy, protocol)
  assert.equal(protocolSchema.parse(copy), protocol)
  const { steps, ...rest } = copy
  assert.not(protocolSchema.safeParse(rest).success)
  assert.not(protocolSchema.safeParse({ ...copy, steps: [{ kind: 'explode' }] }).success)
  assert.not(protocolSchema.safeParse({ ...copy, steps: [...steps, { kind: 'wait', duration: 'x' }] }).success)
  assert.not(protocolSchema.safeParse({ ...copy, outputs: { x: { title: 'X', unit: 'V', from: {} } } }).success)
})

test('an unknown step is named with the nearest known one', () => {
  assert.is(
    only(withSteps('  - sett: { supply.voltage: 1 }')),
    '5:5 steps[0].sett: unknown step "sett"; did you mean "set"?',
  )
  assert.match(
    only(withSteps('  - wait: 1\n    read: { signals: [a.b] }')),
    /has wait and read: each step does one thing/,
  )
  assert.match(only(withSteps('  - 5')), /must be a step such as/)
  assert.match(only(withSteps('  - {}')), /is an empty step/)
})

test('an unknown key is named with the nearest known one', () => {
  assert.is(
    only(withSteps('  - read:\n      signals: [meter.voltage]\n      streem: x')),
    '7:15 steps[0].read.streem: unknown key "streem"; did you mean "stream"?',
  )
  assert.match(
    only('titel: x\ntitle: y\nversion: 1\nsteps: [{ wait: 1 }]'),
    /1:8 titel: unknown key "titel"; did you mean "title"/,
  )
})

test('several mistakes are told at once', () => {
  const text = withSteps('  - repeat:\n      times: 2\n      stepz: 1\n      steps:\n        - wiat: 1\n  - reed: {}')
  const issues = issuesOf(text)
  assert.is(issues.length, 3, issues.join('\n'))
})

test('a cycle by YAML alias is refused', () => {
  assert.match(
    only(withSteps('  - &loop\n    repeat: { times: 2, steps: [*loop] }')),
    /\*loop: aliases are not allowed/,
  )
})

test('a YAML bomb is refused quickly', () => {
  let bomb = 'a0: &a0 [x, x, x, x, x, x, x, x, x]\n'
  for (let i = 1; i < 20; i++) bomb += `a${i}: &a${i} [${`*a${i - 1}, `.repeat(9)}]\n`
  quickly(() => assert.match(issuesOf(bomb)[0] as string, /aliases are not allowed/))
  quickly(() => assert.match(only('['.repeat(200_000)), /nests deeper/))
  quickly(() => assert.match(only('- '.repeat(100_000)), /nests deeper/))
  quickly(() => assert.match(only(`x: "${'y'.repeat(300_000)}"`), /larger than 256 kB/))
  const deep = Array.from({ length: 400 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')
  quickly(() => assert.match(only(deep), /nests deeper/))
})

test('a duplicate key is refused with its place', () => {
  assert.is(
    only('title: x\nversion: 1\ntitle: y\nsteps: [{ wait: 1 }]'),
    '3:1 : the key title stands twice in one mapping',
  )
})

test('tags, several documents and syntax errors are refused with their place', () => {
  assert.match(only('title: !!js/function x'), /tags are not allowed/)
  assert.match(only('title: x\n---\ntitle: y'), /more than one document/)
  assert.match(issuesOf('title: [x')[0] as string, /^1:\d+ : /)
  assert.match(only(''), /the file is empty/)
  assert.match(only('- 1'), /must be a mapping/)
  assert.match(issuesOf('__proto__: { steps: [] }')[0] as string, /a key must be plain text/)
})

test('names are known, unreserved and not used twice', () => {
  assert.match(
    only(withSteps('  - wait: settel', 'parameters: { settle: { type: number, default: 1 } }')),
    /uses settel, which is not known here; did you mean "settle"/,
  )
  assert.match(
    only(withSteps('  - wait: 1', 'parameters: { pi: { type: number, default: 1 } }')),
    /pi has a meaning in expressions/,
  )
  const nested =
    '  - sweep:\n      variable: v\n      values: [1]\n      steps: [{ sweep: { variable: v, values: [1], steps: [{ wait: v }] } }]'
  assert.match(only(withSteps(nested)), /v is the name of a variable or parameter already/)
  const after = '  - sweep: { variable: v, values: [1], steps: [{ wait: v }] }\n  - wait: v'
  assert.match(only(withSteps(after)), /steps\[1\]\.wait: "v" uses v, which is not known here/)
})

test('expressions that never end or nest too deep do not parse', () => {
  assert.match(only(withSteps('  - wait: "while (true) 1"')), /cannot be read|not one expression/)
  assert.match(only(withSteps(`  - wait: "${'('.repeat(400)}1${')'.repeat(400)}-"`)), /steps\[0\]\.wait/)
  const deep = `${'[{ repeat: { times: 1, steps: '.repeat(17)}[{ wait: 1 }]${' } }]'.repeat(17)}`
  assert.ok(issuesOf(`title: x\nversion: 1\nsteps: ${deep}`).some((issue) => /steps nest deeper than 16/.test(issue)))
})

test('steps that make no sense are refused', () => {
  const cases: [string, RegExp][] = [
    ['  - ramp: { signal: supply.voltage, to: 1 }', /needs one of rate and over/],
    ['  - ramp: { signal: supply.voltage, to: 1, rate: 1, over: 2 }', /needs one of rate and over/],
    ['  - ramp: { signal: supply.voltage, from: 0, to: 1 V, over: 2 }', /give both from and to a unit/],
    ['  - record: { signals: [meter.voltage], rate: 1, stream: s }', /needs for, steps, or both/],
    ['  - sweep: { variable: v, from: 1, to: 2, steps: [{ wait: 1 }] }', /needs from, to and points, or values/],
    ['  - sweep: { variable: v, from: 1, to: 2, points: 3, values: [1], steps: [{ wait: 1 }] }', /has values as well/],
    [
      '  - sweep: { variable: v, from: -1, to: 2, points: 3, spacing: logarithmic, steps: [{ wait: 1 }] }',
      /same side of zero/,
    ],
    [
      '  - sweep: { variable: v, from: 1, to: 2, points: meter.voltage, steps: [{ wait: 1 }] }',
      /must not depend on readings/,
    ],
    ['  - repeat: { times: 2, steps: [] }', /./],
    ['  - set: { voltage: 1 }', /must be part\.signal/],
    ['  - set: {}', /sets nothing/],
    ['  - wait: .nan', /must be a number, an expression/],
    ['  - wait: .inf', /must be a number, an expression/],
    ['  - wait: mean(meter.voltage)', /no record step records it/],
  ]
  for (const [steps, message] of cases) assert.match(only(withSteps(steps)), message, steps)
})

test('one stream has one set of columns', () => {
  const text = withSteps('  - read: { signals: [meter.voltage] }\n  - read: { signals: [meter.current] }')
  assert.match(
    only(text),
    /steps\[1\]\.read: fills stream primary with meter\.current, but another step fills it with meter\.voltage/,
  )
})

test('outputs and plots look at what there is', () => {
  const steps = '  - read: { signals: [meter.voltage] }'
  const cases: [string, RegExp][] = [
    [
      'outputs: { x: { title: X, unit: V, reading: { stream: primry, signal: meter.voltage } } }',
      /did you mean "primary"/,
    ],
    [
      'outputs: { x: { title: X, unit: V, reading: { signal: meter.voltag } } }',
      /no column meter\.voltag; did you mean "meter\.voltage"/,
    ],
    [
      'outputs: { x: { title: X, unit: V, statistic: { signal: meter.current, kind: mean } } }',
      /no column meter\.current/,
    ],
    [
      'outputs: { x: { title: X, unit: Hz, statistic: { signal: meter.voltage, kind: crossing-rate } } }',
      /needs a threshold/,
    ],
    ['outputs: { x: { title: X, unit: V } }', /needs one of reading, statistic and fit/],
    [
      'outputs: { x: { title: X, unit: V, fit: { model: linear, x: time, y: meter.voltage, value: tau } } }',
      /uses tau, which is not known here/,
    ],
    ['outputs: { x: { title: X, unit: volt, reading: { signal: meter.voltage } } }', /unknown unit "volt"/],
    ['plots: [{ title: P, y: [meter.current] }]', /no column meter\.current/],
    ['plots: [{ title: P, y: [meter.voltage], fit: tau }]', /no output tau is a fit/],
  ]
  for (const [rest, message] of cases) assert.match(only(withSteps(steps, rest)), message, rest)
})

test('parameters are declared soundly', () => {
  const cases: [string, RegExp][] = [
    ['{ type: number, minimum: 5, maximum: 1 }', /minimum 5 is above maximum 1/],
    ['{ type: number, maximum: 5, default: 12, unit: V }', /p\.default: 12 V is above the limit of 5 V/],
    ['{ type: string, minimum: 5 }', /is for numbers/],
    ['{ type: number, pattern: x }', /is for texts only/],
    ["{ type: string, pattern: '(?=x)' }", /p\.pattern: /],
    ["{ type: string, pattern: '(a' }", /p\.pattern: /],
    ['{ type: string, enum: [1] }', /choice 1: must be text/],
    ['{ type: number, unit: volts }', /unknown unit/],
    ['{ type: complex }', /must be "number" or "integer"/],
  ]
  for (const [spec, message] of cases)
    assert.match(only(withSteps('  - wait: 1', `parameters: { p: ${spec} }`)), message, spec)
})

test('property: no text makes the parser throw or hang', () => {
  const line = fc.constantFrom(
    'steps:',
    '  - wait: 1',
    '  - set:',
    '      a.b: 1',
    'title: x',
    'version: 1',
    '  - repeat: {',
    '}',
    '[',
    '- &a',
    '*a',
    '? x',
    '"',
    '|',
    '\t',
    '%YAML 1.1',
    '&!',
    '~',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(line, fc.string({ maxLength: 20 })), { maxLength: 20 }), (lines) => {
      const { protocol, issues } = parseProtocol(lines.join('\n'))
      assert.is(protocol === undefined, issues.length > 0)
    }),
    { numRuns: cases(500) },
  )
})

function quickly(act: () => void): void {
  const start = cpuMs()
  act()
  const took = cpuMs() - start
  assert.ok(took < 1000, `took ${took} ms`)
}

test.run()
