import { type Bench, createBench } from '@fernlab/edge/benches/bench'
import type { Argument } from '@fernlab/edge/benches/lease'
import { inUseReason, makeStatus } from '@fernlab/edge/benches/present-state'
import { createInstrumentHandle } from '@fernlab/edge/instruments/instrument-handle'
import type { InterlockStatus } from '@fernlab/shared/contracts/interlocks'
import type { BenchStatus } from '@fernlab/shared/contracts/node-status'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { recordingLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { MemoryInstrument, silence } from '../../support/edge/memory-driver.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a bench and its lease')
const never = new AbortController().signal
const aRun = { kind: 'run', id: 'r1' } as const

const make = async (prepare: (b: MemoryInstrument) => void = () => {}) => {
  const clock = new ManualClock()
  const log = recordingLog()
  const instruments = ['a', 'b'].map((name) => new MemoryInstrument(name, clock))
  const [a, b] = instruments as [MemoryInstrument, MemoryInstrument]
  prepare(b)
  const handles = instruments.map((instrument) =>
    createInstrumentHandle({ name: instrument.spec.name, instrument, clock, log }),
  )
  let ids = 0
  const values: [string, string, unknown, string, number][] = []
  const bench: Bench = createBench({
    name: 'bench',
    entry: {
      parts: { x: 'a', y: 'b' },
      safeState: { 'x.output': false, 'x.voltage': 0, 'y.voltage': 1 },
      limits: { 'x.voltage': { high: 5 } },
    },
    parts: new Map([
      ['x', handles[0] as (typeof handles)[number]],
      ['y', handles[1] as (typeof handles)[number]],
    ]),
    interlocks: { hot: {}, steam: { safeState: { 'y.voltage': 3 } } },
    fence: 3,
    clock,
    log,
    newId: () => `lease-${++ids}`,
    onValue: (...value) => values.push(value),
  })
  const states: string[] = []
  bench.onChange(({ status }) => states.push(status.state))
  for (const handle of handles) handle.start()
  await clock.advance(0)
  return { clock, log, a, b, bench, states, values }
}
const codeOf = async (work: () => unknown): Promise<string> => {
  try {
    await work()
  } catch (error) {
    return (error as LabError).code
  }
  return 'none'
}

test('goes to its safe state before it is free for the first time', async () => {
  const { a, b, bench } = await make()
  assert.is(bench.status.state, 'free')
  assert.equal(
    a.operations.map(({ what, value }) => [what, value]),
    [
      ['output', false],
      ['voltage', 0],
    ],
  )
  assert.equal(b.sets('voltage'), [1])
})

test('what the safe state has set is told, as whatever else is set', async () => {
  const { clock, bench, values } = await make()
  const lease = bench.acquire(aRun)
  await lease.set('x', 'voltage', 4, undefined, never)
  values.length = 0
  const released = bench.release(lease)
  await clock.advance(0)
  await released
  const timeS = clock.now() / 1000
  assert.equal(values, [
    ['a', 'voltage', 0, 'V', timeS],
    ['b', 'voltage', 1, 'V', timeS],
    ['a', 'output', false, '1', timeS],
  ])
})

test('is held once, and what was moved is made safe first', async () => {
  const { clock, a, bench, states } = await make()
  const lease = bench.acquire(aRun)
  assert.is(await codeOf(() => bench.acquire(aRun)), 'bench-busy')
  assert.is(bench.status.run, 'r1')
  await lease.set('x', 'voltage', 4000, 'mV', never)
  a.operations.length = 0
  const released = bench.release(lease)
  await clock.advance(0)
  assert.equal(await released, { reached: true })
  assert.equal(
    a.operations.map(({ what }) => what),
    ['voltage', 'output'],
  )
  assert.equal(states.slice(-2), ['busy', 'free'])
  assert.is(await codeOf(() => lease.set('x', 'voltage', 1, undefined, never)), 'lease-ended')
})

test('says its own limits, for people to see', async () => {
  const { bench } = await make()
  assert.equal(bench.describe().limits, { 'x.voltage': { high: 5 } })
})

test('limits of bench and lab hold for whoever sets', async () => {
  const { a, bench } = await make()
  const lease = bench.acquire(aRun, { limits: { 'x.voltage': { high: 3 }, 'y.voltage': { low: 2 } } })
  for (const [part, value] of [
    ['x', 5.5],
    ['x', 3.5],
    ['y', 1.5],
    ['y', 11],
    ['x', Number.NaN],
  ] as const) {
    assert.is.not(await codeOf(() => lease.set(part, 'voltage', value, undefined, never)), 'none', `${part} ${value}`)
  }
  assert.equal(a.sets('voltage'), [0])
  await lease.set('x', 'voltage', 3, undefined, never)
})

test('an action gets arguments that it declares, in its units, or is not called', async () => {
  const { a, bench } = await make()
  a.actions.push({
    name: 'shape',
    arguments: {
      form: { type: 'string', enum: ['SIN', 'SQU'] },
      level: { type: 'number', unit: 'V', minimum: 0, maximum: 5, default: 1 },
    },
  })
  const lease = bench.acquire(aRun)
  a.operations.length = 0
  const call = (args: Record<string, Argument>) => codeOf(() => lease.call('x', 'shape', args, 1000, never))
  for (const args of [
    { form: 'SIN\nVOLT 30\nOUTP ON' },
    { form: 'SIN', level: 6 },
    { form: 'SIN', level: { value: 6000, unit: 'mV' } },
    { form: 'SIN', level: { value: 1, unit: 's' } },
    { form: 'SIN', level: Number.NaN },
    { form: 'SIN', more: 1 },
    {},
  ]) {
    assert.is(await call(args), 'arguments-wrong', JSON.stringify(args))
  }
  assert.equal(a.operations, [])
  assert.is(await call({ form: 'SQU' }), 'none')
  assert.is(await call({ form: 'SIN', level: { value: 2500, unit: 'mV' } }), 'none')
  assert.equal(
    a.operations.map(({ value }) => value),
    ['{"form":"SQU","level":1}', '{"form":"SIN","level":2.5}'],
  )
})

test('a value at the limit is taken in whatever unit it is written', async () => {
  const { a, bench } = await make()
  const lease = bench.acquire(aRun, { limits: { 'x.voltage': { high: 3.3 } } })
  await lease.set('x', 'voltage', 3300, 'mV', never)
  assert.is(a.values.get('voltage'), 3.3)
  assert.is(await codeOf(() => lease.set('x', 'voltage', 3300.001, 'mV', never)), 'value-out-of-limits')
})

test('a lease that is not renewed ends, and the bench is made safe', async () => {
  const { clock, a, bench } = await make()
  const lease = bench.acquire({ kind: 'direct', id: 'ada' }, { ttlMs: 1000 })
  await lease.set('x', 'voltage', 2, undefined, never)
  await clock.advance(900)
  lease.onRenew?.(1000)
  await clock.advance(900)
  assert.ok(lease.active)
  await clock.advance(100)
  assert.not.ok(lease.active)
  assert.is(a.values.get('voltage'), 0)
  assert.is(bench.status.state, 'free')
})

test('fences never go back', async () => {
  const { bench } = await make()
  assert.is(await codeOf(() => bench.advanceFence(2)), 'fence-stale')
  bench.advanceFence(7)
  assert.is(bench.fence, 7)
})

test('an instrument that does not answer leaves the bench in fault within 5 s, the others safe, until it answers', async () => {
  const { clock, log, a, b, bench } = await make()
  const lease = bench.acquire(aRun)
  await lease.set('x', 'voltage', 2, undefined, never)
  await lease.set('y', 'voltage', 2, undefined, never)
  a.before = () => silence
  const began = clock.monotonic()
  let elapsedMs = 0
  const released = bench.release(lease).then((result) => {
    elapsedMs = clock.monotonic() - began
    return result
  })
  await clock.advance(5)
  assert.is(b.values.get('voltage'), 1, 'the other instrument is safe at once')
  await clock.advance(6000)
  const result = await released
  assert.is(result.reached, false)
  assert.ok(elapsedMs <= 5000, `${elapsedMs} ms`)
  assert.is(bench.status.state, 'fault')
  assert.match(bench.status.reason ?? '', /x\.voltage/)
  assert.is(log.lines.filter(({ level }) => level === 'error').length, 1)
  a.before = undefined
  await clock.advance(120_000)
  assert.is(bench.status.state, 'free')
  assert.is(a.values.get('voltage'), 0)
})

test('an instrument that comes back is made safe before the bench is free', async () => {
  const { clock, a, bench, states } = await make()
  a.connection(false)
  assert.is(bench.status.state, 'offline')
  a.values.set('voltage', 9)
  a.connection(true)
  await clock.advance(0)
  assert.is(a.values.get('voltage'), 0)
  assert.equal(states.slice(-3), ['offline', 'busy', 'free'])
})

test('with one instrument away the others are made safe, and it as soon as it is there', async () => {
  const { clock, log, a, b, bench } = await make((b) => {
    b.failOpen = new LabError({ code: 'x', kind: 'link', message: 'no such port' })
  })
  assert.equal(a.sets('output'), [false])
  assert.is(bench.status.state, 'offline')
  const result = bench.makeSafe()
  await clock.advance(0)
  assert.match(JSON.stringify(await result), /b is offline: no such port/)
  assert.is(log.lines.filter(({ level }) => level === 'error').length, 0)
  b.failOpen = undefined
  await clock.advance(30_000)
  assert.equal(b.sets('voltage'), [1])
  assert.equal(a.sets('output'), [false], 'once is enough')
  assert.is(bench.status.state, 'free')
})

test('an instrument that is lost while the bench goes to its safe state is driven again', async () => {
  const { clock, a, b, bench } = await make()
  const lease = bench.acquire(aRun)
  await lease.set('x', 'voltage', 2, undefined, never)
  b.before = ({ op }) => (op === 'set' ? clock.sleep(1000) : undefined)
  const released = bench.release(lease)
  await clock.advance(10)
  assert.is(a.values.get('voltage'), 0)
  a.connection(false)
  a.values.set('voltage', 9)
  await clock.advance(1000)
  assert.is((await released).reached, false)
  assert.is(bench.status.state, 'offline')
  a.connection(true)
  await clock.advance(0)
  assert.is(a.values.get('voltage'), 0)
  assert.is(bench.status.state, 'free')
})

test('one that is lost and back while another is still driven is driven again at once', async () => {
  const { clock, a, b, bench } = await make()
  const lease = bench.acquire(aRun)
  await lease.set('x', 'voltage', 2, undefined, never)
  b.before = ({ op }) => (op === 'set' ? clock.sleep(1000) : undefined)
  void bench.release(lease)
  await clock.advance(10)
  a.connection(false)
  a.connection(true)
  a.values.set('voltage', 9)
  await clock.advance(1000)
  assert.is(a.values.get('voltage'), 0)
  assert.is(bench.status.state, 'free')
})

const standing = (name: string, state: InterlockStatus['state']): InterlockStatus => ({
  name,
  when: 'x.voltage > 4',
  state,
  ...(state === 'tripped' ? { reason: 'it is', holds: true, latched: true } : {}),
})

test('an interlock that trips while the bench goes to its safe state does not wait for an instrument that is stuck', async () => {
  const { clock, a, b, bench } = await make()
  const lease = bench.acquire(aRun)
  await lease.set('x', 'voltage', 2, undefined, never)
  await lease.set('y', 'voltage', 2, undefined, never)
  a.before = () => silence
  bench.interlocked([standing('hot', 'tripped'), standing('steam', 'clear')])
  await clock.advance(5)
  assert.is(b.values.get('voltage'), 1)
  bench.interlocked([standing('hot', 'tripped'), standing('steam', 'tripped')])
  await clock.advance(5)
  assert.is(b.values.get('voltage'), 3)
})

test('what was driven before an interlock tripped is driven again as soon as that has ended, also badly', async () => {
  const { clock, a, b, bench } = await make()
  const lease = bench.acquire(aRun)
  await lease.set('x', 'voltage', 2, undefined, never)
  a.before = () => silence
  void bench.release(lease)
  await clock.advance(5)
  bench.interlocked([standing('hot', 'clear'), standing('steam', 'tripped')])
  await clock.advance(5)
  b.operations.length = 0
  // Less than until the next try of a bench in fault.
  await clock.advance(5100)
  assert.ok(bench.unsafe)
  assert.equal(b.sets('voltage'), [3])
})

test('that an interlock has tripped is told before the bench is safe', async () => {
  const { clock, a, bench } = await make()
  bench.interlocked([standing('hot', 'clear'), standing('steam', 'clear')])
  const lease = bench.acquire(aRun)
  await lease.set('x', 'voltage', 2, undefined, never)
  const told: (string | undefined)[] = []
  bench.onChange(({ status }) => told.push(status.interlocks?.[0]?.state))
  a.before = () => silence
  bench.interlocked([standing('hot', 'tripped'), standing('steam', 'clear')])
  assert.equal(told, ['tripped'])
  await clock.advance(10_000)
})

test('its ports are lent to no tool before it is safe', async () => {
  const { clock, a, bench } = await make()
  assert.is(inUseReason(bench), undefined)
  const lease = bench.acquire(aRun)
  assert.is(inUseReason(bench), 'bench bench is in use')
  await lease.set('x', 'voltage', 2, undefined, never)
  a.before = () => silence
  void bench.release(lease)
  await clock.advance(6000)
  assert.is(bench.lease, undefined)
  assert.match(inUseReason(bench) ?? '', /did not reach its safe state/)
  a.before = undefined
  await clock.advance(120_000)
  assert.is(inUseReason(bench), undefined)
  a.connection(false)
  a.before = () => silence
  a.connection(true)
  assert.is(inUseReason(bench), 'bench bench is busy: going to its safe state')
})

test('since when a bench is in its state is known however often its interlocks have changed', () => {
  const since = '2026-03-01T12:00:00.000Z'
  let status: BenchStatus = { state: 'free', since }
  for (let i = 0; i < 20_000; i++) {
    const facts = { state: 'free', run: undefined, direct: false, interlocks: [standing('hot', 'clear')] } as const
    status = makeStatus(facts, status, i)
  }
  assert.is(status.since, since)
})

test.run()
