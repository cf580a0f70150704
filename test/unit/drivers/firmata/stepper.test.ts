import * as assert from 'uvu/assert'
import { rejection } from '../../../contract/driver-contract.ts'
import { onFirmataBoard } from '../../../support/firmata/emulated-board.ts'
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
