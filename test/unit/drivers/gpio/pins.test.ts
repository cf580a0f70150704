/** Debouncing, counting and PWM by software, on a clock that the test moves. */
import { createDebounce } from '@fernlab/edge/drivers/gpio/pins/debounce'
import { createPulses } from '@fernlab/edge/drivers/gpio/pins/pulses'
import { softwarePwm } from '@fernlab/edge/drivers/gpio/pins/software-pwm'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { suite } from '../../../support/suite.ts'

const test = suite('gpio: pins')

/** A debounced line on a clock, with the level that the line really has. */
function contact(debounceMs: number) {
  const clock = new ManualClock(0)
  let level = false
  const debounce = createDebounce({ level, timeMs: 0, debounceMs, clock, read: async () => level })
  return {
    clock,
    debounce,
    edge: (to: boolean) => {
      level = to
      debounce.edge({ level: to, timeMs: clock.now() })
    },
  }
}

test('a bouncing contact is one change, at the time of its first touch', async () => {
  const { clock, debounce, edge } = contact(10)
  await clock.advance(100)
  for (const level of [true, false, true, false, true]) {
    edge(level)
    await clock.advance(2)
  }
  assert.equal(debounce.state(), { level: false, edges: 0, sinceMs: 0 })
  await clock.advance(10)
  assert.equal(debounce.state(), { level: true, edges: 1, sinceMs: 100 })
})

test('a spike shorter than the time is no change', async () => {
  const { clock, debounce, edge } = contact(10)
  edge(true)
  await clock.advance(3)
  edge(false)
  await clock.advance(50)
  assert.equal(debounce.state(), { level: false, edges: 0, sinceMs: 0 })
})

test('what the line is at rest counts, also when its last edge was missed', async () => {
  const clock = new ManualClock(0)
  const debounce = createDebounce({ level: false, timeMs: 0, debounceMs: 5, clock, read: async () => false })
  debounce.edge({ level: true, timeMs: 0 })
  await clock.advance(20)
  assert.is(debounce.state().level, false)
})

test('without debouncing each change counts at once, and a closed one never', async () => {
  const { clock, debounce, edge } = contact(0)
  edge(true)
  edge(true)
  edge(false)
  assert.is(debounce.state().edges, 2)
  const other = contact(5)
  other.edge(true)
  other.debounce.close()
  await other.clock.advance(50)
  assert.is(other.debounce.state().edges, 0)
  assert.is(clock.now(), 0)
})

test('a frequency is that of the edges in its window, and falls as they stay away', () => {
  const pulses = createPulses({ deadMs: 0, windowMs: 1000 })
  assert.is(pulses.frequency(0), 0)
  for (let i = 0; i <= 100; i++) pulses.edge(i * 20)
  assert.is(pulses.count, 101)
  assert.ok(Math.abs(pulses.frequency(2000) - 50) < 1e-9)
  assert.ok(Math.abs(pulses.frequency(2500) - 2) < 1e-9)
  assert.is(pulses.frequency(13_000), 0)
})

test('a period longer than the window is measured all the same', () => {
  const pulses = createPulses({ deadMs: 0, windowMs: 1000 })
  for (const timeMs of [0, 4000, 8000]) pulses.edge(timeMs)
  assert.ok(Math.abs(pulses.frequency(8001) - 0.25) < 1e-9)
})

test('bounces of an edge do not count, and a clock set back does not stop the count', () => {
  const pulses = createPulses({ deadMs: 5, windowMs: 1000 })
  assert.equal([0, 1, 4.9, 5, 9, 12].map(pulses.edge), [true, false, false, true, false, true])
  assert.equal([-1e6, -1e6 + 2].map(pulses.edge), [true, false])
  assert.is(pulses.count, 4)
  pulses.reset()
  assert.is(pulses.count, 0)
})

test('keeps what it needs of a million edges, and no more', () => {
  const pulses = createPulses({ deadMs: 0, windowMs: 60_000 })
  for (let i = 0; i < 1e6; i++) pulses.edge(i * 0.1)
  assert.is(pulses.count, 1e6)
  assert.ok(Math.abs(pulses.frequency(1e5) - 10_000) < 1)
})

test('PWM by software is high for its share of the time, to the average of its fractions of ms', async () => {
  const clock = new ManualClock(0)
  let level = false
  let highMs = 0
  let sinceMs = 0
  const write = async (to: boolean) => {
    if (level) highMs += clock.monotonic() - sinceMs
    sinceMs = clock.monotonic()
    level = to
  }
  const line = { write, read: async () => level, close: write }
  const pwm = softwarePwm({ line, frequencyHz: 100, duty: 0, clock })
  await pwm.write(0.333)
  await clock.advance(10_000)
  assert.ok(Math.abs(highMs / 10_000 - 0.333) < 0.002, String(highMs / 10_000))
  await pwm.write(1)
  await clock.advance(1000)
  assert.is(level, true)
  await pwm.close(0)
  await clock.advance(1000)
  assert.is(level, false)
})

test('PWM by software tells of a write that failed', async () => {
  const clock = new ManualClock(0)
  const gone = new Error('gone')
  let broken = false
  const write = async () => {
    if (broken) throw gone
  }
  const pwm = softwarePwm({ line: { write, read: async () => false, close: write }, frequencyHz: 10, duty: 0, clock })
  await pwm.write(0.5)
  broken = true
  await clock.advance(500)
  let error: unknown
  await pwm.write(0.6).catch((thrown: unknown) => {
    error = thrown
  })
  assert.is(error, gone)
})

test('PWM by software reaches its line again after a write that failed, also to be safe', async () => {
  for (const safe of [0, 1]) {
    const clock = new ManualClock(0)
    let broken = false
    let level = safe === 0
    const write = async (to: boolean) => {
      if (broken) throw new Error('gone')
      level = to
    }
    const line = { write, read: async () => level, close: write }
    const pwm = softwarePwm({ line, frequencyHz: 10, duty: 0, clock })
    await pwm.write(0.5)
    broken = true
    await clock.advance(500)
    broken = false
    level = safe === 0
    await pwm.write(safe)
    assert.is(level, safe === 1)
    await pwm.close(0)
  }
})

test.run()
