/** A TMP105 on the I2C bus of the header, by the controller of the Pi's own chip. */
import { createI2cDriver } from '@fernlab/edge/drivers/i2c/i2c'
import { scanBus } from '@fernlab/edge/drivers/i2c/scan'
import { createI2cBuses } from '@fernlab/firmware-bridge/i2c/buses'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { driverContract, rejection } from '../../contract/driver-contract.ts'
import { askHost } from '../../support/kernel/in-guest/host.ts'
import { suite } from '../../support/suite.ts'

const context = {
  name: 'block',
  clock: systemClock,
  log: silentLog,
  configFolder: '.',
  openTransport: async () => {
    throw new LabError({ code: 'no-transport', kind: 'bug', message: 'a chip needs no transport' })
  },
}
const config = (address = 0x48) => ({ chip: 'tmp105', bus: 1, address, settings: { bits: 12 } })

const test = suite('TMP105 on a Raspberry Pi', { timeoutMs: 60_000 })

test('is the one that answers on the bus', async ({ signal }) => {
  const found = await scanBus(createI2cBuses({ clock: systemClock }).bus(1), signal)
  assert.equal(
    found.map(({ address, state }) => [address, state]),
    [[0x48, 'answers']],
  )
})

test('is read as warm as it is, and as it becomes', async ({ signal }) => {
  const instrument = await createI2cDriver().create(config(), context)
  try {
    await askHost('make it', 21.5)
    await instrument.open(signal)
    for (const celsius of [21.5, -7.25, 84.875]) {
      await askHost('make it', celsius)
      assert.is((await instrument.read(['temperature'], signal)).temperature?.value, celsius)
    }
  } finally {
    await instrument.close()
  }
})

test('nobody is at the next address', async ({ signal }) => {
  const instrument = await createI2cDriver().create(config(0x49), context)
  try {
    const error = await rejection(instrument.open(signal))
    assert.match(error.message, /^nothing answers at 0x49 on I2C bus 1: .*EREMOTEIO/)
  } finally {
    await instrument.close()
  }
})

test.run()

driverContract('tmp105 on a Raspberry Pi', async () => ({
  driver: createI2cDriver(),
  config: config(),
  context,
  readable: ['temperature'],
  release: async () => {},
}))
