import type { Transfer } from '@fernlab/firmware-bridge/emulated/i2c/emulated-adapter'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { testBoard, withOpen } from '../../support/i2c-chips.ts'
import { suite } from '../../support/suite.ts'

const test = suite('outputs on I2C')
const isWrite = ({ written, read }: Transfer) => written.length > 1 && read.length === 0

test('MCP4725: its memory is written when that is asked for, and at no other time', async () => {
  const { wires, chip } = testBoard()
  const instrument = await chip('mcp4725', 0x60, { supplyV: 4.096 })
  await withOpen(instrument, async (signal) => {
    const read = async () => (await instrument.read(['voltage'], signal)).voltage?.value
    const sent: Transfer[] = []
    wires.onTransfer = (transfer) => sent.push(transfer)
    await instrument.set('voltage', 1, signal)
    await instrument.set('output', false, signal)
    await instrument.set('output', true, signal)
    assert.equal(
      sent.filter(isWrite).map(({ written }) => (written[0] ?? 0) >> 6),
      [0, 0, 0],
    )
    wires.powerCycle(0x60)
    assert.is(await read(), 2.048)
    await instrument.set('voltage', 1, signal)
    await instrument.call('save', {}, signal)
    await instrument.set('voltage', 3, signal)
    wires.powerCycle(0x60)
    assert.is(await read(), 1)
  })
})

test('MCP4725: switched off it drives nothing, and keeps its voltage for when it is on again', async () => {
  const { chip } = testBoard()
  const dac = await chip('mcp4725', 0x60, { supplyV: 4.096, pullDown: '100k' })
  const adc = await chip('ads1115', 0x4b, { rateHz: 860 })
  await withOpen(dac, (signal) =>
    withOpen(adc, async () => {
      await dac.set('voltage', 2, signal)
      await dac.set('output', false, signal)
      assert.ok(Math.abs(Number((await adc.read(['a0'], signal)).a0?.value)) < 2e-4)
      assert.equal((await dac.read(['voltage', 'output'], signal)).output?.value, false)
      await dac.set('output', true, signal)
      assert.ok(Math.abs(Number((await adc.read(['a0'], signal)).a0?.value) - 2) < 2e-4)
    }),
  )
})

test('PCA9685: an output heats, the meter counts the current, and all are off after a loss of power', async () => {
  const { wires, chip } = testBoard()
  const pwm = await chip('pca9685', 0x43, { frequencyHz: 50, channels: { heater: 0, fan: 15 } })
  const meter = await chip('ina219', 0x40)
  const thermometer = await chip('tmp102', 0x48)
  await withOpen(pwm, (signal) =>
    withOpen(meter, () =>
      withOpen(thermometer, async () => {
        await pwm.set('heater', 50, signal)
        const { heater, fan, frequency } = await pwm.read(['heater', 'fan', 'frequency'], signal)
        assert.equal([heater?.value, fan?.value], [50, 0])
        assert.ok(Math.abs(Number(frequency?.value) - 50) < 0.1)
        const { current, power, bus_voltage } = await meter.read(['current', 'power', 'bus_voltage'], signal)
        assert.ok(Math.abs(Number(current?.value) - 0.25) < 2e-4)
        assert.is(bus_voltage?.value, 5)
        assert.ok(Math.abs(Number(power?.value) - 1.25) < 3e-3)
        assert.is((await thermometer.read(['temperature'], signal)).temperature?.value, 37.5)

        const back = new Promise<void>((resolve) => pwm.onConnection?.((up) => up && resolve()))
        wires.powerCycle(0x43)
        await back
        assert.is((await pwm.read(['heater'], signal)).heater?.value, 0)
        assert.ok(Math.abs(Number((await meter.read(['current'], signal)).current?.value)) < 2e-4)
      }),
    ),
  )
})

test('whoever reads and sets all the time meets no chip that has lost its settings, and it is configured again', async () => {
  const { wires, chip } = testBoard()
  const pwm = await chip('pca9685', 0x43, { channels: { heater: 0 } })
  const expander = await chip('mcp23017', 0x20, { pins: { lamp: { pin: 'A0', mode: 'output', initial: true } } })
  const thermometer = await chip('tmp105', 0x49, { bits: 12 })
  await withOpen(pwm, (signal) =>
    withOpen(expander, () =>
      withOpen(thermometer, async () => {
        for (const [instrument, name, address, value] of [
          [pwm, 'heater', 0x43, 50],
          [expander, 'lamp', 0x20, false],
        ] as const) {
          for (const work of [() => instrument.read([name], signal), () => instrument.set(name, value, signal)]) {
            const back = new Promise<void>((resolve) => instrument.onConnection?.((up) => up && resolve()))
            wires.powerCycle(address)
            assert.is((await rejection(work())).code, 'i2c-chip-reset')
            await back
          }
        }
        let isBack = false
        thermometer.onConnection?.((up) => {
          isBack ||= up
        })
        wires.powerCycle(0x49)
        for (let reads = 0; !isBack && reads < 30; reads++) {
          await thermometer.read(['temperature'], signal).catch(() => {})
          await systemClock.sleep(100)
        }
        assert.ok(isBack, 'not noticed within 3 s of readings')
      }),
    ),
  )
})

test('MCP4725: a voltage that is set while the memory is being written is driven, and not lost', async () => {
  const { chip } = testBoard({ instant: false })
  const dac = await chip('mcp4725', 0x60, { supplyV: 4.096 })
  await withOpen(dac, async (signal) => {
    await dac.set('voltage', 3, signal)
    const enough = new AbortController()
    const saving = rejection(dac.call('save', {}, enough.signal))
    await systemClock.sleep(8)
    enough.abort(new LabError({ code: 'enough', kind: 'caller', message: 'enough' }))
    await saving
    await dac.set('voltage', 0, signal)
    assert.is((await dac.read(['voltage'], signal)).voltage?.value, 0)
  })
})

test('PCA9685: its outputs are off before it sleeps to take its settings', async () => {
  const { wires, chip } = testBoard()
  const sent: Transfer[] = []
  wires.onTransfer = (transfer) => sent.push(transfer)
  await withOpen(await chip('pca9685', 0x43, {}), async () => {
    const writes = sent.filter(isWrite).map(({ written }) => written[0])
    assert.equal(writes.slice(0, 2), [0xfd, 0x00])
  })
})

test('an output that runs as configured is left alone by a node that starts again', async () => {
  const { wires, chip } = testBoard()
  const pins = { lamp: { pin: 'A0', mode: 'output' } }
  const first = await chip('pca9685', 0x43, {})
  await withOpen(first, (signal) => first.set('pwm0', 25, signal))
  const expander = await chip('mcp23017', 0x20, { pins })
  await withOpen(expander, (signal) => expander.set('lamp', true, signal))
  const sent: Transfer[] = []
  wires.onTransfer = (transfer) => sent.push(transfer)
  const again = await chip('pca9685', 0x43, {})
  await withOpen(again, async (signal) => assert.is((await again.read(['pwm0'], signal)).pwm0?.value, 25))
  const expanderAgain = await chip('mcp23017', 0x20, { pins })
  await withOpen(expanderAgain, async (signal) => {
    assert.is((await expanderAgain.read(['lamp'], signal)).lamp?.value, true)
  })
  assert.equal(sent.filter(isWrite), [])
})

test('MCP23017: inputs, outputs, pull-ups, active low, and levels before directions', async () => {
  const { wires, chip } = testBoard()
  const sent: Transfer[] = []
  wires.onTransfer = (transfer) => sent.push(transfer)
  const instrument = await chip('mcp23017', 0x20, {
    pins: {
      lamp: { pin: 'A0', mode: 'output', activeLow: true, initial: false },
      relay: { pin: 'B7', mode: 'output', initial: true },
      seen: { pin: 'B0', mode: 'input' },
      door: { pin: 'B1', mode: 'input', pullUp: true },
      closed: { pin: 'A1', mode: 'input', activeLow: true, pullUp: true },
    },
  })
  await withOpen(instrument, async (signal) => {
    const registers = sent.filter(isWrite).map(({ written }) => written[0])
    assert.ok(registers.indexOf(0x14) < registers.indexOf(0x00), 'the latch is written before the direction')
    const values = async () =>
      Object.fromEntries(
        Object.entries(await instrument.read(['lamp', 'relay', 'seen', 'door', 'closed'], signal)).map(
          ([name, got]) => [name, got.value],
        ),
      )
    assert.equal(await values(), { lamp: false, relay: true, seen: true, door: true, closed: false })
    await instrument.set('lamp', true, signal)
    assert.equal(await values(), { lamp: true, relay: true, seen: false, door: true, closed: false })
    await Promise.all([instrument.set('lamp', false, signal), instrument.set('relay', false, signal)])
    assert.equal(await values(), { lamp: false, relay: false, seen: true, door: true, closed: false })
  })
})

test('INA219: a current beyond its scale, and a calibration that was lost, are no reading of 0', async () => {
  const { wires, chip } = testBoard()
  const pwm = await chip('pca9685', 0x43, {})
  const meter = await chip('ina219', 0x40, { maxCurrentA: 0.4 })
  await withOpen(pwm, (signal) =>
    withOpen(meter, async () => {
      await pwm.set('pwm0', 100, signal)
      const beyond = await rejection(meter.read(['current'], signal))
      assert.is(beyond.code, 'reading-overload')
      assert.match(beyond.message, /beyond what the INA219 is set up for \(0\.4 A\)/)
      await pwm.set('pwm0', 25, signal)
      assert.ok(Math.abs(Number((await meter.read(['current'], signal)).current?.value) - 0.125) < 2e-4)
      wires.powerCycle(0x40)
      assert.is((await rejection(meter.read(['current'], signal))).code, 'i2c-chip-reset')
    }),
  )
})

test('a value that an output can not take is the caller’s fault, and nothing is sent', async () => {
  const { wires, chip } = testBoard()
  const dac = await chip('mcp4725', 0x60, { supplyV: 5 })
  await withOpen(dac, async (signal) => {
    wires.onTransfer = () => assert.unreachable('something was sent')
    for (const value of [-0.1, 5.1, Number.NaN, true]) {
      assert.is((await rejection(dac.set('voltage', value, signal))).kind, 'caller')
    }
    wires.onTransfer = undefined
  })
})

test('settings that a chip can not have are refused with their place', async () => {
  const { chip } = testBoard()
  const issue = async (name: string, address: number, settings: object) =>
    (await rejection(chip(name, address, settings))).issues.map(({ path, message }) => `${path}: ${message}`)
  assert.match((await issue('ina219', 0x40, { maxCurrentA: 10 }))[0] ?? '', /^settings: maxCurrentA times shuntOhm/)
  assert.match((await issue('mcp4725', 0x60, {}))[0] ?? '', /^settings\.supplyV: /)
  assert.equal(await issue('mcp23017', 0x20, { pins: { door: { pin: 'A7', mode: 'input' } } }), [
    'settings.pins.door.mode: A7 and B7 are outputs only, by the datasheet of 2022',
  ])
  const twice = { a: { pin: 'A0', mode: 'input' }, b: { pin: 'A0', mode: 'output' } }
  assert.equal(await issue('mcp23017', 0x20, { pins: twice }), ['settings.pins: has a pin twice'])
  assert.equal(await issue('pca9685', 0x43, { channels: { a: 1, b: 1 } }), ['settings.channels: has a channel twice'])
})

test.run()
