import { lm75, lm75Celsius } from '@fernlab/edge/drivers/i2c/chips/lm75'
import { tmp102, tmp102Celsius } from '@fernlab/edge/drivers/i2c/chips/tmp102'
import { tmp105, tmp105Celsius } from '@fernlab/edge/drivers/i2c/chips/tmp105'
import * as assert from 'uvu/assert'
import { suite } from '../../../support/suite.ts'

const test = suite('thermometers on I2C by their datasheets')

test('TMP102: the twelve-bit examples of its datasheet', () => {
  const examples: [number, number][] = [
    [0x7ff, 127.9375],
    [0x640, 100],
    [0x500, 80],
    [0x4b0, 75],
    [0x320, 50],
    [0x190, 25],
    [0x004, 0.25],
    [0x000, 0],
    [0xffc, -0.25],
    [0xe70, -25],
    [0xc90, -55],
  ]
  for (const [counts, cel] of examples) {
    assert.is(tmp102Celsius(counts << 4), cel)
    assert.is(tmp105Celsius(counts << 4), cel)
  }
})

test('TMP102: the thirteen-bit examples, told apart by bit 0 of the word', () => {
  const examples: [number, number][] = [
    [0x0960, 150],
    [0x0800, 128],
    [0x07ff, 127.9375],
    [0x0640, 100],
    [0x0190, 25],
    [0x0004, 0.25],
    [0x1ffc, -0.25],
    [0x1e70, -25],
    [0x1c90, -55],
  ]
  for (const [counts, cel] of examples) assert.is(tmp102Celsius((counts << 3) | 1), cel)
})

test('LM75: the nine-bit examples, whatever the seven bits behind them say', () => {
  const examples: [number, number][] = [
    [0x0fa, 125],
    [0x032, 25],
    [0x001, 0.5],
    [0x000, 0],
    [0x1ff, -0.5],
    [0x1ce, -25],
    [0x192, -55],
  ]
  for (const [counts, cel] of examples) {
    assert.is(lm75Celsius(counts << 7, 9), cel)
    assert.is(lm75Celsius((counts << 7) | 0x7f, 9), cel)
  }
})

test('LM75B: the eleven-bit examples', () => {
  const examples: [number, number][] = [
    [0x3f8, 127],
    [0x3f7, 126.875],
    [0x001, 0.125],
    [0x7ff, -0.125],
    [0x649, -54.875],
    [0x648, -55],
  ]
  for (const [counts, cel] of examples) assert.is(lm75Celsius(counts << 5, 11), cel)
})

test('the uncertainty of a thermometer holds over its whole range', () => {
  // Each is within 3 °C there, and within 2 °C in a part of it.
  for (const [model, settings, step] of [
    [tmp102, { bits: 12, rateHz: 4 }, 0.0625],
    [tmp105, { bits: 12 }, 0.0625],
    [lm75, { bits: 9 }, 0.5],
  ] as const) {
    const [temperature] = model.create(settings).signals
    const wanted = Math.sqrt(3 ** 2 / 3 + step ** 2 / 12)
    assert.ok(Math.abs((temperature?.uncertainty?.absolute ?? 0) - wanted) < 1e-9, model.name)
  }
})

test.run()
