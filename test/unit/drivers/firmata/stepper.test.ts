import type { Transport } from '@fernlab/firmware-bridge/transports/transport'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { parseUnit } from '@fernlab/shared/primitives/units'
import * as assert from 'uvu/assert'
import { rejection } from '../../../contract/driver-contract.ts'
import { type OnBoard, onFirmataBoard } from '../../../support/firmata/emulated-board.ts'
import { suite } from '../../../support/suite.ts'

const test = suite('motors at a board that speaks Firmata')

const stage = {
  direction: 'stepper',
  stepPin: 2,
  directionPin: 3,
  enablePin: 4,
  unit: 'mm',
  stepsPerUnit: -80,
  speed: 10,
  acceleration: 20,
  limits: { low: 0, high: 60 },
}
const config = { pins: { stage, lamp: { direction: 'out', pin: 13 } } }

test('move to a position in their unit, as fast as they may, and say when they are there', () =>
  onFirmataBoard({ config }, async ({ instrument, clock, signal, sent }) => {
    const read = async () => {
      const readings = await instrument.read(['stage', 'stage_moving'], signal)
      return [readings.stage?.value, readings.stage_moving?.value] as const
    }
    assert.equal(await read(), [0, false])
    const startMs = clock.monotonic()
    await instrument.set('stage', 20, signal)
    await clock.sleep(1000)
    const [midway, moves] = await read()
    assert.is(moves, true)
    // Half a second to 10 mm/s: 2.5 mm, and then 5 mm.
    assert.ok(Math.abs(Number(midway) - 7.5) < 0.3, `${midway}`)
    let now = await read()
    while (now[1]) {
      await clock.sleep(20)
      now = await read()
    }
    assert.equal(now, [20, false])
    assert.ok(Math.abs(clock.monotonic() - startMs - 2500) < 100, `${clock.monotonic() - startMs}`)
    assert.ok(
      sent.some((bytes) => bytes.includes('f062030040' + '0c000008f7')),
      'to -1600 steps',
    )
  }))

test('stand when they are stopped, count from there when they are zeroed, and never leave their limits', () =>
  onFirmataBoard({ config }, async ({ instrument, clock, signal }) => {
    const position = async () => Number((await instrument.read(['stage'], signal)).stage?.value)
    await instrument.set('stage', 50, signal)
    await clock.sleep(2000)
    await instrument.call('stop_stage', {}, signal)
    await clock.sleep(1000)
    const stood = await position()
    await clock.sleep(1000)
    assert.is(await position(), stood)
    // 17.5 mm, and as long to slow down as it took to speed up.
    assert.ok(Math.abs(stood - 20) < 0.5, `${stood}`)
    assert.is((await instrument.read(['stage_moving'], signal)).stage_moving?.value, false)
    await instrument.call('zero_stage', {}, signal)
    assert.is(await position(), 0)
    for (const beyond of [-0.5, 61]) {
      assert.is((await rejection(instrument.set('stage', beyond, signal))).code, 'value-out-of-limits')
    }
  }))

test('do not turn the other way for a position beyond what a board can count', () => {
  const far = { ...stage, limits: { low: -1e10 } }
  return onFirmataBoard({ config: { pins: { stage: far } } }, async ({ instrument, signal, sent }) => {
    const before = sent.length
    for (const beyond of [2 ** 28 / 80, -(2 ** 28) / 80, 1e9]) {
      const refused = await rejection(instrument.set('stage', beyond, signal))
      assert.is(refused.code, 'value-out-of-limits')
      assert.match(refused.message, /outside -3355443\.\d+ to 3355443\.\d+ mm/)
    }
    assert.is(sent.length, before)
  })
})

/** Seconds until it stands. */
async function travel({ instrument, clock, signal }: OnBoard): Promise<number> {
  const startMs = clock.monotonic()
  while ((await instrument.read(['stage_moving'], signal)).stage_moving?.value === true) await clock.sleep(10)
  return (clock.monotonic() - startMs) / 1000
}

test('go as fast as they are told, up to what node.yaml has', () =>
  onFirmataBoard({ config }, async (up) => {
    const { instrument, signal, sent } = up
    const rates = async () => {
      const { stage_speed, stage_acceleration } = await instrument.read(['stage_speed', 'stage_acceleration'], signal)
      return [stage_speed?.value, stage_acceleration?.value]
    }
    assert.equal(await rates(), [10, 20])
    assert.is(
      instrument.spec.signals.map(({ name, unit }) => `${name} ${unit}`).join(),
      'stage mm,stage_moving 1,stage_speed mm/s,stage_acceleration mm/s2,stage_enabled 1,lamp 1',
    )
    for (const { unit } of instrument.spec.signals) parseUnit(unit)
    await instrument.set('stage', 20, signal)
    const fast = await travel(up)
    await instrument.set('stage_speed', 4, signal)
    await instrument.set('stage_acceleration', 8, signal)
    assert.equal(await rates(), [4, 8])
    await instrument.set('stage', 0, signal)
    const slow = await travel(up)
    // 20 mm: 1.5 s at 10 mm/s and half a second each to speed up and to slow down; 4.5 s at 4 mm/s and as long.
    assert.ok(Math.abs(fast - 2.5) < 0.15, `${fast} s`)
    assert.ok(Math.abs(slow - 5.5) < 0.15, `${slow} s`)
    const before = sent.length
    for (const [name, value] of [
      ['stage_speed', 10.1],
      ['stage_speed', 0],
      ['stage_speed', -4],
      ['stage_acceleration', 21],
      ['stage_acceleration', 0],
    ] as const) {
      assert.is((await rejection(instrument.set(name, value, signal))).code, 'value-out-of-limits', `${name} ${value}`)
    }
    assert.is(sent.length, before)
    assert.equal(await rates(), [4, 8])
  }))

test('without an acceleration have none to be set, and without a unit a speed in steps', () => {
  const { acceleration: _, unit: __, enablePin: ___, ...plain } = stage
  return onFirmataBoard({ config: { pins: { stage: plain } } }, async ({ instrument, signal }) => {
    assert.is(
      instrument.spec.signals.map(({ name, unit }) => `${name} ${unit}`).join(),
      'stage 1,stage_moving 1,stage_speed 1/s',
    )
    for (const { unit } of instrument.spec.signals) parseUnit(unit)
    assert.is((await rejection(instrument.set('stage_acceleration', 1, signal))).code, 'signal-unknown')
  })
})

test('move by a distance from where they are, within their limits', () =>
  onFirmataBoard({ config }, async (up) => {
    const { instrument, signal, sent } = up
    const position = async () => (await instrument.read(['stage'], signal)).stage?.value
    for (const [by, to] of [
      [12.5, 12.5],
      [-2.5, 10],
      [50, 60],
      [-60, 0],
    ] as const) {
      await instrument.call('move_stage', { by }, signal)
      await travel(up)
      assert.is(await position(), to)
    }
    const told = () => sent.filter((bytes) => bytes.startsWith('f06203')).length
    const before = told()
    for (const [by, code] of [
      [-0.1, 'value-out-of-limits'],
      [60.1, 'value-out-of-limits'],
      [Number.NaN, 'value-wrong'],
      [undefined, 'value-wrong'],
    ] as const) {
      const args = by === undefined ? {} : { by }
      assert.is((await rejection(instrument.call('move_stage', args, signal))).code, code, `${by}`)
    }
    assert.is(told(), before, 'it was sent nowhere')
  }))

test('that are sent on are on their way, though it is then said that they have come where they were sent before', () => {
  const clock = new ManualClock()
  const lateMs = 200
  const wire = (given: Transport): Transport => ({
    ...given,
    onData: (listener) => given.onData((bytes) => clock.after(lateMs, () => listener(bytes))),
  })
  return onFirmataBoard({ config, wire, clock }, async (up) => {
    const { instrument, signal } = up
    await instrument.set('stage', 1, signal)
    // It is there after 0.45 s, of which the node hears 0.2 s later.
    await clock.sleep(300)
    await instrument.set('stage', 2, signal)
    assert.is((await instrument.read(['stage_moving'], signal)).stage_moving?.value, true)
    await travel(up)
    assert.is((await instrument.read(['stage'], signal)).stage?.value, 2)
  })
})

test('hold nothing while they are not enabled, and are moved nowhere then', () =>
  onFirmataBoard({ config }, async (up) => {
    const { instrument, clock, signal, sent } = up
    const read = async (name: string) => (await instrument.read([name], signal))[name]?.value
    const told = (command: string) => sent.filter((bytes) => bytes.includes(`f062${command}`)).length
    assert.is(await read('stage_enabled'), true)
    await instrument.set('stage', 50, signal)
    await clock.sleep(1000)
    const stops = told('0500f7')
    await instrument.set('stage_enabled', false, signal)
    assert.is(told('0500f7'), stops + 1, 'it is stopped first')
    assert.is(told('040000f7'), 1)
    await travel(up)
    assert.is(await read('stage_enabled'), false)
    const moves = told('0300')
    for (const move of [
      () => instrument.set('stage', 1, signal),
      () => instrument.call('move_stage', { by: 1 }, signal),
    ]) {
      const { code, message } = await rejection(move())
      assert.is(code, 'motor-off')
      assert.match(message, /cannot move stage while it holds nothing: set stage_enabled first/)
    }
    assert.is(told('0300'), moves)
    await instrument.set('stage_enabled', true, signal)
    await instrument.set('stage', 1, signal)
    await travel(up)
    assert.is(await read('stage'), 1)
    assert.is((await rejection(instrument.set('stage_enabled', 1, signal))).code, 'value-wrong')
  }))

test('are told which level of their enable pin is on', async () => {
  for (const [enableActiveLow, inverted] of [
    [true, '10'],
    [false, '00'],
  ] as const) {
    const config = { pins: { stage: { ...stage, enableActiveLow } } }
    await onFirmataBoard({ config }, async ({ sent }) => {
      assert.ok(
        sent.some((bytes) => bytes.startsWith(`f0620000110203${'04'}${inverted}f7`)),
        sent.join(' '),
      )
    })
  }
})

test('stand as the instrument closes', () => {
  let left = ''
  return onFirmataBoard({ config }, async ({ instrument, signal, sent }) => {
    await instrument.set('stage', 50, signal)
    await instrument.close()
    left = sent.join(' ')
    assert.match(left, /f0620500f7/)
  })
})

test.run()
