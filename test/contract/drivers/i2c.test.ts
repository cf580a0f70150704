import { createI2cDriver } from '@fernlab/edge/drivers/i2c/i2c'
import { createBoard } from '@fernlab/firmware-bridge/emulated/i2c/boards'
import { createI2cBuses } from '@fernlab/firmware-bridge/i2c/buses'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import { type DriverUnderTest, driverContract } from '../driver-contract.ts'

const context = {
  name: 'chip-1',
  clock: systemClock,
  log: silentLog,
  openTransport: async () => {
    throw new LabError({ code: 'no-transport', kind: 'bug', message: 'a chip needs no transport' })
  },
  configFolder: '.',
}

type What = Pick<DriverUnderTest, 'readable' | 'settable' | 'action'> & {
  readonly address: number
  readonly settings?: object
}

/** The contract on the chip of an emulated board that takes as long as a real one. */
function chipContract(chip: string, { address, settings = {}, ...rest }: What): void {
  driverContract(`i2c, ${chip} on an emulated bus`, async () => {
    const wires = createBoard('room', { clock: systemClock })
    return {
      driver: createI2cDriver(createI2cBuses({ clock: systemClock, boards: new Map([['room', wires]]) })),
      config: { chip, bus: { emulated: 'room' }, address, settings },
      context,
      release: async () => {},
      // Away when the node looks, and when it tries for the first time to configure it again.
      cut: () => wires.setFault(address, { kind: 'absent', forTransfers: 2 }),
      ...rest,
    }
  })
}

chipContract('tmp102', { address: 0x48, settings: { bits: 13, rateHz: 8 }, readable: ['temperature'] })
chipContract('tmp105', { address: 0x49, settings: { bits: 9 }, readable: ['temperature'] })
chipContract('lm75', { address: 0x4a, readable: ['temperature'] })
chipContract('sht31', {
  address: 0x44,
  readable: ['temperature', 'humidity', 'heater'],
  settable: { name: 'heater', values: [true, false] },
})
chipContract('bme280', { address: 0x76, readable: ['temperature', 'pressure', 'humidity'] })
chipContract('mcp4725', {
  address: 0x60,
  settings: { supplyV: 4.096 },
  readable: ['voltage', 'output'],
  settable: { name: 'voltage', values: [1.25, 2.5] },
  action: 'save',
})
chipContract('pca9685', {
  address: 0x43,
  settings: { channels: { fan: 3, heater: 0 } },
  readable: ['fan', 'heater', 'frequency'],
  settable: { name: 'fan', values: [25, 100] },
})
chipContract('ina219', { address: 0x40, readable: ['current', 'bus_voltage', 'power', 'shunt_voltage'] })
chipContract('mcp23017', {
  address: 0x20,
  settings: { pins: { lamp: { pin: 'A0', mode: 'output' }, door: { pin: 'B0', mode: 'input', pullUp: true } } },
  readable: ['lamp', 'door'],
  settable: { name: 'lamp', values: [true, false] },
})
chipContract('ads1115', { address: 0x4b, settings: { rateHz: 860 }, readable: ['a0', 'a1', 'a2', 'a3'] })

/**
 * The same on chips of a real bus, for whoever has them: `FERNLAB_I2C_BUS=1`, and in FERNLAB_I2C_CHIPS what is on it:
 * `{"bme280": {"address": 118, "readable": ["temperature"]}}`. What is set must be safe for what is connected.
 */
const realBus = process.env.FERNLAB_I2C_BUS
if (realBus !== undefined) {
  const chips = JSON.parse(process.env.FERNLAB_I2C_CHIPS ?? '{}') as Record<string, What>
  for (const [chip, { address, settings = {}, ...rest }] of Object.entries(chips)) {
    driverContract(`i2c, ${chip} on bus ${realBus}`, async () => ({
      driver: createI2cDriver(),
      config: { chip, bus: Number(realBus), address, settings },
      context,
      release: async () => {},
      ...rest,
    }))
  }
}
