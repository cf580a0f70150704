import { LabError } from '@fernlab/shared/primitives/lab-error'
import { createEnvironment, type Environment } from '@fernlab/shared/protocol/environment'
import { estimate, sizeOf } from '@fernlab/shared/protocol/estimate'
import { expand, type Instruction, type Instructions, sampleCount } from '@fernlab/shared/protocol/expand'
import { MAX_INSTRUCTIONS, type Protocol, type Step } from '@fernlab/shared/protocol/protocol'
import { createRecordStatistics } from '@fernlab/shared/protocol/record-statistics'
import { describeStreams } from '@fernlab/shared/protocol/streams'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { cpuMs } from '../../support/cpu-time.ts'
import { cases } from '../../support/long.ts'
import { suite } from '../../support/suite.ts'
import { mustParse, parts, withSteps } from './bench.ts'

const test = suite('expanding and estimating', { timeoutMs: 30_000 })

const all = (protocol: Protocol, parameters = {}, environment: Environment = createEnvironment()): Instruction[] => [
  ...expand(protocol, parameters, environment),
]

/** Runs instructions in ideal time, without delays of instruments: seconds, rows per stream, instructions. */
function perform(instructions: Instructions): { seconds: number; rows: Record<string, number>; points: number } {
  const total = { seconds: 0, rows: {} as Record<string, number>, points: 0 }
  const count = (stream: string, rows: number) => {
    total.rows[stream] = (total.rows[stream] ?? 0) + rows
  }
  const include = (inner: ReturnType<typeof perform>) => {
    for (const [stream, rows] of Object.entries(inner.rows)) count(stream, rows)
    total.points += inner.points
  }
  for (const step of instructions) {
    if (step.op === 'wait') total.seconds += step.seconds
    else if (step.op === 'ramp') total.seconds += step.overS ?? Math.abs(step.to - (step.from ?? 0)) / (step.rate ?? 1)
    else if (step.op === 'read') {
      count(step.stream, 1)
      total.points += 1
    } else if (step.op === 'record') {
      const body = step.body === undefined ? undefined : perform(step.body)
      if (body !== undefined) include(body)
      const seconds = Math.max(step.forS ?? 0, body?.seconds ?? 0)
      count(step.stream, sampleCount(seconds, step.rateHz))
      total.seconds += seconds
    } else if (step.op === 'deadline') {
      const body = perform(step.body)
      include(body)
      total.seconds += body.seconds
    } else if (step.op === 'parallel') {
      const branches = step.branches.map(perform)
      branches.forEach(include)
      total.seconds += Math.max(0, ...branches.map(({ seconds }) => seconds))
    }
  }
  return total
}

const variables = ['u', 'v', 'w', 'x', 'y', 'z']
const amount = (depth: number, scale: number) =>
  depth === 0
    ? fc.integer({ min: 0, max: 4 }).map((n) => n * scale)
    : fc.oneof(
        fc.integer({ min: 0, max: 4 }).map((n) => n * scale),
        fc.integer({ min: 0, max: depth - 1 }).map((i) => ({ value: `abs(${variables[i]}) * ${scale}` })),
      )

/** Steps whose streams carry the depth in their names, so that each has one set of columns. */
const stepsAt = (depth: number): fc.Arbitrary<Step[]> => {
  const leaf: fc.Arbitrary<Step> = fc.oneof(
    amount(depth, 0.5).map((duration): Step => ({ kind: 'wait', duration })),
    fc.constant<Step>({ kind: 'set', values: { 'supply.voltage': 1 } }),
    fc.constant<Step>({ kind: 'read', signals: ['meter.voltage'], stream: `read${depth}`, derive: {} }),
    amount(depth, 1).map(
      (duration): Step => ({
        kind: 'record',
        signals: ['meter.voltage'],
        rate: 8,
        stream: `record${depth}`,
        for: duration,
      }),
    ),
    amount(depth, 2).map((to): Step => ({ kind: 'ramp', signal: 'supply.voltage', from: 0, to, rate: 4 })),
  )
  if (depth >= 3) return fc.array(leaf, { minLength: 1, maxLength: 3 })
  const inner = stepsAt(depth + 1)
  const variable = variables[depth] as string
  const block: fc.Arbitrary<Step> = fc.oneof(
    fc.tuple(fc.integer({ min: 1, max: 4 }), inner).map(
      ([points, steps]): Step => ({
        kind: 'sweep',
        variable,
        over: { from: 1, to: 4, points, spacing: 'linear' },
        steps,
      }),
    ),
    fc.tuple(amount(depth, 1), inner).map(
      ([times, steps]): Step => ({
        kind: 'repeat',
        times: typeof times === 'number' ? times : { value: `round(${times.value})` },
        variable,
        steps,
      }),
    ),
    fc.tuple(inner, inner).map(
      ([a, b]): Step => ({
        kind: 'sweep',
        variable,
        over: { values: [2, 1] },
        steps: [{ kind: 'parallel', branches: [a, b] }],
      }),
    ),
    fc
      .tuple(inner, inner)
      .map(([a, b]): Step => ({ kind: 'sweep', variable, over: { values: [1, 2] }, steps: [...a, ...b] })),
  )
  return fc.array(fc.oneof(leaf, block), { minLength: 1, maxLength: 3 })
}

const protocolOf = (steps: readonly Step[]): Protocol => ({
  title: 'x',
  version: 1,
  restart: 'never',
  parameters: {},
  steps,
  outputs: {},
  plots: [],
})

test('property: an exact estimate is what the expansion does', () => {
  fc.assert(
    fc.property(stepsAt(0), (steps) => {
      const protocol = protocolOf(steps)
      const guess = estimate(protocol, {})
      const done = perform(expand(protocol, {}, createEnvironment()))
      assert.ok(guess.exact)
      assert.is(guess.points, done.points)
      assert.equal(
        Object.fromEntries(Object.entries(guess.rows).filter(([, rows]) => rows > 0)),
        Object.fromEntries(Object.entries(done.rows).filter(([, rows]) => rows > 0)),
      )
      assert.ok(
        Math.abs(guess.seconds - done.seconds) <= 1e-9 * Math.max(1, done.seconds),
        `${guess.seconds} ${done.seconds}`,
      )
    }),
    { numRuns: cases(150) },
  )
})

test('property: a run has the parameters that it was given', () => {
  const protocol = mustParse(
    withSteps(
      '  - sweep: { variable: v, from: low, to: high, points: n, steps: [{ wait: pause }, { read: { signals: [meter.voltage] } }] }',
      'parameters: { low: { type: number, unit: V }, high: { type: number, unit: mV }, n: { type: integer }, pause: { type: number, unit: ms } }',
    ),
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 500 }), (n, pause) => {
      const parameters = { low: 1, high: 4000, n, pause }
      const guess = estimate(protocol, parameters)
      const steps = all(protocol, parameters)
      const rows = steps.filter((step) => step.op === 'read')
      assert.is(guess.points, rows.length)
      assert.ok(guess.exact)
      assert.ok(Math.abs(guess.seconds - (n * pause) / 1000) < 1e-9)
      assert.is(rows[0]?.variables.v, 1)
      if (n > 1) assert.is(rows.at(-1)?.variables.v, 4, 'the unit of the sweep is that of its start')
    }),
  )
})

test('instructions carry path, label, value and unit', () => {
  const protocol = mustParse(
    withSteps(
      `
  - label: outer
    sweep:
      variable: f
      from: 10 Hz
      to: 1 kHz
      points: 3
      spacing: logarithmic
      steps:
        - set: { supply.voltage: f / 100 }
        - label: inner
          wait: 1 / f
        - ramp: { signal: supply.voltage, from: 0 V, to: 500 mV, rate: 1 V/s }
        - call: { action: supply.selftest, arguments: { level: 2 V, depth: 3 } }`,
    ),
  )
  const steps = all(protocol)
  assert.is(steps.length, 12)
  assert.equal(steps[0], {
    op: 'set',
    path: 'steps[0].sweep.steps[0].set',
    label: 'outer',
    assignments: [{ part: 'supply', signal: 'voltage', value: 0.1 }],
  })
  assert.equal(steps[5], { op: 'wait', path: 'steps[0].sweep.steps[1].wait', label: 'inner', seconds: 0.01 })
  assert.equal(steps[2], {
    op: 'ramp',
    path: 'steps[0].sweep.steps[2].ramp',
    label: 'outer',
    part: 'supply',
    signal: 'voltage',
    from: 0,
    to: 500,
    unit: 'mV',
    rate: 1000,
  })
  const { args, units } = steps[3] as Extract<Instruction, { op: 'call' }>
  assert.equal([args, units], [{ level: 2, depth: 3 }, { level: 'V' }])
})

test('expressions see what was observed when their step comes up', () => {
  const protocol = mustParse(
    withSteps(`
  - read: { signals: [meter.voltage], derive: { double: { value: 2 * meter.voltage, unit: V } } }
  - record: { signals: [meter.current], rate: 10, stream: s, for: 1 }
  - wait: meter.voltage + mean(meter.current)`),
  )
  const environment = createEnvironment()
  const steps = expand(protocol, {}, environment)
  const read = steps.next().value as Extract<Instruction, { op: 'read' }>
  assert.throws(() => read.derived[0]?.compute(), /has not been read yet/)
  environment.observe('meter.voltage', 3, 0)
  assert.is(read.derived[0]?.compute(), 6)
  steps.next()
  const statistics = createRecordStatistics()
  statistics.page(3, [0, 1, 2], { 'meter.current': [1, 2, 3] })
  environment.observeRecord(statistics)
  assert.is((steps.next().value as Extract<Instruction, { op: 'wait' }>).seconds, 5)
})

test('until goes on until its condition holds, pausing each time', () => {
  const protocol = mustParse(
    withSteps(
      '  - until: { condition: meter.voltage > 2, within: 5 s, otherwise: continue, steps: [{ read: { signals: [meter.voltage] } }] }',
    ),
  )
  const environment = createEnvironment()
  const [deadline] = all(protocol, {}, environment) as [Extract<Instruction, { op: 'deadline' }>]
  assert.is(deadline.seconds, 5)
  assert.is(deadline.onExpiry, 'continue')
  const seen: string[] = []
  let voltage = 0
  for (const step of deadline.body) {
    seen.push(step.op === 'wait' ? `wait ${step.seconds}` : step.op)
    if (step.op === 'read') environment.observe('meter.voltage', ++voltage, 0)
  }
  assert.equal(seen, ['read', 'wait 0.01', 'read', 'wait 0.01', 'read'])
})

test('assert stops a run with its message', () => {
  const protocol = mustParse(
    withSteps('  - assert: { condition: meter.voltage < 2, message: { en: too high, es: muy alto } }\n  - wait: 1'),
  )
  const environment = createEnvironment()
  environment.observe('meter.voltage', 5, 0)
  const first = expand(protocol, {}, environment).next().value as Extract<Instruction, { op: 'fail' }>
  assert.is(first.op, 'fail')
  assert.is(first.error.code, 'assertion-failed')
  assert.is(first.error.studentMessage, 'too high')
  environment.observe('meter.voltage', 1, 0)
  assert.is(all(protocol, {}, environment)[0]?.op, 'wait')
})

test('a failing expression throws a LabError that names it', () => {
  const protocol = mustParse(withSteps('  - wait: 1 / (n - 1)', 'parameters: { n: { type: number, default: 1 } }'))
  try {
    all(protocol, { n: 1 })
    assert.unreachable()
  } catch (error) {
    assert.instance(error, LabError)
    assert.match((error as LabError).message, /"1 \/ \(n - 1\)" is not a finite number \(n = 1\)/)
  }
})

test('nothing runs for ever, and the engine gets its turn in between', () => {
  const endless = mustParse(
    withSteps(
      '  - until: { condition: meter.voltage > 2, within: 1 h, steps: [{ assert: { condition: "1 < 2", message: x } }] }',
    ),
  )
  const environment = createEnvironment()
  environment.observe('meter.voltage', 0, 0)
  const [deadline] = all(endless, {}, environment) as [Extract<Instruction, { op: 'deadline' }>]
  let turns = 0
  for (const step of deadline.body) {
    assert.is(step.op, 'wait')
    if (++turns === 1000) break
  }
  const silent = mustParse(
    withSteps(
      '  - repeat: { times: 3000, steps: [{ repeat: { times: 3000, steps: [{ assert: { condition: "1 < 2", message: x } }] } }] }',
    ),
  )
  let given = 0
  try {
    for (const _ of expand(silent, {}, createEnvironment())) given += 1
    assert.unreachable()
  } catch (error) {
    assert.is((error as LabError).code, 'too-many-steps')
  }
  assert.ok(given >= MAX_INSTRUCTIONS / 1001 - 1, `${given}`)
})

test('steps that ask a record give the engine its turn more often', () => {
  const asking = mustParse(
    withSteps(`  - record: { signals: [meter.voltage], rate: 1, stream: s, for: 1 }
  - repeat: { times: 600, steps: [{ assert: { condition: "count(meter.voltage) == 3", message: x } }] }`),
  )
  const environment = createEnvironment()
  const statistics = createRecordStatistics()
  statistics.page(3, [0, 1, 2], { 'meter.voltage': [1, 2, 3] })
  environment.observeRecord(statistics)
  const waits = all(asking, {}, environment).filter(({ op }) => op === 'wait')
  assert.ok(waits.length >= 90, `${waits.length}`)
})

test('an estimate counts what instruments take', () => {
  const protocol = mustParse(
    withSteps(
      '  - repeat: { times: 10, steps: [{ set: { supply.voltage: 1 } }, { read: { signals: [meter.voltage, meter.current, supply.voltage] } }] }',
    ),
  )
  assert.is(estimate(protocol, {}).seconds, 0)
  assert.ok(Math.abs(estimate(protocol, {}, { parts }).seconds - 10 * (0.02 + 0.05 + 0.2)) < 1e-9)
})

test('an estimate counts how often a signal may be set', () => {
  const protocol = mustParse(
    withSteps(
      '  - repeat: { times: 10, steps: [{ set: { supply.voltage: 1 } }] }\n  - ramp: { signal: supply.voltage, from: 0, to: 1, over: 3 s }',
    ),
  )
  const [supply, ...others] = Object.values(parts)
  const signals = supply?.signals.map((signal) => ({ ...signal, minSetIntervalS: 2 })) ?? []
  const slow = { ...parts, supply: { ...supply, signals } as (typeof others)[number] }
  const { seconds, exact } = estimate(protocol, {}, { parts: slow })
  assert.equal([seconds, exact], [10 * 2 + 3 + 2, false])
})

test('a record lasts as long as its steps, or as it says if that is longer', () => {
  const record = (more: string) =>
    mustParse(withSteps(`  - record: { signals: [meter.voltage], rate: 4, stream: s, ${more} }\n  - wait: 1`))
  for (const [more, seconds, exact] of [
    ['for: 2 s', 2, true],
    ['steps: [{ wait: 3 }]', 3, false],
    ['for: 2 s, steps: [{ wait: 3 }]', 3, false],
    ['for: 5 s, steps: [{ wait: 3 }]', 5, false],
  ] as const) {
    const guess = estimate(record(more), {})
    assert.equal(
      [guess.seconds, guess.rows.s, guess.samples, guess.exact],
      [seconds + 1, seconds * 4, seconds * 4, exact],
      more,
    )
    assert.equal(perform(expand(record(more), {}, createEnvironment())).rows, { s: seconds * 4 })
  }
})

test('the least of an estimate is a run whose conditions come true at once', () => {
  const steps = [
    '  - until: { condition: meter.voltage < 1, within: 8 s, every: 1 s, steps: [{ wait: 0.5 }, { read: { signals: [meter.voltage] } }] }',
    '  - record: { signals: [meter.voltage], rate: 20, stream: charge, for: 5 }',
  ]
  const guess = estimate(mustParse(withSteps(steps.join('\n'))), {})
  assert.equal(sizeOf(guess), { seconds: 13, points: 106, exact: false, least: { seconds: 5.5, points: 101 } })
  const exact = estimate(mustParse(withSteps(steps[1] ?? '')), {})
  assert.equal(sizeOf(exact), { seconds: 5, points: 100, exact: true, least: { seconds: 5, points: 100 } })
})

test('property: the least is what the expansion does where conditions come true at once', () => {
  fc.assert(
    fc.property(stepsAt(0), (steps) => {
      const until: Step = { kind: 'until', condition: '1 > 0', within: 1000, every: 0.5, otherwise: 'fail', steps }
      const protocol = protocolOf([until])
      const { least, exact } = estimate(protocol, {})
      const done = perform(expand(protocol, {}, createEnvironment()))
      assert.not.ok(exact)
      assert.ok(Math.abs(least.seconds - done.seconds) <= 1e-9 * Math.max(1, done.seconds))
      assert.equal(
        Object.fromEntries(Object.entries(least.rows).filter(([, rows]) => rows > 0)),
        Object.fromEntries(Object.entries(done.rows).filter(([, rows]) => rows > 0)),
      )
    }),
    { numRuns: cases(50) },
  )
})

test('an estimate of unknowns is not exact, bounded and quick', () => {
  const until = mustParse(
    withSteps(
      '  - until: { condition: meter.voltage > 1, within: 10 s, every: 1 s, steps: [{ read: { signals: [meter.voltage] } }] }',
    ),
  )
  const guess = estimate(until, {})
  assert.equal([guess.exact, guess.seconds, guess.points], [false, 10, 10])
  const missing = mustParse(withSteps('  - wait: n', 'parameters: { n: { type: number } }'))
  assert.is(estimate(missing, {}).exact, false)
  const nested = '{ sweep: { variable: b, from: 1, to: 2, points: 100000, steps: [{ wait: a * b }] } }'
  const long = mustParse(withSteps(`  - sweep: { variable: a, from: 1, to: 2, points: 100000, steps: [${nested}] }`))
  const start = cpuMs()
  assert.is(estimate(long, {}).exact, false)
  assert.ok(cpuMs() - start < 1000)
  const variables = Array.from({ length: 15 }, (_, i) => `v${i}`)
  const deep = variables.reduceRight(
    (steps, variable) => `[{ repeat: { times: 30000, variable: ${variable}, steps: ${steps} } }]`,
    `[{ wait: ${variables.join(' + ')} }]`,
  )
  assert.is(estimate(mustParse(`title: Test\nversion: 1\nsteps: ${deep}\n`), {}, { parts }).exact, false)
  assert.ok(cpuMs() - start < 5000, 'loops in loops are bounded together')
})

test('streams tell their columns', () => {
  const protocol = mustParse(
    withSteps(`
  - sweep:
      variable: v
      from: 0 mV
      to: 1 V
      points: 2
      steps:
        - read: { signals: [meter.voltage, meter.label], derive: { ratio: { value: meter.voltage / v, unit: '1' } } }
        - repeat: { times: 2, variable: i, steps: [{ record: { signals: [meter.current], rate: 5, stream: s, for: 1 } }] }`),
  )
  const streams = describeStreams(protocol, parts)
  assert.equal(
    Object.entries(streams).map(([name, { columns }]) => [
      name,
      columns.map(({ key, kind, unit, dtype }) => `${key} ${kind} ${unit} ${dtype}`),
    ]),
    [
      [
        'primary',
        [
          'meter.voltage signal V number',
          'meter.label signal 1 string',
          'v variable mV number',
          'ratio derived 1 number',
        ],
      ],
      ['s', ['meter.current signal A number', 'v variable mV number', 'i variable 1 integer']],
    ],
  )
})

test.run()
