import { createScpiDriver } from '@fernlab/edge/drivers/scpi/scpi'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import { driverContract } from '../driver-contract.ts'
import { realInstrument } from '../real-instrument.ts'

driverContract('scpi, emulated in this process', async () => {
  const worlds = createWorlds({ clock: systemClock })
  const device = worlds.world('rc').device('psu')
  return {
    driver: createScpiDriver(),
    config: { model: 'fern-psu', transport: { kind: 'emulated', world: 'rc', device: 'psu' } },
    context: {
      name: 'psu-1',
      clock: systemClock,
      log: silentLog,
      openTransport: createOpenTransport({ worlds, clock: systemClock, log: silentLog }),
      configFolder: '.',
    },
    settable: { name: 'voltage', values: [1.25, 3.5] },
    readable: ['voltage', 'output', 'measured_voltage', 'measured_current'],
    release: async () => {},
    cut: () => device.hangUp(),
  }
})

realInstrument('FERNLAB_TEST_INSTRUMENT', createScpiDriver)
