import { mock } from 'node:test'
import { createOutputs, type OutputResult } from '@fernlab/shared/protocol/outputs'
import { createRecordStatistics } from '@fernlab/shared/protocol/record-statistics'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { mustParse, parts, withSteps } from './bench.ts'

const never = new AbortController().signal
const test = suite('outputs', { timeoutMs: 30_000 })

const STEPS = `
  - sweep: { variable: v, unit: V, values: [1], steps: [{ read: { signals: [meter.voltage, meter.current] } }] }`

const START_S = 1.75e9

/** A collector for outputs given as YAML flow mappings. */
function collector(outputs: string, parameters = {}, rest = '') {
  const protocol = mustParse(withSteps(STEPS, `${rest}\noutputs:\n${outputs}`))
  return createOutputs(protocol, { parameters, parts })
}

/** Deterministic noise (PCG by O'Neill, Box-Muller). */
function noise(seed: number): () => number {
  let state = BigInt(seed) * 2654435761n + 1n
  const uniform = () => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n)
    const shifted = Number(BigInt.asUintN(32, ((state >> 18n) ^ state) >> 27n))
    const turn = Number(state >> 59n)
    const value = ((shifted >>> turn) | (shifted << (-turn & 31))) >>> 0
    return (value + 0.5) / 2 ** 32
  }
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
}

/** How often the work gives way to the event loop. */
async function breathsOf(work: () => Promise<unknown>): Promise<number> {
  const waits = mock.method(globalThis, 'setTimeout')
  try {
    await work()
    return waits.mock.callCount()
  } finally {
    waits.mock.restore()
  }
}

interface Series {
  readonly n: number
  readonly spanS: number
  readonly voltage: (t: number) => number
  readonly current?: (t: number) => number
  readonly v?: (t: number) => number
}

/** Feeds a series in pages of uneven length. */
function feed(outputs: ReturnType<typeof createOutputs>, { n, spanS, voltage, current, v }: Series): void {
  const page = 997
  for (let from = 0; from < n; from += page) {
    const count = Math.min(page, n - from)
    const t = Float64Array.from({ length: count }, (_, i) => (spanS * (from + i)) / (n - 1))
    outputs.page(
      'primary',
      count,
      t.map((value) => START_S + value),
      {
        'meter.voltage': t.map(voltage),
        'meter.current': t.map(current ?? (() => 0)),
        v: t.map(v ?? (() => 1)),
      },
    )
  }
}

async function finish(outputs: ReturnType<typeof createOutputs>): Promise<OutputResult> {
  const [result] = Object.values(await outputs.finish())
  return result as OutputResult
}

async function theValue(outputs: ReturnType<typeof createOutputs>) {
  const result = await finish(outputs)
  if ('missing' in result) throw new TypeError(result.missing)
  return result
}

const near = (actual: number | undefined, expected: number, relative = 1e-9) =>
  assert.ok(
    actual !== undefined && Math.abs(actual - expected) <= relative * Math.max(1e-12, Math.abs(expected)),
    `${actual} is not ${expected}`,
  )

test('a reading has the uncertainty of its signal, in the declared unit', async () => {
  const last = collector('  x: { title: X, unit: mV, reading: { signal: meter.voltage } }')
  last.row('primary', { 'meter.voltage': 1, v: 1 }, START_S)
  last.row('primary', { 'meter.voltage': 2, v: 1 }, START_S + 1)
  last.row('other', { 'meter.voltage': 99 }, START_S + 2)
  const { value, unit, uncertainty } = await theValue(last)
  near(value, 2000)
  assert.is(unit, 'mV')
  near(uncertainty, Math.hypot(1, 20))
  const first = collector('  x: { title: X, unit: V, reading: { signal: meter.voltage, which: first } }')
  first.row('primary', { 'meter.voltage': 1 }, START_S)
  first.row('primary', { 'meter.voltage': 2 }, START_S)
  near((await theValue(first)).value, 1)
})

test('statistics are those of the definition, also far from zero', async () => {
  const values = [1e9 + 1, 1e9 + 2, 1e9 + 4, 1e9 + 5]
  const expected: Record<string, number> = {
    mean: 1e9 + 3,
    std: Math.sqrt(10 / 3),
    min: 1e9 + 1,
    max: 1e9 + 5,
    sum: 4e9 + 12,
    last: 1e9 + 5,
  }
  for (const [kind, value] of Object.entries(expected)) {
    const outputs = collector(`  x: { title: X, unit: V, statistic: { signal: meter.voltage, kind: ${kind} } }`)
    values.forEach((voltage, i) => {
      outputs.row('primary', { 'meter.voltage': voltage }, START_S + i)
    })
    near((await theValue(outputs)).value, value, 1e-12)
  }
  const mean = collector('  x: { title: X, unit: V, statistic: { signal: meter.voltage, kind: mean } }')
  for (const voltage of [1, 2, 3, 4, 5]) mean.row('primary', { 'meter.voltage': voltage }, START_S)
  // The meter declares 0.001 V and 1 %, which five readings do not make smaller.
  near((await theValue(mean)).uncertainty, Math.hypot(Math.sqrt(2.5 / 5), 0.001, 0.03))
})

test('what an instrument declares is in a mean, a sum and a fitted level, however many readings there are', async () => {
  const of = async (kind: string, signal: string, ...readings: number[]) => {
    const unit = signal === 'meter.current' ? 'A' : 'V'
    const outputs = collector(`  x: { title: X, unit: ${unit}, statistic: { signal: ${signal}, kind: ${kind} } }`)
    for (const value of readings) outputs.row('primary', { [signal]: value }, START_S)
    return (await theValue(outputs)).uncertainty
  }
  const declared = Math.hypot(0.001, 0.01 * 2)
  near(await of('mean', 'meter.voltage', 2), declared)
  near(await of('mean', 'meter.voltage', 2, 2), declared)
  near(await of('sum', 'meter.voltage', 2, 2), 2 * declared)
  near(await of('sum', 'meter.voltage', 1, 3), Math.hypot(2, 0.002, 0.04))
  near(await of('mean', 'meter.current', 1, 3), 1, 1e-9)
  assert.is(await of('mean', 'meter.current', 1), undefined)
  const fitted = async (value: string, unit: string) => {
    const outputs = collector(
      `  x: { title: X, unit: ${unit}, fit: { model: linear, x: time, y: meter.voltage, value: ${value} } }`,
    )
    feed(outputs, { n: 50, spanS: 1, voltage: (t) => 2 + t })
    return (await theValue(outputs)).uncertainty ?? Number.NaN
  }
  near(await fitted('intercept', 'V'), declared, 1e-6)
  assert.ok((await fitted('slope', 'V/s')) < 1e-5)
})

test('a statistic takes expressions and conditions over columns, time and parameters', async () => {
  const outputs = collector(
    '  x: { title: X, unit: W, statistic: { signal: gain * meter.voltage * meter.current, kind: mean, where: time >= 1 && v > 0 } }',
    { gain: 10 },
    'parameters: { gain: { type: number, default: 1 } }',
  )
  for (let t = 0; t < 4; t++)
    outputs.row('primary', { 'meter.voltage': t, 'meter.current': 2, v: t === 3 ? -1 : 1 }, START_S + t)
  near((await theValue(outputs)).value, 30)
})

test('rows that an expression cannot use are left out, and named when none is left', async () => {
  const log = '  x: { title: X, unit: "1", statistic: { signal: log(meter.voltage), kind: count } }'
  const some = collector(log)
  for (const voltage of [-1, 0, 1, 2]) some.row('primary', { 'meter.voltage': voltage }, START_S)
  near((await theValue(some)).value, 2)
  const none = collector(log)
  none.row('primary', { 'meter.voltage': -1 }, START_S)
  const result = await finish(none)
  assert.match(
    'missing' in result ? result.missing : '',
    /no row could be used: the expression "log\(meter\.voltage\)"/,
  )
})

test('a stream without rows gives a reason', async () => {
  const outputs = collector('  x: { title: X, unit: V, reading: { signal: meter.voltage } }')
  assert.equal(await finish(outputs), { missing: 'stream primary got no rows' })
})

test('the rate of upward crossings is that of the oscillation', async () => {
  const outputs = collector(
    '  x: { title: X, unit: Hz, statistic: { signal: meter.voltage, kind: crossing-rate, threshold: 100 mV } }',
  )
  feed(outputs, { n: 5000, spanS: 2.03, voltage: (t) => Math.sin(2 * Math.PI * 7.3 * t) })
  const { value, uncertainty = 1 } = await theValue(outputs)
  near(value, 7.3, 1e-5)
  assert.ok(uncertainty < 1e-3)
  const still = collector(
    '  x: { title: X, unit: Hz, statistic: { signal: meter.voltage, kind: crossing-rate, threshold: 2 } }',
  )
  feed(still, { n: 100, spanS: 1, voltage: (t) => t })
  assert.is((await theValue(still)).value, 0)
})

const TAU = '  tau: { title: Tau, unit: ms, fit: { model: exponential, x: time, y: meter.voltage, value: tau } }'

test('an exponential gives tau, its uncertainty covers the truth as often as it should', async () => {
  let within = 0
  let pull = 0
  const trials = 200
  for (let seed = 1; seed <= trials; seed++) {
    const random = noise(seed)
    const outputs = collector(TAU)
    feed(outputs, { n: 100, spanS: 5, voltage: (t) => 5 * (1 - Math.exp(-t / 1.0)) + 0.02 * random() })
    const { value, uncertainty = Number.NaN } = await theValue(outputs)
    const z = (value - 1000) / uncertainty
    if (Math.abs(z) < 1) within += 1
    pull += z * z
  }
  // 68.3 % ± 4 standard deviations of a binomial with 200 trials; the mean square of the pull is 1.
  assert.ok(within > trials * 0.55 && within < trials * 0.81, `${within} of ${trials}`)
  assert.ok(pull / trials > 0.6 && pull / trials < 1.5, `${pull / trials}`)
})

test('a sine gives frequency, amplitude and phase at any rate, with honest uncertainty', async () => {
  const truth = { offset: 1, amplitude: 2, frequency: 0, phase: 0.7 }
  for (const frequency of [0.15, 1, 7.3, 24, 240]) {
    const random = noise(frequency * 100)
    const n = frequency > 100 ? 20_000 : 512
    const units: Record<string, string> = { frequency: 'Hz', phase: 'rad', offset: 'V', amplitude: 'V' }
    const outputs = collector(
      Object.entries(units)
        .map(
          ([name, unit]) =>
            `  ${name}: { title: X, unit: ${unit}, fit: { model: sine, x: time, y: meter.voltage, value: ${name} } }`,
        )
        .join('\n'),
    )
    feed(outputs, { n, spanS: 5, voltage: (t) => 1 + 2 * Math.sin(2 * Math.PI * frequency * t + 0.7) + 0.1 * random() })
    const results = await outputs.finish()
    for (const [name, expected] of Object.entries({ ...truth, frequency })) {
      const result = results[name] as OutputResult
      if ('missing' in result) throw new TypeError(result.missing)
      const { value, uncertainty = Number.NaN } = result
      assert.ok(Math.abs(value - expected) < 4.5 * uncertainty, `${name} of ${frequency} Hz: ${value} ± ${uncertainty}`)
      assert.ok(uncertainty < 0.05)
    }
  }
})

test('a line over transformed columns gives what an expression makes of it, with propagated uncertainty', async () => {
  // Shockley diode: I = Is·exp(V / (n·Vt)); n·Vt = 0.05 V, Is = 2 nA.
  const diode = (output: string, unit: string) =>
    collector(
      `  x: { title: X, unit: ${unit}, fit: { model: linear, x: meter.voltage, y: log(meter.current), where: meter.current > 1e-6, value: "${output}" } }`,
    )
  const random = noise(5)
  const series: Series = {
    n: 400,
    spanS: 0.7,
    voltage: (t) => t,
    current: (t) => 2e-9 * Math.exp(t / 0.05) * (1 + 0.01 * random()),
  }
  const saturation = diode('exp(intercept)', 'A')
  feed(saturation, series)
  const current = await theValue(saturation)
  assert.ok(Math.abs(current.value - 2e-9) < 4 * (current.uncertainty ?? 0), JSON.stringify(current))
  assert.ok((current.uncertainty ?? 1) < 2e-11)
  const ideality = diode('1 / (slope * 0.02585)', "'1'")
  feed(ideality, series)
  const factor = await theValue(ideality)
  assert.ok(Math.abs(factor.value - 0.05 / 0.02585) < 4 * (factor.uncertainty ?? 0), JSON.stringify(factor))
})

/** A decay that is over before the second sample. */
const sampledTooSlowly = (t: number): number => (t === 0 ? 1 : 0) + 0.01 * Math.sin(37 * t)

test('what cannot be fitted is missing with a reason, never a wrong number', async () => {
  const reasons: [string, Series, RegExp][] = [
    [TAU, { n: 3, spanS: 1, voltage: (t) => t }, /needs at least 5 points/],
    [TAU, { n: 100, spanS: 5, voltage: () => 2 }, /./],
    [TAU, { n: 100, spanS: 5, voltage: (t) => 1 + t }, /do not determine|converge/],
    [TAU, { n: 100, spanS: 5, voltage: noise(3) }, /do not determine|converge/],
    [TAU, { n: 100, spanS: 5, voltage: (t) => Math.exp(t) }, /do not determine|converge/],
    [TAU, { n: 100, spanS: 5, voltage: sampledTooSlowly }, /too few points lie in the decay/],
  ]
  const sine = (value: string, unit: string) =>
    `  x: { title: X, unit: ${unit}, fit: { model: sine, x: time, y: meter.voltage, value: ${value} } }`
  for (let seed = 1; seed <= 20; seed++) {
    reasons.push([
      sine('frequency', 'Hz'),
      { n: 300, spanS: 5, voltage: noise(seed) },
      /no sine above their scatter|converge/,
    ])
  }
  reasons.push([sine('amplitude', 'V'), { n: 300, spanS: 5, voltage: () => 1 }, /./])
  reasons.push([
    '  x: { title: X, unit: V/V, fit: { model: linear, x: v, y: meter.voltage, value: slope } }',
    { n: 10, spanS: 1, voltage: (t) => t },
    /the same x/,
  ])
  reasons.push([
    '  x: { title: X, unit: "1", fit: { model: linear, x: time, y: meter.voltage, value: 1 / (slope - slope) } }',
    { n: 10, spanS: 1, voltage: (t) => t },
    /not a finite number/,
  ])
  for (const [outputs, series, reason] of reasons) {
    const collect = collector(outputs)
    feed(collect, series)
    const result = await finish(collect)
    assert.ok('missing' in result, JSON.stringify(result))
    assert.match((result as { missing: string }).missing, reason)
  }
})

test('rows may come in any order of x, and a million of them stay in bounded memory', async () => {
  const outputs = collector(TAU)
  const before = process.memoryUsage().arrayBuffers
  feed(outputs, { n: 1_000_000, spanS: 5, voltage: (t) => 5 * Math.exp(-t / 1.5) + 0.001 * Math.sin(1e5 * t) })
  assert.ok(process.memoryUsage().arrayBuffers - before < 40e6)
  near((await theValue(outputs)).value, 1500, 1e-3)
  const shuffled = collector(
    '  x: { title: X, unit: V, fit: { model: exponential, x: v, y: meter.voltage, value: amplitude } }',
  )
  for (let i = 0; i < 101; i++) {
    const x = ((i * 37) % 101) / 20
    shuffled.row('primary', { 'meter.voltage': 1 + 3 * Math.exp(-x / 0.8), v: x }, START_S + i)
  }
  near((await theValue(shuffled)).value, 3, 1e-6)
})

test('fitting gives way to others', async () => {
  const outputs = collector(
    '  x: { title: X, unit: Hz, fit: { model: sine, x: time, y: meter.voltage, value: frequency } }',
  )
  const random = noise(9)
  feed(outputs, { n: 200_000, spanS: 5, voltage: (t) => Math.sin(2 * Math.PI * 50 * t) + 0.1 * random() })
  const breaths = await breathsOf(async () => near((await theValue(outputs)).value, 50, 1e-4))
  assert.ok(breaths > 100, `${breaths} breaths`)
})

test('the statistics of a record answer expressions', async () => {
  const statistics = createRecordStatistics()
  const time = Float64Array.from({ length: 1000 }, (_, i) => START_S + i / 1000)
  const signal = time.map((t) => 2 + 3 * Math.sin(2 * Math.PI * 12.5 * (t - START_S) + 0.4))
  statistics.page(400, time, { 'meter.voltage': signal })
  statistics.page(600, time.slice(400), { 'meter.voltage': signal.slice(400) })
  near(statistics.statistic('count', 'meter.voltage'), 1000)
  near(statistics.statistic('amplitude', 'meter.voltage', 12.5), 3, 1e-5)
  near(statistics.statistic('phase', 'meter.voltage', 12.5), 0.4, 1e-4)
  near(statistics.statistic('amplitude', 'meter.voltage', 12.5), 3, 1e-5)
  assert.is(statistics.statistic('amplitude', 'meter.voltage'), undefined, 'nobody has looked for it yet')
  await statistics.findOscillations(['meter.voltage', 'meter.current'], never)
  near(statistics.statistic('amplitude', 'meter.voltage'), 3, 1e-5)
  near(statistics.statistic('phase', 'meter.voltage'), 0.4, 1e-4)
  near(statistics.statistic('min', 'meter.voltage'), -1, 1e-3)
  assert.is(statistics.statistic('mean', 'meter.current'), undefined)
})

test('the strongest oscillation of a long record is looked for once, without holding up the event loop', async () => {
  const statistics = createRecordStatistics()
  const random = noise(11)
  const time = Float64Array.from({ length: 16_384 }, (_, i) => START_S + i / 1000)
  statistics.page(time.length, time, { 'meter.voltage': time.map((t) => Math.sin(60 * (t - START_S)) + random()) })
  const breaths = await breathsOf(() => statistics.findOscillations(['meter.voltage'], never))
  assert.ok(breaths > 100, `${breaths} breaths`)
  const cosine = mock.method(Math, 'cos', () => {
    throw new Error('it is looked for again')
  })
  try {
    assert.type(statistics.statistic('amplitude', 'meter.voltage'), 'number')
  } finally {
    cosine.mock.restore()
  }
  const stopped = new AbortController()
  const looking = statistics.findOscillations(['meter.voltage'], stopped.signal)
  stopped.abort(new Error('enough'))
  assert.is(await looking.catch((error: Error) => error.message), 'enough')
})

test.run()
