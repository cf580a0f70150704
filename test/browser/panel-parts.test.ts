import * as assert from 'uvu/assert'
import { createLatestSender } from '../../hub/web/src/panel/latest-sender.ts'
import { keyed, onScale, scaleOf } from '../../hub/web/src/panel/scale.ts'
import { createSignalStore } from '../../hub/web/src/panel/signal-store.ts'
import { named, signalColours, signalsOf } from '../../hub/web/src/panel/signals.ts'
import { steadyAt, steadyOn, steadyQuantity, steadyText } from '../../hub/web/src/panel/steady.ts'
import { cut, type Sweep, sweepAt } from '../../hub/web/src/panel/sweep.ts'
import { suite } from '../support/suite.ts'
import { readLabs } from './support/fake-labs.ts'

const test = suite('parts of the panel')

/** A bench and a clock in the test's hand. */
function handheld() {
  const sent: number[] = []
  const outcomes: { value: number; refused: boolean; more: boolean }[] = []
  const answers: { resolve: () => void; reject: (error: unknown) => void }[] = []
  const timers: (() => void)[] = []
  const sender = createLatestSender<number>({
    everyMs: 100,
    send: (value) => {
      sent.push(value)
      return new Promise((resolve, reject) => answers.push({ resolve, reject }))
    },
    settled: ({ value, error, more }) => outcomes.push({ value, refused: error !== undefined, more }),
    after: (_ms, then) => timers.push(then),
  })
  return {
    sender,
    sent,
    outcomes,
    answer: async () => {
      answers.shift()?.resolve()
      await Promise.resolve().then(() => {})
    },
    refuse: async () => {
      answers.shift()?.reject(new Error('no'))
      await Promise.resolve().then(() => {})
    },
    tick: () => timers.shift()?.(),
  }
}

test('a control that is moved sends one value at a time, not too often, and always the last', async () => {
  const { sender, sent, outcomes, answer, tick } = handheld()
  for (const value of [1, 2, 3]) sender.offer(value)
  assert.equal(sent, [1])
  await answer()
  assert.equal(sent, [1], 'answered, but too soon for the next')
  sender.offer(4)
  tick()
  assert.equal(sent, [1, 4])
  tick()
  sender.offer(5)
  assert.equal(sent, [1, 4], 'not before the answer')
  await answer()
  assert.equal(sent, [1, 4, 5])
  await answer()
  assert.equal(
    outcomes.map(({ value, more }) => [value, more]),
    [
      [1, true],
      [4, true],
      [5, false],
    ],
  )
})

test('a refused value does not keep back the next, and what is dropped never goes out', async () => {
  const { sender, sent, outcomes, refuse, answer, tick } = handheld()
  sender.offer(1)
  sender.offer(2)
  await refuse()
  tick()
  assert.equal(sent, [1, 2])
  sender.offer(3)
  sender.drop()
  await answer()
  tick()
  assert.equal(sent, [1, 2])
  assert.equal(
    outcomes.map(({ refused }) => refused),
    [true, false],
  )
})

test('the store keeps what charts show, in order, and tells of many changes once', () => {
  const due: (() => void)[] = []
  const store = createSignalStore({ keepS: 10, schedule: (tell) => due.push(tell) })
  let told = 0
  const stop = store.subscribe(() => told++)
  store.take({ 'dmm.voltage': { unit: 'V', time: [1, 2, 2, 1.5, 3], values: [10, 20, 99, 99, 30] } })
  store.take({ 'psu.output': { unit: '1', time: [3], values: [true] } })
  store.askedFor({ 'psu.output': false })
  assert.is(due.length, 1)
  due.shift()?.()
  assert.is(told, 1)
  assert.equal(store.history('dmm.voltage'), { time: [1, 2, 3], values: [10, 20, 30] })
  assert.equal(store.history('psu.output').values, [1])
  assert.is(store.latest('psu.output'), true)
  assert.is(store.asked('psu.output'), false)
  assert.is(store.now, 3)
  const many = Array.from({ length: 100 }, (_, i) => 100 + i / 10)
  store.take({ 'dmm.voltage': { unit: 'V', time: many, values: many } })
  store.take({ 'dmm.voltage': { unit: 'V', time: [115], values: [0] } })
  assert.is(store.history('dmm.voltage').time[0], 105, 'older ones go, many at a time')
  stop()
  due.shift()?.()
  assert.is(told, 1)
})

test('what was asked of a switch is forgotten once it was read, and does not hide that the bench is otherwise', () => {
  const store = createSignalStore({ keepS: 10, schedule: () => {} })
  const read = (at: number, on: boolean) => store.take({ relay: { unit: '1', time: [at], values: [on] } })
  const state = () => [store.asked('relay'), store.missed('relay'), store.latest('relay')]
  read(10, false)
  store.askedFor({ relay: true })
  assert.equal(state(), [true, false, false])
  // Under way while it was set.
  read(10.2, false)
  assert.equal(state(), [true, false, false])
  read(10.4, true)
  assert.equal(state(), [undefined, false, true])
  // The firmware has switched it off.
  read(10.6, false)
  assert.equal(state(), [undefined, false, false])
  // What the bench took, and never did.
  store.askedFor({ relay: true })
  read(11.7, false)
  assert.equal(state(), [true, true, false])
  store.askedFor({ relay: false })
  assert.equal(state(), [false, false, false])
  read(11.9, false)
  assert.equal(state(), [undefined, false, false])
  // Numbers are measured, and what was asked for stays.
  store.take({ oven: { unit: 'Cel', time: [12], values: [20] } })
  store.askedFor({ oven: 80 })
  store.take({ oven: { unit: 'Cel', time: [14, 15], values: [50, 80] } })
  assert.equal([store.asked('oven'), store.missed('oven')], [80, false])
})

test('of very many readings the store keeps an even part', () => {
  const store = createSignalStore({ keepS: 3600, schedule: () => {} })
  const time = Array.from({ length: 50_000 }, (_, i) => i / 50 + 1)
  for (let i = 0; i < time.length; i += 500) {
    const some = time.slice(i, i + 500)
    store.take({ a: { unit: 'V', time: some, values: some } })
  }
  const kept = store.history('a').time
  assert.ok(kept.length <= 20_000, String(kept.length))
  assert.is(kept[0], 1)
  assert.ok((kept.at(-1) ?? 0) > 1000)
})

test('numbers keep their width and have just the digits that matter', () => {
  const volts = steadyOn({ low: 0, high: 10 }, 'V', 0.1)
  assert.is(steadyQuantity(5, volts), '5.0\u202fV')
  assert.is(steadyText(-0.04, volts), '0.0')
  const current = steadyOn({ low: 0, high: 0.005 }, 'A')
  assert.equal([current.unit, steadyText(0.00123, current)], ['mA', '1.230'])
  assert.is(steadyOn({ low: -20, high: 160 }, 'mV', 1).width, 3)
  for (const value of [1.23456, 12.3456, 123.456]) {
    assert.is(steadyText(value, steadyAt(value, 'V')).length, 5)
  }
  assert.is(steadyText(-1.5, steadyAt(-1.5, 'V')), '\u22121.500')
  assert.is(steadyText(0, steadyAt(0, 'V')), '0.000')
})

test('keys move a knob as they move any slider, and never beyond its ends', () => {
  const scale = { low: -1, high: 1, step: 0.1 }
  assert.is(keyed('ArrowUp', 0, scale), 0.1)
  assert.is(keyed('ArrowLeft', 0.1, scale), 0)
  assert.is(keyed('PageUp', 0, scale), 0.2)
  assert.is(keyed('PageDown', -0.95, scale), -1)
  assert.is(keyed('Home', 0.3, scale), -1)
  assert.is(keyed('End', 0.3, scale), 1)
  assert.is(keyed('a', 0, scale), undefined)
  assert.is(onScale(0.149, scale), 0.1)
  assert.is(onScale(9, scale), 1)
  assert.is(onScale(0.98, { low: 0, high: 1, step: 0.3 }), 0.9)
})

test('a control moves in steps that its signal can take', () => {
  const limits = { low: 0, high: 5 }
  assert.is(scaleOf({ limits }, { dtype: 'number' }).step, 0.025)
  assert.is(scaleOf({ limits }, { dtype: 'number', resolution: 0.1 }).step, 0.1)
  assert.is(scaleOf({ limits, step: 0.5 }, { dtype: 'number', resolution: 0.1 }).step, 0.5)
  assert.is(scaleOf({ limits }, { dtype: 'integer' }).step, 1)
})

test('a free sweep follows the one before, a triggered one begins where the signal rises through the level', () => {
  let sweep: Sweep | undefined = sweepAt(100, undefined, { seconds: 2 })
  assert.equal(sweep, { from: 98, before: undefined })
  sweep = sweepAt(99, { from: 98, before: undefined }, { seconds: 2 })
  assert.is(sweep?.from, 98)
  assert.equal(sweepAt(105, sweep, { seconds: 2 }), { from: 104, before: 102 })

  const time = Array.from({ length: 100 }, (_, i) => i / 10)
  const history = { time, values: time.map((at) => (at % 1 < 0.5 ? -1 : 1)) }
  const rule = { seconds: 0.8, trigger: { history, level: 0 } }
  const first = sweepAt(9.9, undefined, rule)
  assert.ok(Math.abs((first?.from ?? 0) - 9.45) < 1e-9)
  assert.ok(Math.abs((first?.before ?? 0) - 8.45) < 1e-9)
  assert.is(sweepAt(9.9, undefined, { ...rule, trigger: { history, level: 5 } }), undefined)
  assert.equal(sweepAt(0, undefined, { seconds: 2 }), undefined, 'nothing was read')
  const part = cut(history, 1, 0.25)
  assert.is(part.time.length, 3)
  assert.is(part.time[0], 0)
})

test('a signal has one colour, counted over the numbers that the panel shows, and the name that the panel gives it', () => {
  const lab = readLabs().get('diode-iv')
  const panel = lab?.session?.panel
  if (lab === undefined || panel === undefined) throw new Error('the diode has a panel')
  const signals = signalsOf(lab.detail.parts)
  const colours = signalColours(panel, signals)
  assert.equal(
    [...colours],
    [
      ['psu.voltage', 1],
      ['voltmeter.voltage', 2],
      ['ammeter.current', 3],
    ],
  )
  const names = named(signals, panel, (title) => (typeof title === 'string' ? title : (title.en ?? '')))
  assert.is(names.get('psu.voltage')?.title, 'Supply voltage')
  assert.is(names.get('psu.current_limit')?.title, 'Current limit')
})

test.run()
