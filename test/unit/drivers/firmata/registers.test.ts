import { firmataConfigSchema } from '@fernlab/edge/drivers/firmata/config'
import { createFirmataDriver } from '@fernlab/edge/drivers/firmata/firmata'
import { planOf } from '@fernlab/edge/drivers/firmata/plan'
import { bytesFor, bytesOf, limitsOf, settableNumbers, valueIn } from '@fernlab/edge/drivers/firmata/registers'
import type { Transport } from '@fernlab/firmware-bridge/transports/transport'
import * as fc from 'fast-check'
import * as assert from 'uvu/assert'
import { rejection } from '../../../contract/driver-contract.ts'
import { onFirmataBoard } from '../../../support/firmata/emulated-board.ts'
import { suite } from '../../../support/suite.ts'

const test = suite('registers of chips at a board that speaks Firmata')

const transport = { kind: 'serial', path: '/dev/ttyACM0' }
const plain = { bytes: 'high-first', scale: 1, offset: 0 } as const

test('are numbers of their type, in the order of their bytes', () => {
  const cases = [
    ['uint8', [0xfe], 254, 254],
    ['int8', [0xfe], -2, -2],
    ['uint16', [0x80, 0x01], 0x8001, 0x0180],
    ['int16', [0xff, 0x7f], -129, 0x7fff],
    ['uint24', [0xff, 0x00, 0x01], 0xff0001, 0x0100ff],
    ['int24', [0x80, 0x00, 0x00], -(2 ** 23), 0x80],
    ['uint32', [0xff, 0xff, 0xff, 0xfe], 2 ** 32 - 2, 0xfeffffff],
    ['int32', [0xff, 0xff, 0xff, 0xfe], -2, 0xfeffffff - 2 ** 32],
  ] as const
  for (const [type, bytes, highFirst, lowFirst] of cases) {
    assert.is(bytesOf({ type }), bytes.length)
    assert.is(valueIn({ ...plain, type }, Uint8Array.from(bytes)), highFirst, type)
    assert.is(valueIn({ ...plain, type, bytes: 'low-first' }, Uint8Array.from(bytes)), lowFirst, type)
  }
})

test('have a mask before the scale, and no digits that come of rounding', () => {
  const type = 'uint16'
  assert.is(valueIn({ ...plain, type, mask: 0x0fff, scale: 0.1, offset: -40 }, Uint8Array.of(0xf2, 0x63)), 21.1)
  assert.is(valueIn({ ...plain, type: 'uint32', mask: 0xf0000000 }, Uint8Array.of(0x9f, 1, 1, 1)), 0x90000000)
})

test('are written as they are read, whatever their type, order, scale and limits', () => {
  const types = ['int8', 'uint8', 'int16', 'uint16', 'int24', 'uint24', 'int32', 'uint32']
  const form = fc.record({
    type: fc.constantFrom(...types),
    bytes: fc.constantFrom('high-first' as const, 'low-first' as const),
    scale: fc.constantFrom(1, 0.1, -0.5, 1 / 256, 5 / 65_536, 25),
    offset: fc.constantFrom(0, -40, 12.5),
    limits: fc.option(fc.record({ low: fc.integer({ min: -200, max: 0 }), high: fc.integer({ min: 1, max: 300 }) }), {
      nil: undefined,
    }),
  })
  fc.assert(
    fc.property(form, fc.double({ min: 0, max: 1, noNaN: true }), ({ limits, ...rest }, share) => {
      const given = limits === undefined ? rest : { ...rest, limits }
      fc.pre(settableNumbers(given) !== undefined)
      const { low, high } = limitsOf(given)
      const value = low + share * (high - low)
      const bytes = bytesFor(given, value)
      assert.is(bytes.length, bytesOf(given))
      const back = valueIn(given, bytes)
      const slack = 1e-9 * Math.max(1, Math.abs(low), Math.abs(high))
      assert.ok(back >= low - slack && back <= high + slack, `${back} is outside ${low} to ${high}`)
      assert.ok(Math.abs(back - value) < Math.abs(given.scale) + slack, `${back} for ${value}`)
      assert.equal(bytesFor(given, back), bytes)
    }),
    { numRuns: 2000 },
  )
})

test('are written within their limits, though the nearest step is outside', () => {
  const form = { ...plain, type: 'int16', scale: 4, limits: { low: -10, high: 10 } }
  assert.is(valueIn(form, bytesFor(form, 10)), 8)
  assert.is(valueIn(form, bytesFor(form, -10)), -8)
  assert.equal(limitsOf(form), { low: -10, high: 10 })
  assert.equal(limitsOf({ ...plain, type: 'uint8', scale: -0.1 }), { low: -25.5, high: 0 })
  assert.is(settableNumbers({ ...form, limits: { low: 1, high: 3 } }), undefined)
})

const thermostat = { address: 0x48, register: 3, type: 'int16', scale: 1 / 256, unit: 'Cel', access: 'read-set' }
const output = { address: 0x60, register: 0x40, type: 'uint16', scale: 5 / 65_536, unit: 'V', access: 'set' }
const level = { direction: 'analog', pin: 'A2' }

test('of a chip at the board take what they are set to, and give it back', () =>
  onFirmataBoard({ config: { i2c: { registers: { alarm: thermostat } } } }, async ({ instrument, signal, sent }) => {
    const [spec] = instrument.spec.signals
    assert.is(spec?.access, 'read-set')
    assert.equal(spec?.limits, { low: -128, high: 127.99609375 })
    for (const celsius of [30.5, -12.25, 127.99609375]) {
      await instrument.set('alarm', celsius, signal)
      assert.is((await instrument.read(['alarm'], signal)).alarm?.value, celsius)
    }
    const written = sent.filter((bytes) => bytes.startsWith('f0764800'))
    assert.ok(written[0]?.startsWith('f0764800' + '0300' + '1e00' + '0001' + 'f7'), written[0])
    for (const [value, code] of [
      [128, 'value-out-of-limits'],
      [Number.NaN, 'value-wrong'],
      [true, 'value-wrong'],
    ] as const) {
      assert.is((await rejection(instrument.set('alarm', value, signal))).code, code)
    }
    assert.is(sent.filter((bytes) => bytes.startsWith('f0764800')).length, written.length, 'nothing of it was written')
  }))

test('that cannot be read are set, at first, as told and as the instrument closes', async () => {
  const config = {
    pins: { level },
    i2c: { registers: { output: { ...output, initial: 1, safe: 0, limits: { high: 3 } } } },
  }
  await onFirmataBoard({ config }, async ({ instrument, signal, sent }) => {
    const volts = async () => Number((await instrument.read(['level'], signal)).level?.value)
    assert.ok(Math.abs((await volts()) - 1) < 0.01)
    await instrument.set('output', 2.5, signal)
    assert.ok(Math.abs((await volts()) - 2.5) < 0.01)
    assert.is((await rejection(instrument.set('output', 3.1, signal))).code, 'value-out-of-limits')
    assert.is((await rejection(instrument.read(['output'], signal))).code, 'signal-unknown')
    await instrument.setTogether?.(new Map([['output', 0.5]]), signal)
    assert.ok(Math.abs((await volts()) - 0.5) < 0.01)
    await instrument.close()
    assert.ok(sent.at(-1)?.startsWith('f0766000' + '4000' + '0000' + '0000' + 'f7'), sent.at(-1))
  })
})

test('are set one after the other, also when nobody waits', () =>
  onFirmataBoard({ config: { i2c: { registers: { alarm: thermostat } } } }, async ({ instrument, signal }) => {
    await Promise.all([10, 20, 30, 40, 50, 60].map((celsius) => instrument.set('alarm', celsius, signal)))
    assert.is((await instrument.read(['alarm'], signal)).alarm?.value, 60)
  }))

test('of a chip that keeps another value are refused, and of one that is not there', () => {
  const registers = {
    // Of the configuration the lowest bits are fixed.
    mode: { address: 0x48, register: 1, type: 'uint16', access: 'read-set' },
    nobody: { ...thermostat, address: 0x49 },
  }
  return onFirmataBoard({ config: { i2c: { registers } } }, async ({ instrument, signal }) => {
    await instrument.set('mode', 0x60b0, signal)
    const kept = await rejection(instrument.set('mode', 0x60b3, signal))
    assert.is(kept.code, 'instrument-refused')
    assert.match(kept.message, /did not take 24755 for mode: the chip gives 24752 back.*`access: set`/)
    const absent = await rejection(instrument.set('nobody', 20, signal))
    assert.is(absent.code, 'firmata-no-answer')
    assert.match(absent.message, /register 3 of the chip at 0x49.*I2C: Too few bytes/)
  })
})

test('whose first value no chip takes keep the board from being there, with the reason', () => {
  const registers = { nobody: { ...thermostat, address: 0x49, initial: 20 } }
  return onFirmataBoard({ config: { i2c: { registers } }, isOpened: false }, async ({ instrument, signal }) => {
    assert.match((await rejection(instrument.open(signal))).message, /register 3 of the chip at 0x49/)
  })
})

test('whose chip is gone as the board comes back keep it away, and that is said', () => {
  let isGone = false
  const wire = (given: Transport): Transport => ({
    ...given,
    onData: (listener) =>
      given.onData((bytes) => {
        if (!isGone || bytes[1] !== 0x77) listener(bytes)
      }),
  })
  const config = { i2c: { registers: { alarm: { ...thermostat, initial: 20 } } } }
  return onFirmataBoard({ config, wire }, async ({ instrument, device, signal, until }) => {
    isGone = true
    const lost = until(false)
    device.hangUp()
    await lost
    assert.match(await until(false), /gives no register 3 of the chip at 0x48/)
    const back = until(true)
    isGone = false
    await back
    assert.is((await instrument.read(['alarm'], signal)).alarm?.value, 20)
  })
})

test('of a board without I2C are refused as it connects', () => {
  const config = firmataConfigSchema.parse({ transport, i2c: { registers: { alarm: thermostat } } })
  const greeting = {
    protocol: { major: 2, minor: 6 },
    firmware: { name: 'Any', major: 1, minor: 0 },
    pins: [new Map([[1, 1]])],
    channels: [undefined],
  }
  assert.throws(() => planOf('rig', config, greeting), /i2c: this board has no I2C, or its firmware was built without/)
})

test('that node.yaml sets as they can not be are refused with their places', () => {
  const findings = (register: object) =>
    createFirmataDriver()
      .check({ transport, i2c: { registers: { it: { address: 0x48, register: 3, type: 'uint8', ...register } } } })
      .map(({ path, message }) => `${path}: ${message}`)
  for (const [register, wanted] of [
    [{ access: 'read-set', mask: 7 }, /^i2c\.registers\.it\.mask: is for one that is only read/],
    [{ limits: { high: 3 } }, /^i2c\.registers\.it\.limits: is for a register that is set/],
    [{ safe: 3 }, /^i2c\.registers\.it\.safe: is for a register that is set/],
    [{ access: 'set', safe: 256 }, /^i2c\.registers\.it\.safe: is outside 0 to 255/],
    [{ access: 'set', limits: { high: 3 }, initial: 4 }, /^i2c\.registers\.it\.initial: is outside 0 to 3/],
    [{ access: 'set', scale: 4, limits: { low: 1, high: 3 } }, /^i2c\.registers\.it\.limits: leave no value/],
    [{ access: 'write' }, /^i2c\.registers\.it\.access/],
  ] as const) {
    assert.match(findings(register).join('\n'), wanted, JSON.stringify(register))
  }
  assert.equal(findings({ access: 'set', safe: 0, limits: { low: 0, high: 10 } }), [])
})

test.run()
