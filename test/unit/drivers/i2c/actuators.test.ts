import { ina219, ina219Scale } from '@fernlab/edge/drivers/i2c/chips/ina219'
import { mcp4725, mcp4725State } from '@fernlab/edge/drivers/i2c/chips/mcp4725'
import { pca9685Prescale, pca9685Registers, pca9685Steps } from '@fernlab/edge/drivers/i2c/chips/pca9685'
import { ina219Registers } from '@fernlab/firmware-bridge/emulated/i2c/ina219'
import * as assert from 'uvu/assert'
import { suite } from '../../../support/suite.ts'

const test = suite('outputs and meters on I2C by their datasheets')

test('INA219: the worked example of its datasheet, 10 A at 11.98 V through 2 mOhm', () => {
  // With steps of 1 mA the calibration is 20480, the current reads 10000, the power 5990 steps of 20 mW.
  assert.equal(ina219Registers(2000, 2995, 20480), [0x07d0, 0x5d98 | 2, 0x1766, 0x2710])
  const scale = ina219Scale({ shuntOhm: 0.002, maxCurrentA: 32.768, averaged: 1 })
  assert.is(scale?.calibration, 20480)
  assert.ok(Math.abs((scale?.currentStepA ?? 0) - 1e-3) < 1e-12)
  assert.ok(Math.abs((scale?.powerStepW ?? 0) - 20e-3) < 1e-12)
})

test('INA219: gain and averaging by the current and the shunt, and what does not fit', () => {
  const scale = (shuntOhm: number, maxCurrentA: number, averaged = 1) =>
    ina219Scale({ shuntOhm, maxCurrentA, averaged })
  // As after power-on, but for the averaging: 320 mV, 32 V, 12 bits, continuous.
  assert.is(scale(0.1, 3.2)?.configuration, 0x3c47)
  assert.is(scale(0.1, 0.4)?.configuration, 0x2447)
  assert.is(scale(0.1, 0.4, 128)?.configuration, 0x27ff)
  assert.is(scale(0.1, 3.3), undefined)
  assert.is(scale(0.1, 0.001), undefined)
  assert.is(((scale(0.1, 3.2)?.calibration ?? 1) & 1) === 0, true)
})

test('INA219: its errors are those of the range that its settings choose', () => {
  const signals = (shuntOhm: number, maxCurrentA: number) =>
    Object.fromEntries(
      ina219
        .create({ shuntOhm, maxCurrentA, averaged: 8 })
        .signals.map(({ name, uncertainty }) => [name, uncertainty] as const),
    )
  // SBOS448G, 7.5: offsets of the grade A by gain, in µV.
  const offsets = [
    [0.4, 100],
    [0.8, 125],
    [1.6, 150],
    [3.2, 200],
  ] as const
  for (const [maxCurrentA, offsetUv] of offsets) {
    const { shunt_voltage: shunt, current } = signals(0.1, maxCurrentA)
    assert.ok(Math.abs((shunt?.absolute ?? 0) * Math.sqrt(3) - offsetUv * 1e-6) < 1e-12, String(maxCurrentA))
    assert.ok(Math.abs((current?.absolute ?? 0) * Math.sqrt(3) - (offsetUv * 1e-6) / 0.1) < 1e-12, String(maxCurrentA))
    assert.ok(Math.abs((current?.relative ?? 0) * Math.sqrt(3) - 0.01) < 1e-12)
  }
})

test('PCA9685: the prescaler by its equation, with the example of its datasheet', () => {
  assert.is(pca9685Prescale(200), 0x1e)
  assert.is(pca9685Prescale(50), 121)
  assert.is(pca9685Prescale(1526), 3)
  assert.is(pca9685Prescale(24), 253)
})

test('PCA9685: the registers of an output say the width that they were made for', () => {
  for (const steps of [0, 1, 409, 2048, 4095, 4096]) assert.is(pca9685Steps(pca9685Registers(steps)), steps)
  assert.equal([...pca9685Registers(0)], [0, 0, 0, 0x10])
  assert.equal([...pca9685Registers(4096)], [0, 0x10, 0, 0])
  assert.equal([...pca9685Registers(819)], [0, 0, 0x33, 0x03])
  // Of its datasheet, 7.3.3: delayed by 10 %, on for 20 %.
  assert.is(pca9685Steps(Uint8Array.of(0x99, 0x01, 0xcc, 0x04)), 819)
  // And on over the end of the period: delayed by 90 %, on for 90 %.
  assert.is(pca9685Steps(Uint8Array.of(0x65, 0x0e, 0xcb, 0x0c)), 3686)
})

test('MCP4725: its uncertainty has non-linearity, offset and gain', () => {
  const [voltage] = mcp4725.create({ supplyV: 4.096, pullDown: '1k' }).signals
  const { absolute = 0, relative = 0 } = voltage?.uncertainty ?? {}
  // DS22039D: 14.5 steps of 1 mV, and 0.75 % of 4.096 V.
  assert.ok(Math.abs(absolute * Math.sqrt(3) - Math.hypot(0.0145, 0.03072)) < 1e-9)
  assert.ok(Math.abs(relative * Math.sqrt(3) - 0.02) < 1e-9)
})

test('MCP4725: its five bytes', () => {
  assert.equal(mcp4725State(Uint8Array.of(0xc0, 0x80, 0x00, 0x08, 0x00)), { counts: 0x800, isOn: true, isReady: true })
  assert.equal(mcp4725State(Uint8Array.of(0x42, 0xff, 0xf0, 0, 0)), { counts: 0xfff, isOn: false, isReady: false })
})

test.run()
