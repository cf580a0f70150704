import { createOneWireDriver } from '@fernlab/edge/drivers/one-wire/one-wire'
import { emulateDs18b20 } from '@fernlab/firmware-bridge/emulated/ds18b20'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import { makeW1Files } from '../../support/w1-files.ts'
import { driverContract } from '../driver-contract.ts'
import { realInstrument } from '../real-instrument.ts'

const context = {
  name: 'bath-1',
  clock: systemClock,
  log: silentLog,
  openTransport: async () => {
    throw new LabError({ code: 'no-transport', kind: 'bug', message: 'a sensor needs no transport' })
  },
  configFolder: '.',
}

driverContract('one-wire, an emulated sensor', async () => {
  const sensor = emulateDs18b20({ name: 'bath', clock: systemClock, temperatureCel: () => 37 })
  return {
    driver: createOneWireDriver({ emulated: new Map([['bath', sensor]]) }),
    config: { sensor: { emulated: 'bath' }, bits: 9 },
    context,
    readable: ['temperature', 'resolution'],
    // Away when the node looks, and when it tries for the first time to come back.
    cut: () => sensor.setFault({ kind: 'absent', forLooks: 2 }),
    release: async () => {},
  }
})

driverContract('one-wire, by files as the kernel has them', async () => {
  const files = await makeW1Files(['28-0000075c5a3e'])
  return {
    driver: createOneWireDriver({ sysfs: files.root }),
    config: { sensor: '28-0000075c5a3e' },
    context,
    readable: ['temperature', 'resolution'],
    release: () => files.remove(),
  }
})

realInstrument('FERNLAB_TEST_ONE_WIRE', () => createOneWireDriver())
