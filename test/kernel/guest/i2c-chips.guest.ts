/**
 * The driver `i2c` on a bus of the kernel's. What the chips say is written into their registers by the bare package, high
 * byte first as on the wire; the stub does not convert, so what a chip computes is put there, too.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Instrument } from '@fernlab/edge/drivers/driver'
import { createI2cDriver } from '@fernlab/edge/drivers/i2c/i2c'
import { scanBus } from '@fernlab/edge/drivers/i2c/scan'
import { bme280Memory } from '@fernlab/firmware-bridge/emulated/i2c/bme280'
import { createI2cBuses } from '@fernlab/firmware-bridge/i2c/buses'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import i2c from 'i2c-bus'
import * as assert from 'uvu/assert'
import { type DriverUnderTest, driverContract, rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'

const buses = '/sys/class/i2c-dev'
const stub = readdirSync(buses).find((each) => readFileSync(`${buses}/${each}/name`, 'utf8').includes('SMBus stub'))
const bus = Number(stub?.replace('i2c-', ''))
const never = new AbortController().signal

const context = {
  name: 'chip-1',
  clock: systemClock,
  log: silentLog,
  openTransport: async () => {
    throw new LabError({ code: 'no-transport', kind: 'bug', message: 'a chip needs no transport' })
  },
  configFolder: '.',
}

/** Writes registers past the driver. */
function poke(address: number, registers: Readonly<Record<number, number>>, width: 'bytes' | 'words'): void {
  const bare = i2c.openSync(bus)
  try {
    for (const [register, value] of Object.entries(registers)) {
      if (width === 'bytes') bare.writeByteSync(address, Number(register), value)
      else bare.writeWordSync(address, Number(register), ((value & 0xff) << 8) | (value >> 8))
    }
  } finally {
    bare.closeSync()
  }
}

/** A BME280 as the worked example of Bosch has it, and dry air. */
function pokeBme280(): void {
  const { low, high } = bme280Memory()
  const memory = Object.fromEntries([
    ...[...low].map((byte, i): [number, number] => [0x88 + i, byte]),
    ...[...high].map((byte, i): [number, number] => [0xe1 + i, byte]),
  ])
  // 415148 and 519888, as 20 bits.
  const data = [0x65, 0x5a, 0xc0, 0x7e, 0xed, 0x00, 0x6b, 0x00]
  const measured = Object.fromEntries(data.map((byte, i) => [0xf7 + i, byte]))
  poke(0x76, { ...memory, ...measured, 208: 0x60, 243: 0 }, 'bytes')
}

const make = (chip: string, address: number, settings: object = {}): Promise<Instrument> =>
  createI2cDriver().create({ chip, bus, address, settings }, context)

async function valuesOf(instrument: Instrument, names: readonly string[]): Promise<unknown[]> {
  await instrument.open(never)
  try {
    const readings = await instrument.read(names, never)
    return names.map((name) => readings[name]?.value)
  } finally {
    await instrument.close()
  }
}

const test = suite('chips on a bus of the kernel', { timeoutMs: 60_000 })

test('thermometers, by their datasheets’ words', async () => {
  poke(0x48, { 0: 0xe700 }, 'words')
  assert.equal(await valuesOf(await make('tmp102', 0x48), ['temperature']), [-25])
  poke(0x49, { 0: 0x3200 }, 'words')
  assert.equal(await valuesOf(await make('tmp105', 0x49), ['temperature']), [50])
  poke(0x4f, { 0: 0x1900 }, 'words')
  assert.equal(await valuesOf(await make('lm75', 0x4f), ['temperature']), [25])
})

test('INA219, by the example of its datasheet', async () => {
  const meter = await make('ina219', 0x40, { shuntOhm: 0.002, maxCurrentA: 32.768 })
  poke(0x40, { 1: 0x07d0, 2: 0x5d98, 3: 0x1766, 4: 0x2710 }, 'words')
  const [current, volts, power] = (await valuesOf(meter, ['current', 'bus_voltage', 'power'])) as number[]
  assert.ok(Math.abs((current ?? 0) - 10) < 1e-9 && Math.abs((power ?? 0) - 119.8) < 1e-9)
  assert.is(volts, 11.98)
})

test('ADS1115, with the input that was asked for', async () => {
  const adc = await make('ads1115', 0x4b, { rateHz: 860, inputs: { bridge: { pin: 'A2-A3', rangeV: 0.256 } } })
  poke(0x4b, { 0: 0xc000 }, 'words')
  assert.equal(await valuesOf(adc, ['bridge']), [-0.128])
})

test('BME280, by the example of its maker', async () => {
  pokeBme280()
  const [cel, pa] = (await valuesOf(await make('bme280', 0x76), ['temperature', 'pressure'])) as number[]
  assert.is(cel?.toFixed(2), '25.08')
  assert.is(pa?.toFixed(2), '100653.27')
})

test('MCP23017 and PCA9685 write the registers that they should', async () => {
  const pins = { lamp: { pin: 'A0', mode: 'output' }, door: { pin: 'B1', mode: 'input', pullUp: true } }
  poke(0x20, { 18: 0x0002 }, 'words')
  const expander = await make('mcp23017', 0x20, { pins })
  await expander.open(never)
  await expander.set('lamp', true, never)
  const { lamp, door } = await expander.read(['lamp', 'door'], never)
  assert.equal([lamp?.value, door?.value], [true, true])
  await expander.close()
  const pwm = await make('pca9685', 0x43, { frequencyHz: 50 })
  await pwm.open(never)
  await pwm.set('pwm1', 25, never)
  await pwm.close()
  const bare = i2c.openSync(bus)
  assert.is(bare.readWordSync(0x20, 0x00), 0xfffe)
  assert.is(bare.readWordSync(0x20, 0x0c), 0x0200)
  assert.is(bare.readWordSync(0x20, 0x14), 0x0001)
  assert.is(bare.readByteSync(0x43, 0xfe), 121)
  const registers = Buffer.alloc(4)
  bare.readI2cBlockSync(0x43, 0x0a, 4, registers)
  assert.equal([...registers], [0, 0, 0, 4])
  bare.closeSync()
})

test('says what is wrong by the kernel’s own errors: nobody there, a bus that is not, calls that it can not do', async () => {
  const gone = await make('ina219', 0x41)
  const error = await rejection(gone.open(never))
  assert.is(error.code, 'i2c-no-answer')
  assert.match(error.message, new RegExp(`^nothing answers at 0x41 on I2C bus ${bus}: `))
  await gone.close()
  const dac = await make('mcp4725', 0x60, { supplyV: 5 })
  assert.is((await rejection(dac.open(never))).code, 'i2c-call-unsupported')
  await dac.close()
  const missing = await createI2cDriver().create({ chip: 'tmp102', bus: 99, address: 0x48 }, context)
  assert.match((await rejection(missing.open(never))).message, new RegExp(`no /dev/i2c-99; there is .*bus ${bus}`))
  await missing.close()
})

test('a scan finds every chip, and the one that a driver of the kernel has; that one is refused', async () => {
  writeFileSync(`/sys/bus/i2c/devices/i2c-${bus}/new_device`, 'lm75 0x4a')
  try {
    const shared = createI2cBuses({ clock: systemClock })
    const found = await scanBus(shared.bus(bus), never)
    assert.equal(
      found.map(({ address }) => address),
      [0x20, 0x40, 0x43, 0x48, 0x49, 0x4a, 0x4b, 0x4f, 0x60, 0x76],
    )
    assert.equal(
      found[5],
      { address: 0x4a, state: 'kernel', driver: 'lm75', chips: ['tmp102', 'lm75', 'ads1115', 'pca9685', 'ina219'] },
      'in use',
    )
    assert.equal(found[9]?.chips, ['bme280', 'pca9685'])
    const lm75 = await createI2cDriver(shared).create({ chip: 'lm75', bus, address: 0x4a }, context)
    const refused = await rejection(lm75.open(never))
    assert.is(refused.code, 'i2c-address-in-use')
    // The bus goes on for all others, and the address is refused again, never asked under another's name.
    assert.is((await rejection(lm75.open(never))).code, 'i2c-address-in-use')
    await lm75.close()
    assert.equal(
      await valuesOf(await createI2cDriver(shared).create({ chip: 'tmp102', bus, address: 0x48 }, context), [
        'temperature',
      ]),
      [-25],
    )
  } finally {
    writeFileSync(`/sys/bus/i2c/devices/i2c-${bus}/delete_device`, '0x4a')
  }
})

test.run()

type What = Pick<DriverUnderTest, 'readable' | 'settable'> & { readonly settings?: object }

function onKernel(
  chip: string,
  address: number,
  { settings = {}, ...rest }: What,
  prepare: () => void = () => {},
): void {
  driverContract(`${chip} on a bus of the kernel`, async () => {
    prepare()
    return {
      driver: createI2cDriver(),
      config: { chip, bus, address, settings },
      context,
      release: async () => {},
      ...rest,
    }
  })
}

onKernel('tmp102', 0x48, { readable: ['temperature'] })
onKernel('tmp105', 0x49, { readable: ['temperature'], settings: { bits: 9 } })
onKernel('lm75', 0x4f, { readable: ['temperature'] })
onKernel('ads1115', 0x4b, { readable: ['a0', 'a1', 'a2', 'a3'], settings: { rateHz: 860 } })
onKernel('ina219', 0x40, { readable: ['current', 'bus_voltage', 'power', 'shunt_voltage'] }, () =>
  poke(0x40, { 1: 100, 2: 0x5d98, 3: 0, 4: 0 }, 'words'),
)
onKernel('bme280', 0x76, { readable: ['temperature', 'pressure', 'humidity'] }, pokeBme280)
onKernel('pca9685', 0x43, { readable: ['pwm0', 'frequency'], settable: { name: 'pwm0', values: [25, 100] } })
onKernel('mcp23017', 0x20, {
  settings: { pins: { lamp: { pin: 'A0', mode: 'output' }, door: { pin: 'B1', mode: 'input' } } },
  readable: ['lamp', 'door'],
  settable: { name: 'lamp', values: [true, false] },
})
