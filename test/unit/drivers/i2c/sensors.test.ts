import { ads1115Config, ads1115Volts } from '@fernlab/edge/drivers/i2c/chips/ads1115'
import {
  bme280Trimming,
  fineTemperature,
  humidityPercent,
  pressurePa,
  type Trimming,
} from '@fernlab/edge/drivers/i2c/chips/bme280-compensation'
import { crc8, sht31Values } from '@fernlab/edge/drivers/i2c/chips/sht31'
import { bme280Fine, bme280Humidity, bme280Memory, bme280Pressure } from '@fernlab/firmware-bridge/emulated/i2c/bme280'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../../support/suite.ts'

const test = suite('sensors on I2C by their datasheets')

test('SHT31: the checksum and the ends of the scales', () => {
  assert.is(crc8(Uint8Array.of(0xbe, 0xef)), 0x92)
  const of = (temperature: number, humidity: number) => {
    const bytes = [temperature, humidity].flatMap((word) => {
      const pair = [word >> 8, word & 0xff]
      return [...pair, crc8(Uint8Array.from(pair))]
    })
    return sht31Values(Uint8Array.from(bytes))
  }
  assert.equal(of(0, 0), { temperature: -45, humidity: 0 })
  assert.equal(of(0xffff, 0xffff), { temperature: 130, humidity: 100 })
  assert.is(of(0x6666, 0x8000).temperature, 25)
})

test('SHT31: no single wrong bit of an answer is taken', () => {
  const good = [0x66, 0x66, crc8(Uint8Array.of(0x66, 0x66)), 0x80, 0x00, crc8(Uint8Array.of(0x80, 0x00))]
  for (let bit = 0; bit < 48; bit++) {
    const bytes = Uint8Array.from(good)
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    assert.throws(
      () => sht31Values(bytes),
      (error: LabError) => error.code === 'i2c-checksum-wrong' && error.retry === 'now',
    )
  }
})

/** Of the worked example in BST-BMP280-DS001, section 3.12, whose formulas for temperature and pressure the BME280 has. */
const example: Trimming = {
  t: [27504, 26435, -1000],
  p: [36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000],
  h: [75, 362, 0, 313, 50, 30],
}

test('BME280: the worked example of Bosch', () => {
  const fine = fineTemperature(example, 519888)
  assert.is(Math.trunc(fine), 128422)
  assert.is((fine / 5120).toFixed(2), '25.08')
  assert.is(pressurePa(example, 415148, fine).toFixed(2), '100653.27')
  assert.ok(Math.abs(bme280Pressure(415148, 128422) / 256 - 100653.27) < 0.05)
})

test('BME280: trimming values are found where the memory map has them', () => {
  const { low, high } = bme280Memory()
  assert.equal(bme280Trimming(low, high), example)
  const signs = bme280Trimming(
    Uint8Array.from({ length: 26 }, () => 0xff),
    Uint8Array.from({ length: 7 }, () => 0xff),
  )
  assert.equal(signs.t, [65535, -1, -1])
  assert.equal(signs.h, [255, -1, 255, -1, -1, -1])
  const nibbles = bme280Trimming(new Uint8Array(26), Uint8Array.of(0, 0, 0, 0x12, 0xab, 0x34, 0))
  assert.equal(nibbles.h.slice(3, 5), [0x12b, 0x34a])
})

test('BME280: its formulas for double precision and those for whole numbers say the same', () => {
  const anywhere = fc.record({
    t: fc.integer({ min: 380_000, max: 640_000 }),
    p: fc.integer({ min: 200_000, max: 650_000 }),
    h: fc.integer({ min: 18_000, max: 45_000 }),
  })
  fc.assert(
    fc.property(anywhere, ({ t, p, h }) => {
      const fine = fineTemperature(example, t)
      const pa = bme280Pressure(p, bme280Fine(t)) / 256
      // Where the chip works: from -40 to 85 °C, from 300 to 1100 hPa.
      fc.pre(fine > -40 * 5120 && fine < 85 * 5120 && pa > 30_000 && pa < 110_000)
      assert.ok(Math.abs(fine - bme280Fine(t)) < 0.005 * 5120, 'temperature')
      const whole = bme280Fine(t)
      assert.ok(Math.abs(pressurePa(example, p, whole) - pa) < 0.02, 'pressure')
      assert.ok(Math.abs(humidityPercent(example, h, whole) - bme280Humidity(h, whole) / 1024) < 0.02, 'humidity')
    }),
  )
})

test('ADS1115: config words and the ends of its scale', () => {
  // Power-on, but for the comparator: AIN0 against AIN1, 2.048 V, 128 conversions a second.
  assert.is(ads1115Config({ pin: 'A0-A1', rangeV: 2.048 }, 128), 0x8583)
  assert.is(ads1115Config({ pin: 'A0', rangeV: 4.096 }, 860), 0xc3e3)
  assert.is(ads1115Config({ pin: 'A2-A3', rangeV: 0.256 }, 8), 0xbb03)
  assert.is(ads1115Volts(0x4000, 2.048, 'x'), 1.024)
  assert.is(ads1115Volts(0xffff, 2.048, 'x'), -2.048 / 32768)
  assert.is(ads1115Volts(0x7ffe, 4.096, 'x'), 4.096 * (32766 / 32768))
  for (const end of [0x7fff, 0x8000]) {
    assert.throws(
      () => ads1115Volts(end, 2.048, 'x'),
      (error: LabError) => error.code === 'reading-overload',
    )
  }
})

test.run()
