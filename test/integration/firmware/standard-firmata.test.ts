import type { Reading } from '@fernlab/edge/drivers/driver'
import { type BoardCircuit, noCircuit, type UnoPin } from '@fernlab/firmware-bridge/boards/circuits/board-circuit'
import type { EmulatedChip } from '@fernlab/firmware-bridge/emulated/i2c/chip'
import { emulateMcp4725 } from '@fernlab/firmware-bridge/emulated/i2c/mcp4725'
import { emulateTmp102 } from '@fernlab/firmware-bridge/emulated/i2c/thermometers'
import { createNoise } from '@fernlab/firmware-bridge/emulated/noise'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { withFirmataOnUno } from '../../support/firmata/on-uno.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the driver firmata on StandardFirmata 2.3, on an emulated Arduino Uno', { timeoutMs: 60_000 })

const valueIn = (readings: Record<string, Reading>, name: string) => readings[name]?.value
/** One step of the converter. */
const STEP_V = 5 / 1024

test('says who it is', () =>
  withFirmataOnUno({ config: { pins: { lamp: { direction: 'out', pin: 13 } } } }, async ({ instrument, signal }) => {
    assert.is(await instrument.identify?.(signal), 'StandardFirmata 2.3, Firmata 2.3')
  }))

test('sets outputs, each alone, and reads them back from the board', () => {
  const pins = {
    lamp: { direction: 'out', pin: 13, initial: true, safe: false },
    pump: { direction: 'out', pin: 12 },
    relay: { direction: 'out', pin: 'A3', activeLow: true },
  }
  return withFirmataOnUno({ config: { pins } }, async ({ uno, instrument, signal }) => {
    const levels = () => [uno.driven('D13'), uno.driven('D12'), uno.driven('A3')]
    assert.equal(levels(), [true, false, true], 'as node.yaml has them at first')
    await instrument.set('pump', true, signal)
    assert.equal(levels(), [true, true, true], 'the others of the port stay')
    await instrument.set('relay', true, signal)
    assert.equal(levels(), [true, true, false])
    const readings = await instrument.read(['lamp', 'pump', 'relay'], signal)
    assert.equal(
      Object.values(readings).map(({ value }) => value),
      [true, true, true],
    )
    await instrument.close()
    assert.equal(levels(), [false, false, true], 'safe once it is closed')
  })
})

test('reads inputs as they change, with the resistor of the chip where it is asked for', () => {
  const pins = {
    door: { direction: 'in', pin: 2, pull: 'up', activeLow: true },
    beam: { direction: 'in', pin: 4 },
    lamp: { direction: 'out', pin: 5 },
  }
  return withFirmataOnUno({ config: { pins } }, async ({ uno, instrument, signal, clock }) => {
    const read = async () => {
      // The board looks at its inputs between two messages.
      await clock.sleep(1)
      const readings = await instrument.read(['door', 'beam'], signal)
      return [valueIn(readings, 'door'), valueIn(readings, 'beam')]
    }
    uno.drive('D4', false)
    assert.equal(await read(), [false, false], 'nothing at the door but the resistor')
    uno.drive('D2', false)
    uno.drive('D4', true)
    assert.equal(await read(), [true, true])
    await instrument.set('lamp', true, signal)
    uno.drive('D2', undefined)
    assert.equal(await read(), [false, true], 'the resistor has stayed as another output of its port was set')
    assert.is((await rejection(instrument.set('door', true, signal))).code, 'signal-unknown')
  })
})

test('measures voltages in the unit that node.yaml gives them', () => {
  let volts = 0
  const circuit: BoardCircuit = { ...noCircuit, volts: (pin) => (pin === 'A0' ? volts : pin === 'A1' ? 5 - volts : 0) }
  const pins = {
    level: { direction: 'analog', pin: 'A0' },
    pressure: { direction: 'analog', pin: 15, unit: 'kPa', zero: -10, full: 90 },
  }
  return withFirmataOnUno({ config: { pins }, circuit }, async ({ instrument, signal, clock }) => {
    for (const next of [0.3, 1.7, 4.9]) {
      volts = next
      const before = clock.now() / 1000
      const readings = await instrument.read(['level', 'pressure'], signal)
      assert.ok(Math.abs(Number(valueIn(readings, 'level')) - next) <= STEP_V, `${valueIn(readings, 'level')}`)
      assert.ok(Math.abs(Number(valueIn(readings, 'pressure')) - (90 - 20 * next)) <= 20 * STEP_V)
      for (const { time } of Object.values(readings)) assert.ok(time >= before, 'measured after it was asked')
    }
  })
})

/** How long a pin that is driven has been high and low. */
function dutyMeter(watched: UnoPin) {
  let [last, high, sinceS, highS, allS] = [false, false, 0, 0, 0]
  return {
    driven: (pin: UnoPin, level: boolean, timeS: number) => {
      if (pin !== watched) return
      if (last) highS += timeS - sinceS
      allS += timeS - sinceS
      sinceS = timeS
      last = level
      high = level
    },
    begin: () => {
      highS = 0
      allS = 0
    },
    share: () => highS / allS,
    isHigh: () => high,
  }
}

test('drives PWM with the duty that it is given, and says which of its steps that is', () => {
  const meter = dutyMeter('D9')
  const circuit: BoardCircuit = { ...noCircuit, driven: meter.driven }
  const pins = { fan: { direction: 'pwm', pin: 9, limits: { high: 80 } } }
  return withFirmataOnUno({ config: { pins }, circuit }, async ({ instrument, signal, clock }) => {
    for (const percent of [20, 50, 80]) {
      await instrument.set('fan', percent, signal)
      await clock.sleep(20)
      meter.begin()
      await clock.sleep(200)
      assert.ok(Math.abs(100 * meter.share() - percent) < 0.6, `${100 * meter.share()} % for ${percent} %`)
      const said = Number(valueIn(await instrument.read(['fan'], signal), 'fan'))
      assert.ok(Math.abs(said - percent) <= 50.01 / 255, `${said}`)
    }
    assert.is((await rejection(instrument.set('fan', 81, signal))).code, 'value-out-of-limits')
  })
})

test('turns a servo by the pulses of its kind', () => {
  const pulses: number[] = []
  let roseS = 0
  const circuit: BoardCircuit = {
    ...noCircuit,
    driven: (pin, level, timeS) => {
      if (pin !== 'D10') return
      if (level) roseS = timeS
      else if (roseS > 0) pulses.push((timeS - roseS) * 1e6)
    },
  }
  const pins = { flap: { direction: 'servo', pin: 10, minPulseUs: 1000, maxPulseUs: 2000, initial: 0 } }
  return withFirmataOnUno({ config: { pins }, circuit }, async ({ instrument, signal, clock }) => {
    for (const [angle, us] of [
      [0, 1000],
      [90, 1500],
      [180, 2000],
    ] as const) {
      await instrument.set('flap', angle, signal)
      await clock.sleep(60)
      assert.ok(Math.abs((pulses.at(-1) ?? 0) - us) < 20, `${pulses.at(-1)} µs at ${angle}°`)
      assert.is(valueIn(await instrument.read(['flap'], signal), 'flap'), angle)
    }
  })
})

test('reads a register of a chip at its I2C pins, and says when none is there', () => {
  let celsius = 23.5
  const chip = emulateTmp102({
    nowS: () => 0,
    noise: createNoise('tmp102'),
    instant: true,
    temperatureCel: () => celsius,
  })
  chip.powerOn()
  const chips = new Map([[0x48, chip]])
  const circuit: BoardCircuit = { ...noCircuit, i2c: chips }
  const form = { register: 0, type: 'int16', scale: 1 / 256, unit: 'Cel' }
  const registers = { air: { address: 0x48, ...form }, water: { address: 0x49, ...form } }
  return withFirmataOnUno({ config: { i2c: { registers } }, circuit }, async ({ instrument, signal }) => {
    for (const next of [23.5, -11.25]) {
      celsius = next
      assert.is(valueIn(await instrument.read(['air'], signal), 'air'), next)
    }
    const refused = await rejection(instrument.read(['water'], signal))
    assert.is(refused.code, 'firmata-no-answer')
    assert.match(refused.message, /register 0 of the chip at 0x49.*I2C Read Error/)
    assert.is(valueIn(await instrument.read(['air'], signal), 'air'), -11.25, 'and is in step after that')
    chips.delete(0x48)
    // The firmware then sends again what the chip gave before.
    assert.is((await rejection(instrument.read(['air'], signal))).code, 'firmata-no-answer')
    chips.set(0x48, chip)
    celsius = 40
    assert.is(valueIn(await instrument.read(['air'], signal), 'air'), 40)
  })
})

test('writes registers of chips at its I2C pins: one that is read back, and one that turns into a voltage', () => {
  const options = { nowS: () => 0, noise: createNoise('chips'), instant: true }
  const thermometer = emulateTmp102({ ...options, temperatureCel: () => 20 })
  const dac = emulateMcp4725({ ...options, supplyV: 5 })
  for (const each of [thermometer, dac]) each.powerOn()
  const chips = new Map<number, EmulatedChip>([
    [0x48, thermometer],
    [0x60, dac],
  ])
  const circuit: BoardCircuit = { ...noCircuit, i2c: chips, volts: (pin) => (pin === 'A0' ? dac.outputVolts() : 0) }
  const alarm = { address: 0x48, register: 3, type: 'int16', scale: 1 / 256, unit: 'Cel', access: 'read-set' }
  const output = { address: 0x60, register: 0x40, type: 'uint16', scale: 5 / 65_536, unit: 'V', access: 'set' }
  const config = {
    pins: { level: { direction: 'analog', pin: 'A0' } },
    i2c: { registers: { alarm, output: { ...output, initial: 1, safe: 0 } } },
  }
  return withFirmataOnUno({ config, circuit }, async ({ instrument, signal }) => {
    assert.ok(Math.abs(dac.outputVolts() - 1) < 0.002, 'as node.yaml has it at first')
    for (const [celsius, volts] of [
      [31.5, 2.5],
      [-40.25, 4.9],
    ] as const) {
      await instrument.set('alarm', celsius, signal)
      assert.equal([...(thermometer.read(2) ?? [])], [((celsius * 256) >> 8) & 0xff, (celsius * 256) & 0xff])
      assert.is(valueIn(await instrument.read(['alarm'], signal), 'alarm'), celsius)
      await instrument.set('output', volts, signal)
      assert.ok(Math.abs(dac.outputVolts() - volts) < 0.002, `${dac.outputVolts()}`)
      assert.ok(Math.abs(Number(valueIn(await instrument.read(['level'], signal), 'level')) - volts) <= 2 * STEP_V)
    }
    assert.is((await rejection(instrument.set('output', 5.1, signal))).code, 'value-out-of-limits')
    chips.delete(0x48)
    const refused = await rejection(instrument.set('alarm', 10, signal))
    assert.is(refused.code, 'firmata-no-answer')
    assert.match(refused.message, /register 3 of the chip at 0x48.*I2C Read Error/)
    await instrument.close()
    assert.is(dac.outputVolts(), 0, 'safe once it is closed')
  })
})

test('refuses what a pin cannot be, and says what it and others can', () => {
  const pins = {
    fan: { direction: 'pwm', pin: 4 },
    level: { direction: 'analog', pin: 'A6' },
    line: { direction: 'out', pin: 1 },
    axis: { direction: 'stepper', stepPin: 2, directionPin: 3, speed: 10 },
    twice: { direction: 'in', pin: 14 },
    again: { direction: 'analog', pin: 'A0' },
  }
  return withFirmataOnUno({ config: { pins }, isOpened: false }, async ({ instrument, signal, uno }) => {
    const refused = await rejection(instrument.open(signal))
    assert.is(refused.code, 'firmata-pin-cannot')
    assert.is(refused.kind, 'configuration')
    const said = Object.fromEntries(refused.issues.map(({ path, message }) => [path, message]))
    assert.is(
      said['pins.fan.pin'],
      'pin 4 of this board cannot be pwm; it can be in, out, servo. Pins that can be pwm: 3, 5, 6, 9, 10, 11',
    )
    assert.is(said['pins.level.pin'], 'this board has A0 to A5, no A6')
    assert.match(said['pins.line.pin'] ?? '', /not for use on this board/)
    assert.match(said['pins.axis.stepPin'] ?? '', /cannot be stepper.*No pin of it can/)
    assert.is(said['pins.again.pin'], 'pin 14 is pins.twice already')
    assert.is(uno.driven('D4'), false, 'nothing was changed')
  })
})

test('goes offline as the board starts anew by itself, comes back, and begins as at the start', () => {
  const pins = { lamp: { direction: 'out', pin: 13, initial: true }, level: { direction: 'analog', pin: 'A0' } }
  return withFirmataOnUno({ config: { pins } }, async ({ uno, instrument, signal, reset }) => {
    await instrument.set('lamp', false, signal)
    const reasons: string[] = []
    const lost = new Promise<void>((resolve) => {
      instrument.onConnection?.((up, reason) => {
        if (!up) reasons.push(reason ?? '')
        if (!up) resolve()
      })
    })
    const back = new Promise<void>((resolve) => {
      instrument.onConnection?.((up) => {
        if (up) resolve()
      })
    })
    reset()
    await lost
    assert.match(reasons[0] ?? '', /has started anew by itself/)
    assert.is((await rejection(instrument.read(['lamp'], signal))).kind, 'link')
    await back
    assert.is(uno.driven('D13'), true)
    assert.equal(Object.keys(await instrument.read(['lamp', 'level'], signal)), ['lamp', 'level'])
  })
})

test.run()
